"""Models that take half a minute on some event, or never return: the group must not notice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from faults.finding import Finding, counts, is_clean
from faults.payload import check, record
from faults.stage import PARTITIONS, PATIENCE_S, Stage, stretched
from tests.kafka.client import Record
from tests.kafka.feeder import Feeder
from tests.kafka.reading import Reader
from tests.kafka.service import MODEL, SCORE
from tests.kafka.verdict import Verdict

PER_S, LOAD_S = 200, 15
HOSTILE = 5_000
"""A feature above 1,000 makes the tests' model loop."""
TRIAL_TURNS = 200_000
MARGIN_S = 10.0


def run(stage: Stage) -> Iterator[Finding]:
    """One that is slow within its limit, and one that knows no end."""
    yield _slow(stage, stage.size(30, 6))
    yield _endless(stage, limit_s=3.0)


def _slow(stage: Stage, seconds: int) -> Finding:
    stage.say(f"a model that takes {seconds} s")
    limit_s = 4.0 * seconds
    verdict, dead, rebalances, code, stall_s = _play(stage, _turning(_turns(seconds)), 1, limit_s)
    return Finding(
        "models",
        f"{stage.pace(PER_S)} events/s, a model that takes about {seconds} s on one of them, "
        f"within its limit of {limit_s:g} s",
        f"{counts(verdict)}, dead letters {len(dead)}, rebalances {rebalances}, exit {code}, "
        f"longest stall of a partition {stall_s:.1f} s",
        "lost 0, duplicated 0, dead letters 0, rebalances 0, exit 0",
        is_clean(verdict) and not dead and not rebalances and code == 0,
    )


def _endless(stage: Stage, limit_s: float) -> Finding:
    stage.say("a model that never returns")
    verdict, dead, rebalances, code, stall_s = _play(stage, _turning(2**62), 2, limit_s)
    late = sum(error == b"ModelTimeout" for error in dead)
    most_s, most = stretched(limit_s + MARGIN_S)
    return Finding(
        "models",
        f"{stage.pace(PER_S)} events/s, a model that never returns on 2 of them, "
        f"limit {limit_s:g} s",
        f"{counts(verdict)}, dead letters as ModelTimeout {late}/2 of {len(dead)}, rebalances "
        f"{rebalances}, exit {code}, longest stall of a partition {stall_s:.1f} s",
        f"lost 0, duplicated 0, 2 dead letters, rebalances 0, exit 0, stall <= {most}",
        is_clean(verdict)
        and late == len(dead) == 2
        and not rebalances
        and code == 0
        and stall_s <= most_s,
    )


def _play(
    stage: Stage, model: bytes, hostile: int, limit_s: float
) -> tuple[Verdict, list[bytes | None], int, int, float]:
    """The verdict, the errors of dead letters, rebalances, the exit code, the longest stall."""
    params = {"model": "turning.onnx", "features": ["f0"], "outputs": {"same": "Y"}}
    service = stage.service(
        nodes=[SCORE, {"id": "model", "type": "ONNXNode", "params": params}],
        sink={"fields": ["score"]},
        models={"turning.onnx": model},
    )
    sent: list[Record] = [record(seq) for seq in range(stage.pace(PER_S) * LOAD_S)]
    for count in range(1, hostile + 1):
        at = count * len(sent) // (hostile + 2)
        sent[at] = record(at, f0=HOSTILE)
    terms = {**stage.short_session, "RTML_MODEL_TIMEOUT_MS": str(int(limit_s * 1_000))}
    with (
        service.worker(environment=terms) as worker,
        Reader(stage.bootstrap, service.sink, PARTITIONS) as reader,
    ):
        worker.wait_ready(PATIENCE_S)
        with Feeder(stage.bootstrap, service.source, sent, stage.pace(PER_S)):
            pass
        service.settled(timeout_s=PATIENCE_S)
        rebalances = len(worker.log_events("partitions_assigned")) - 1
        code = worker.terminate()
        scored, dead = service.scored(), service.dead_letters()
    errors = [one.header("rtml-dlq-error") for one in dead]
    return check(sent, scored, dead), errors, rebalances, code, reader.stall_s()


def _turning(turns: int) -> bytes:
    """The tests' model that loops on some events, with so many turns."""
    model = onnx.load(MODEL.with_name("endless.onnx"))
    for constant in model.graph.initializer:
        if constant.name == "for_ever":
            constant.CopyFrom(numpy_helper.from_array(np.array(turns), constant.name))
    return bytes(model.SerializeToString())


def _turns(seconds: float) -> int:
    """How many turns take so long, by this machine's pace now."""
    session = onnxruntime.InferenceSession(_turning(TRIAL_TURNS))
    began_s = time.perf_counter()
    session.run(None, {"X": np.full((2, 1), HOSTILE, dtype=np.float32)})
    return int(TRIAL_TURNS * seconds / (time.perf_counter() - began_s))
