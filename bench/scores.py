"""Whether the output is right: every event once, and the scores those of ONNX Runtime itself."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from confluent_kafka import Message

from bench import load
from bench.contenders import PRODUCT, Contender
from bench.load import Features
from bench.topics import DEAD, Reader
from bench.workloads import Workload

CHECK_EVERY = 100
TOLERANCE = 1e-5
"""Of peers, and of scores that are not `Workload.exact`: sums depend on the size of a batch."""
LINEAGE = ["rtml-service", "rtml-graph", "rtml-model"]


@dataclass(frozen=True, slots=True)
class Output:
    """What a contender wrote.

    Attributes:
        numbers: of the events, in the order of reading.
        stamps_ms: ``(n,)``, when the broker appended them.
        sample: some of the records, by number.
        dead: numbers of the events that became dead letters.
    """

    numbers: list[int]
    stamps_ms: npt.NDArray[np.int64]
    sample: dict[int, Message]
    dead: list[int]


def read(brokers: str, contender: Contender, n: int | None = None) -> Output:
    """All of it, each record once; ``n`` records where transactions' markers are among them."""
    numbers: list[int] = []
    stamps_ms: list[int] = []
    sample: dict[int, Message] = {}
    dead: list[int] = []
    with Reader(brokers) as reader:
        for message in reader.read(contender.sink, n):
            number = load.number_of(message)
            numbers.append(number)
            stamps_ms.append(message.timestamp()[1])
            if number % CHECK_EVERY == 0:
                sample[number] = message
        if contender.name == PRODUCT.name:
            dead = [load.number_of(message) for message in reader.read(DEAD)]
    return Output(numbers, np.array(stamps_ms), sample, dead)


def check(
    output: Output, contender: Contender, workload: Workload, events: list[load.Event]
) -> None:
    """Compares what a contender wrote with the load.

    Raises:
        RuntimeError: an event is missing, doubled or changed, or a score is another one.
    """
    faulty = workload.faulty and contender.scores
    bad = {event.number for event in events if faulty and load.is_bad(event.number)}
    _each_once("records", output.numbers, {event.number for event in events} - bad)
    _each_once("dead letters", output.dead, bad)
    if contender.scores:
        _compare(output.sample, events, contender, workload)


def _each_once(what: str, found: list[int], wanted: set[int]) -> None:
    times = Counter(found)
    missing, doubled = len(wanted - set(times)), len(found) - len(times)
    if missing or doubled or len(found) != len(wanted):
        raise RuntimeError(f"{missing} {what} lost and {doubled} doubled of {len(wanted)}")


def _compare(
    sample: dict[int, Message], events: list[load.Event], contender: Contender, workload: Workload
) -> None:
    numbers = sorted(sample)
    expected = _scores(workload, workload.inputs(len(events))[numbers])
    is_product = contender.name == PRODUCT.name
    tolerance = 0.0 if workload.exact and is_product else TOLERANCE
    for number, score in zip(numbers, expected, strict=True):
        message, event = sample[number], events[number]
        value = message.value() or b""
        found = np.array(json.loads(value)[workload.field], dtype=np.float32)
        if not np.allclose(found, score, rtol=tolerance, atol=tolerance):
            raise RuntimeError(f"event {number}: {value!r}, but ONNX Runtime gives {score}")
        if is_product:
            _is_kept(message, value, event, workload)


def _scores(workload: Workload, rows: Features) -> Features:
    session = ort.InferenceSession(workload.model, providers=["CPUExecutionProvider"])
    output = session.get_outputs()[-1].name
    found: Features = session.run([output], {session.get_inputs()[0].name: rows})[0]
    return found[:, 1] if found.shape[1] == 2 else found


def _is_kept(message: Message, value: bytes, event: load.Event, workload: Workload) -> None:
    """The product alone promises the event's own bytes, its key, and headers with the lineage."""
    headers = list(message.headers() or [])
    added = [] if workload.field in json.loads(event.value) else [event.value[:-1]]
    kept = message.key() == event.key and all(map(value.startswith, added))
    if not kept or headers[:-3] != event.headers or [h[0] for h in headers[-3:]] != LINEAGE:
        raise RuntimeError(
            f"event {event.number} is changed: {message.key()!r} {headers} {value!r}"
        )
