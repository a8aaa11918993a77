"""Whether the output is right: every event once, and the scores those of ONNX Runtime itself."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime as ort
from confluent_kafka import Message

from bench import load
from bench.product import GRAPH
from bench.topics import DEAD, SCORED, Reader

CHECK_EVERY = 100
LINEAGE = ["rtml-service", "rtml-graph", "rtml-model"]


def check(brokers: str, events: list[load.Event]) -> None:
    """Compares the scored topic and the dead letters with the load.

    Raises:
        RuntimeError: an event is missing, doubled or changed, or a score differs by one bit.
    """
    sample: dict[int, Message] = {}
    scored: list[int] = []
    with Reader(brokers) as reader:
        for message in reader.read(SCORED):
            number = load.number_of(message)
            scored.append(number)
            if number % CHECK_EVERY == 0:
                sample[number] = message
        dead = [load.number_of(message) for message in reader.read(DEAD)]
    for found, bad in ((scored, False), (dead, True)):
        wanted = [number for number in range(len(events)) if load.is_bad(number) == bad]
        if sorted(found) != wanted:
            kind = "dead letters" if bad else "scored records"
            raise RuntimeError(f"{len(found)} {kind} of {len(wanted)}, or not each event once")
    _compare(sample, events)


def _compare(sample: dict[int, Message], events: list[load.Event]) -> None:
    numbers = sorted(sample)
    session = ort.InferenceSession(GRAPH.parent / "model.onnx", providers=["CPUExecutionProvider"])
    rows = load.features(len(events))[numbers]
    expected = session.run(["probabilities"], {"features": rows})[0][:, 1]
    for number, risk in zip(numbers, expected, strict=True):
        message, event = sample[number], events[number]
        value = message.value() or b""
        if np.float32(json.loads(value)["risk"]).tobytes() != risk.tobytes():
            raise RuntimeError(f"event {number}: {value!r}, but ONNX Runtime gives {risk}")
        headers = list(message.headers() or [])
        kept = message.key() == event.key and value.startswith(event.value[:-1])
        if not kept or headers[:-3] != event.headers or [h[0] for h in headers[-3:]] != LINEAGE:
            raise RuntimeError(f"event {number} is changed: {message.key()!r} {headers} {value!r}")
