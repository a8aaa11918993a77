"""Poison among good events, at growing rates: what the good ones pay for the bad ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psutil

from faults.finding import Finding, counts, is_clean
from faults.payload import check, record
from faults.stage import PATIENCE_S, Stage, slack, stretched
from tests.kafka.client import Record, produce
from tests.kafka.service import MODEL, SCORE
from tests.kafka.verdict import Verdict

RATES = (0.001, 0.01, 0.1, 0.5)
KINDS = ("decode", "validate", "node", "NaN score")
SPEED_AT, SPEED = 0.01, 0.95
SHARED_SPEED = 0.8
"""What is asked for on a machine that others use, whose rates scatter."""
STALL_S = 1.0
NO_BREAKER = {"RTML_BREAKER_FAILURE_PERCENT": "100"}
"""Half of the events bad is what it is for; here it is not what is looked at."""
NODES = [
    {"id": "plausible", "type": "Validate", "params": {"rules": {"f0": {"max": 5}}}},
    {"id": "parse", "type": "ParseVector", "params": {"column": "v", "length": 2, "into": "w"}},
    SCORE,
    {
        "id": "nan",
        "type": "ONNXNode",
        "params": {"model": "nan.onnx", "features": ["x"], "outputs": {"one": "Y"}},
    },
]
SCHEMA = {
    "type": "object",
    "required": ["f0", "f1", "v", "x"],
    "properties": {
        "f0": {"type": "number"},
        "f1": {"type": "number"},
        "v": {"type": "string"},
        "x": {"type": "number"},
    },
}
GOOD: dict[str, Any] = {"v": "1,2", "x": 1.5}
BAD: dict[str, dict[str, Any]] = {
    "validate": {"f0": 6},
    "node": {"v": "1,x"},
    "NaN score": {"x": 0},
}


@dataclass(frozen=True, slots=True)
class _Run:
    """One load, scored from its beginning by a worker that is warm and has nothing to wait for."""

    verdict: Verdict
    bad: int
    buried: int
    events_per_s: float
    cpu_us: float
    stall_s: float


def run(stage: Stage) -> Iterator[Finding]:
    """Each rate, with clean loads before and after for comparison."""
    n = stage.size(40_000, 6_000)
    stage.say("clean")
    clean = [_play(stage, n, 0.0)]
    found = {}
    for rate in (0.1,) if stage.quick else RATES:
        stage.say(f"{rate:.1%}")
        found[rate] = _play(stage, n, rate)
    clean.append(_play(stage, n, 0.0))
    for rate, one in found.items():
        yield _told(stage, rate, one, clean)


def _told(stage: Stage, rate: float, one: _Run, clean: list[_Run]) -> Finding:
    speed = one.events_per_s / (sum(run.events_per_s for run in clean) / len(clean))
    cpu = (sum(run.cpu_us for run in clean) / len(clean)) / one.cpu_us
    most_s, told = stretched(STALL_S)
    shared = slack() > 1.0
    wanted = SHARED_SPEED if shared else SPEED
    asked = f"speed by processor time >= {wanted}" + (f" ({SPEED}, alone)" if shared else "")
    return Finding(
        "poison",
        f"{rate:.1%} of {one.verdict.sent:,} events bad, by turns {', '.join(KINDS)}",
        f"{counts(one.verdict)}, dead letters {one.buried:,}/{one.bad:,} bad, good events at "
        f"{speed:.2f} of the clean rate ({one.events_per_s:,.0f}/s), by processor time {cpu:.2f}, "
        f"longest stall {one.stall_s:.2f} s",
        f"dead letters = bad, lost 0, stall <= {told}" + (f", {asked}" if rate == SPEED_AT else ""),
        is_clean(one.verdict)
        and one.buried == one.bad
        and one.stall_s <= most_s
        and (rate != SPEED_AT or stage.quick or cpu >= wanted),
    )


def _play(stage: Stage, n: int, rate: float) -> _Run:
    service = stage.service(
        nodes=NODES,
        source={"schema": SCHEMA},
        sink={"fields": ["score"]},
        sink_config={"message.timestamp.type": "LogAppendTime"},
        models={"nan.onnx": MODEL.with_name("nan.onnx").read_bytes()},
    )
    sent, bad = _load(n, rate)
    with service.worker(environment=NO_BREAKER) as worker:
        worker.wait_ready(PATIENCE_S)
        process = psutil.Process(worker.process.pid)
        process.suspend()  # its start is not part of what events cost, nor is waiting for them
        try:
            produce(stage.bootstrap, service.source, sent)
            before = process.cpu_times()
        finally:
            process.resume()
        service.settled(timeout_s=PATIENCE_S)
        used = process.cpu_times()
        worker.terminate()
    scored, dead = service.scored(), service.dead_letters()
    stamps = sorted(one.timestamp_ms or 0 for one in scored)
    rest = stamps[len(stamps) // 10 :]
    return _Run(
        check(sent, scored, dead),
        len(bad),
        len(bad.intersection(one.value for one in dead)) if len(dead) == len(bad) else -len(dead),
        len(rest) * 1_000 / max(1, rest[-1] - rest[0]),
        1e6 * (used.user + used.system - before.user - before.system) / len(scored),
        max(b - a for a, b in pairwise(stamps)) / 1_000,
    )


def _load(n: int, rate: float) -> tuple[list[Record], set[bytes | None]]:
    """Events, every so many of them bad in one of the ways; and the values of those."""
    sent = [record(seq, stamped=False, **GOOD) for seq in range(n)]
    bad: set[bytes | None] = set()
    for count, at in enumerate(range(1, n, round(1 / rate)) if rate else ()):
        kind = KINDS[count % len(KINDS)]
        if kind in BAD:
            sent[at] = record(at, stamped=False, **{**GOOD, **BAD[kind]})
        else:
            sent[at] = Record(b"no json %d" % at, sent[at].key)
        bad.add(sent[at].value)
    return sent, bad
