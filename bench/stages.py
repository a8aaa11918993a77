"""Where the microseconds of an event go: each stage beside the least that its work can cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort
from rich.console import Console

from bench import load, workloads
from bench.options import Options, Sizes
from bench.report import machine
from bench.results import FLOOR_NAME, PRODUCT_NAME, Result, keep, kept
from worker.cli.loading import load_graph
from worker.score import Timing, score

FULL, QUICK = Sizes(0, 300, 0), Sizes(0, 50, 0)
BATCH = 2_048


@dataclass(frozen=True, slots=True)
class Stage:
    """One of them, in µs of processor time for an event.

    Attributes:
        name: of the stage.
        us: what the worker takes.
        floor_us: what the least code takes that does the work on the same batch.
        floor: that code in words.
        why: what the worker does beyond it.
    """

    name: str
    us: float
    floor_us: float
    floor: str
    why: str


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of scoring; what the clients of Kafka take is the rest of the part `peers`."""

    machine: dict[str, str]
    setup: dict[str, str]
    stages: list[Stage]

    def rows(self) -> list[Stage]:
        """All stages, with Kafka's own where the peers were measured too."""
        peers = Result.read("peers")
        point = peers.points[0] if peers else None
        product, floor = (point.row(PRODUCT_NAME), point.row(FLOOR_NAME)) if point else (None, None)
        if not (product and floor and product.done and floor.done):
            return self.stages
        scoring = sum(one.us for one in self.stages)
        rest = product.median("cpu_us_per_event") - scoring
        passing = "a bare pass-through on the same client"
        why = "lineage headers, counts, lanes, the frontier, queues between the tasks"
        kafka = Stage(
            "consume, produce, commit", rest, floor.median("cpu_us_per_event"), passing, why
        )
        return [kafka, *self.stages]

    def show(self, console: Console) -> None:
        """Prints them."""
        for one in self.rows():
            console.print(f"{one.name}: {one.us:.2f} µs, floor {one.floor_us:.2f} ({one.floor})")

    def write(self) -> Path:
        """Keeps them."""
        return keep("stages", asdict(self))

    @classmethod
    def read(cls) -> Stages | None:
        """What the last call found, if there was one."""
        found = kept("stages")
        if found is None:
            return None
        return cls(**{**found, "stages": [Stage(**one) for one in found["stages"]]})


def run(options: Options) -> Stages:
    """Measures the smallest workload in this process; a stage and its floor take turns."""
    sizes, where = options.sizes(FULL, QUICK), machine()
    workload = workloads.lr()
    plan = load_graph(workload.graph, threads=1).plan
    values = [event.value for event in workload.events(BATCH)]
    decoding, model, encoding = _floors(values, workload)
    best = dict.fromkeys(("decode", "model", "encode", "decoding", "running", "writing"), np.inf)
    for i in range(sizes.rounds):
        options.say(f"round {i + 1}")
        timing = Timing()
        score(plan, values, time.process_time, timing)
        found = {"decode": timing.decode, "encode": timing.encode}
        found["model"] = sum(timing.nodes.values())
        calls = {"decoding": decoding, "running": model, "writing": encoding}
        found |= {name: _timed(call) for name, call in calls.items()}
        best = {name: min(best[name], found[name]) for name in best}
    us = {name: 1e6 * seconds / BATCH for name, seconds in best.items()}
    return Stages(
        where,
        {"batch": f"{BATCH:,} events of 165 bytes, the best of {sizes.rounds} rounds"},
        [
            Stage(
                "decode and check",
                us["decode"],
                us["decoding"],
                "msgspec, of the 10 numbers only, and one array of them",
                "checks the other declared fields and UTF-8, looks for fields that the sink writes,"
                " makes a column of each field",
            ),
            Stage(
                "model",
                us["model"],
                us["running"],
                "ONNX Runtime on a matrix that is there",
                "makes the matrix of the columns, looks for what is not finite on both sides",
            ),
            Stage(
                "encode",
                us["encode"],
                us["writing"],
                "numbers formatted in bulk, bytes put together",
                "looks at each event's last byte, and for what is not finite",
            ),
        ],
    )


def _floors(
    values: list[bytes], workload: workloads.Workload
) -> tuple[Callable[[], Any], Callable[[], Any], Callable[[], Any]]:
    """The least code for decoding, for the model and for encoding."""
    names = load.names(load.COLUMNS)
    event = msgspec.defstruct("Event", [(name, float) for name in names], gc=False)
    decode = msgspec.json.Decoder(event).decode
    numbers = attrgetter(*names)
    inputs = workload.inputs(len(values))
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(workload.model, options, providers=["CPUExecutionProvider"])
    feed, output = session.get_inputs()[0].name, session.get_outputs()[-1].name
    scores = session.run([output], {feed: inputs})[0][:, 1]
    lines = msgspec.json.Encoder().encode_lines

    def decoding() -> Any:
        rows = map(numbers, map(decode, values))
        return np.fromiter(chain.from_iterable(rows), np.float32, inputs.size).reshape(inputs.shape)

    def writing() -> Any:
        texts = lines(scores.tolist()).split(b"\n")
        return [b'%b,"risk":%b}' % pair for pair in zip((v[:-1] for v in values), texts)]  # noqa: B905 - the last line is empty

    return decoding, lambda: session.run([output], {feed: inputs}), writing


def _timed(call: Callable[[], Any]) -> float:
    begun_s = time.process_time()
    call()
    return time.process_time() - begun_s
