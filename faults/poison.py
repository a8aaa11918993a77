"""Poison among good events, at growing rates: what the good ones pay for the bad ones."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

import psutil

from faults.finding import Finding, counts, is_clean
from faults.payload import check, record
from faults.stage import PATIENCE_S, Stage, slack, stretched
from tests.kafka.client import Record, produce
from tests.kafka.service import MODEL, SCORE, Service
from tests.kafka.verdict import Verdict

RATES = (0.001, 0.01, 0.1, 0.5)
KINDS = ("decode", "validate", "node", "NaN score")
SPEED_AT, SPEED = 0.01, 0.95
ROUNDS, FEW_ROUNDS = 32, 2
"""Of a load with bad events after one without, where the speed is asked for and where it is not.

What an event costs differs by up to 1.9 from load to load, by what the host does elsewhere, for
seconds or for minutes. Loads that follow one another are compared, and the median of that is told:
over windows of 16 rounds it had a standard deviation of 0.03, the ratio of first quartiles 0.12.
"""
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
class _Part:
    """One load, scored from its beginning by a worker that is warm and has nothing to wait for."""

    events_per_s: float
    cpu_us: float
    stall_s: float


@dataclass(frozen=True, slots=True)
class _Run:
    """Loads of one worker by turns, without bad events and with them: its own clean speed."""

    verdict: Verdict
    bad: int
    buried: int
    parts: list[_Part] = field(default_factory=list)


def run(stage: Stage) -> Iterator[Finding]:
    """Each rate, beside clean loads for comparison."""
    for rate in (0.1,) if stage.quick else RATES:
        stage.say(f"{rate:.1%}")
        rounds = 1 if stage.quick else ROUNDS if rate == SPEED_AT else FEW_ROUNDS
        yield _told(stage, rate, _play(stage, rate, rounds), rounds)


def _told(stage: Stage, rate: float, one: _Run, rounds: int) -> Finding:
    most_s, told = stretched(STALL_S)
    wanted = f"dead letters = bad, lost 0, stall <= {told}"
    least = 0.0
    if rate == SPEED_AT and not stage.quick:
        shared = slack() > 1.0
        least = SHARED_SPEED if shared else SPEED
        wanted += f", by processor time >= {least}" + (f" ({SPEED}, alone)" if shared else "")
    figure = f"{counts(one.verdict)}, dead letters {one.buried:,}/{one.bad:,} bad"
    passed = is_clean(one.verdict) and one.buried == one.bad
    if one.parts:
        clean, poisoned = one.parts[::2], one.parts[1::2]
        rates = [statistics.median(part.events_per_s for part in of) for of in (clean, poisoned)]
        costs = [statistics.median(part.cpu_us for part in of) for of in (clean, poisoned)]
        pairs = zip(clean, poisoned, strict=True)
        speed = statistics.median(before.cpu_us / part.cpu_us for before, part in pairs)
        stall_s = max(part.stall_s for part in poisoned)
        figure += (
            f", good events at {rates[1] / rates[0]:.2f} of the clean rate ({rates[1]:,.0f}/s, "
            f"medians), by processor time {speed:.2f} (of one load to the next, median; "
            f"{costs[0]:.1f} and {costs[1]:.1f} us each), longest stall {stall_s:.2f} s"
        )
        passed = passed and stall_s <= most_s and speed >= least
    done = (
        f"{rate:.1%} of the events bad, by turns {', '.join(KINDS)}, and clean loads, "
        f"{rounds} of each by one worker"
    )
    return Finding("poison", done, figure, wanted, passed)


def _play(stage: Stage, rate: float, rounds: int) -> _Run:
    service = stage.service(
        nodes=NODES,
        source={"schema": SCHEMA},
        sink={"fields": ["score"]},
        sink_config={"message.timestamp.type": "LogAppendTime"},
        models={"nan.onnx": MODEL.with_name("nan.onnx").read_bytes()},
    )
    n = stage.size(20_000, 6_000)
    loads = [_load(i * n, n, rate if i % 2 else 0.0) for i in range(2 * rounds)]
    sent = [record for load, _ in loads for record in load]
    bad = set[bytes | None]().union(*(of_load for _, of_load in loads))
    with service.worker(environment=NO_BREAKER) as worker:
        worker.wait_ready(PATIENCE_S)
        used_s = [_scored(service, worker.process.pid, load) for load, _ in loads]
        worker.terminate()
    scored, dead = service.scored(), service.dead_letters()
    buried = len(bad.intersection(one.value for one in dead))
    if len(dead) != len(bad):
        buried = -len(dead)
    found = _Run(check(sent, scored, dead), len(bad), buried)
    if len(scored) == len(sent) - len(bad):  # else it is not known which load an event is of
        stamps = iter(sorted(one.timestamp_ms or 0 for one in scored))
        for (_, of_load), cpu_s in zip(loads, used_s, strict=True):
            found.parts.append(_part(list(islice(stamps, n - len(of_load))), cpu_s))
    return found


def _scored(service: Service, pid: int, load: list[Record]) -> float:
    """The processor time in seconds that a load takes."""
    process = psutil.Process(pid)
    process.suspend()  # else it takes what comes in small batches
    try:
        produce(service.bootstrap, service.source, load)
        before_s = _used_s(pid)
    finally:
        process.resume()
    service.settled(timeout_s=PATIENCE_S)
    return _used_s(pid) - before_s


def _used_s(pid: int) -> float:
    """Of a process; ``/proc`` tells it in steps of 10 ms, a tenth of what a load takes.

    The number of the clock is what clock_getcpuclockid(3) gives for the process on Linux.
    """
    return time.clock_gettime(~pid << 3 | 2)


def _part(stamps: list[int], cpu_s: float) -> _Part:
    rest = stamps[len(stamps) // 10 :]
    return _Part(
        len(rest) * 1_000 / max(1, rest[-1] - rest[0]),
        1e6 * cpu_s / len(stamps),
        max(b - a for a, b in pairwise(stamps)) / 1_000,
    )


def _load(first: int, n: int, rate: float) -> tuple[list[Record], set[bytes | None]]:
    """Events, every so many of them bad in one of the ways; and the values of those."""
    sent = [record(seq, stamped=False, **GOOD) for seq in range(first, first + n)]
    bad: set[bytes | None] = set()
    for count, at in enumerate(range(1, n, round(1 / rate)) if rate else ()):
        kind = KINDS[count % len(KINDS)]
        if kind in BAD:
            sent[at] = record(first + at, stamped=False, **{**GOOD, **BAD[kind]})
        else:
            sent[at] = Record(b"no json %d" % (first + at), sent[at].key)
        bad.add(sent[at].value)
    return sent, bad
