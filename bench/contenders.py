"""Who is measured: the product, its floor, and what a user would pick instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bench.peers import environments
from bench.topics import EVENTS, PASSED_ON, SCORED
from bench.workloads import Workload
from worker.stream.tools.bench.throughput import WARM_UP


class Job(NamedTuple):
    """What a contender is given to do."""

    brokers: str
    group: str
    sink: str
    workload: Workload

    @property
    def arguments(self) -> list[str]:
        """The command line that all peers share."""
        return [self.brokers, self.group, EVENTS, self.sink, str(self.workload.model)]


@dataclass(frozen=True, slots=True)
class Contender:
    """One of them.

    Attributes:
        name: what options and results call it.
        title: what tables call it.
        command: what starts it.
        sink: the topic it writes to.
        share: the part of the load it is given; slow ones would take minutes for all of it.
        scores: a pass-through does not.
        warm_up: the part of its output that is not timed.
    """

    name: str
    title: str
    command: Callable[[Job], list[str]]
    sink: str
    share: float = 1.0
    scores: bool = True
    warm_up: float = WARM_UP


def product(replicas: int = 1) -> Contender:
    """The worker as its users start it; everything that is not named has its default."""

    def command(job: Job) -> list[str]:
        options = ["--brokers", job.brokers, "--group", job.group, "--http-port", "0"]
        options += ["--replicas", str(replicas)] if replicas > 1 else []
        return [sys.executable, "-m", "worker", "run", str(job.workload.graph), *options]

    if replicas == 1:
        return Contender("product", "rtml", command, SCORED)
    # They start one after the other, and share the partitions only then.
    return Contender("product", f"rtml, {replicas} replicas", command, SCORED, warm_up=0.3)


def _ours(module: str) -> Callable[[Job], list[str]]:
    """A peer that needs no more than the project does."""
    return lambda job: [sys.executable, "-m", module, *job.arguments]


def _theirs(name: str) -> Callable[[Job], list[str]]:
    def command(job: Job) -> list[str]:
        return [str(environments.python(name)), "-m", f"bench.peers.{name}", *job.arguments]

    return command


def _kafka_streams(job: Job) -> list[str]:
    java, classes = environments.java_classes("kafka-streams")
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return [str(java), "-Xmx1g", quiet, "-cp", classes, "ScoringStream", *job.arguments]


FLOOR = Contender(
    "floor",
    "aiokafka pass-through, overlapped (the floor)",
    _ours("worker.stream.tools.bench.floor"),
    PASSED_ON,
    scores=False,
)
PRODUCT = product()
PEERS = (
    Contender(
        "one-batch",
        "aiokafka pass-through, one batch at a time",
        _ours("bench.peers.one_batch"),
        "bench-one-batch",
        scores=False,
    ),
    Contender("bytewax", "bytewax, batch map", _theirs("bytewax_flow"), "bench-bytewax", 0.5),
    Contender(
        "kafka-streams",
        "Kafka Streams + ONNX Runtime (Java), one thread",
        _kafka_streams,
        "bench-kafka-streams",
        warm_up=0.5,  # Java's second compiler needs seconds
    ),
    Contender("pathway", "pathway, batched UDF", _theirs("pathway_table"), "bench-pathway", 0.25),
    Contender("quix", "Quix Streams", _theirs("quix"), "bench-quix", 0.25),
    Contender(
        "event-loop",
        "a loop per event, aiokafka + onnxruntime",
        _ours("bench.peers.event_loop"),
        "bench-event-loop",
        0.25,
    ),
    Contender("storey", "storey (MLRun)", _theirs("storey_flow"), "bench-storey", 0.05),
    Contender("faust", "faust agent", _theirs("faust_agent"), "bench-faust", 0.05),
)
EVERY = (FLOOR, PRODUCT, *PEERS)
