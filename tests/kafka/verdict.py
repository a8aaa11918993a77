"""The checker: what became of every event that was sent, told by the records in Kafka alone."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from tests.kafka.client import Record, Stored
from tests.kafka.service import MODEL

START_MS = 1_700_000_000_000
KEYS = 101
Lane = tuple[str, int, bytes | None]
"""Topic, partition and key: within a lane the order is kept."""


def event(seq: int) -> bytes:
    """The value of one event; ``seq`` is passed on, the other two are scored."""
    return b'{"seq": %d, "f0": %.6f, "f1": %.6f}' % (seq, math.sin(seq), math.cos(3 * seq))


def events(n: int, start: int = 0) -> list[Record]:
    """Records of ``n`` numbered events, a millisecond apart, with one of `KEYS` keys each."""
    return [
        Record(event(seq), b"key-%d" % (seq % KEYS), timestamp_ms=START_MS + seq)
        for seq in range(start, start + n)
    ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many of ``sent`` events went wrong, by kind.

    Attributes:
        sent: the events.
        lost: neither scored nor a dead letter.
        duplicated: records beyond the first of their event.
        reordered: first copies that come before an earlier event of their key.
        altered: records whose key, timestamp or bytes are not what they should be.
    """

    sent: int
    lost: int
    duplicated: int
    reordered: int
    altered: int

    def __str__(self) -> str:
        return (
            f"of {self.sent} events: {self.lost} lost, {self.duplicated} duplicated, "
            f"{self.reordered} reordered, {self.altered} altered"
        )


def judge(
    sent: Sequence[Record],
    scored: Iterable[Stored],
    dead: Iterable[Stored] = (),
    models: Sequence[Path] = (MODEL,),
) -> Verdict:
    """What `compare` finds, printed."""
    verdict = compare(sent, scored, dead, models)
    print(verdict)
    return verdict


def compare(
    sent: Sequence[Record],
    scored: Iterable[Stored],
    dead: Iterable[Stored] = (),
    models: Sequence[Path] = (MODEL,),
) -> Verdict:
    """Compare what was sent, each value a different one, with what is there.

    A score must be what the model gives that the record's own header names.
    """
    places = {record.value: index for index, record in enumerate(sent)}
    scores = {_sha256(model): _scores(sent, model) for model in models}
    only = next(iter(scores)) if len(scores) == 1 else b""
    altered = 0
    found: list[tuple[Lane, int]] = []
    for record in scored:
        original, score = _parted(record.value)
        index = places.get(original)
        by = scores.get(only or (record.header("rtml-model") or b"").rpartition(b":")[2])
        if index is None or by is None or score != by[index] or _moved(sent[index], record):
            altered += 1
        if index is not None:
            found.append(((record.topic, record.partition, record.key), index))
    copies = Counter(index for _, index in found)
    for record in dead:
        index = places.get(record.value)
        if index is None or _moved(sent[index], record):
            altered += 1
        if index is not None:
            copies[index] += 1
    return Verdict(
        sent=len(sent),
        lost=len(sent) - len(copies),
        duplicated=copies.total() - len(copies),
        reordered=_reordered(found),
        altered=altered,
    )


def _reordered(found: Iterable[tuple[Lane, int]]) -> int:
    latest: dict[Lane, int] = {}
    seen: set[int] = set()
    reordered = 0
    for lane, index in found:
        if index in seen:
            continue
        seen.add(index)
        reordered += index < latest.get(lane, -1)
        latest[lane] = max(index, latest.get(lane, -1))
    return reordered


def _moved(sent: Record, found: Stored) -> bool:
    """Whether a record has not its event's key, timestamp and, before ours, headers."""
    stamp = sent.timestamp_ms
    kept = found.headers[: len(sent.headers)]
    return (
        found.key != sent.key
        or (stamp is not None and found.timestamp_ms != stamp)
        or kept != sent.headers
    )


def _parted(value: bytes | None) -> tuple[bytes | None, float | None]:
    """The event in a scored value, its bytes untouched up to the closing brace, and the score."""
    head, found, tail = (value or b"").rpartition(b',"score":')
    if not found or not tail.endswith(b"}"):
        return None, None
    return head + b"}", float(tail[:-1])


def _sha256(model: Path) -> bytes:
    """The first 12 hex digits, as headers have them."""
    return hashlib.sha256(model.read_bytes()).hexdigest()[:12].encode()


def _scores(sent: Sequence[Record], model: Path) -> list[float | None]:
    """What ONNX Runtime by itself gives for each event; None for an event that has no score."""
    rows: list[list[float]] = []
    places: list[int] = []
    for index, record in enumerate(sent):
        try:
            data = json.loads(record.value or b"")
            rows.append([float(data["f0"]), float(data["f1"])])
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        places.append(index)
    # A row more, so that there are two: a single one takes another kernel with other last bits.
    with np.errstate(over="ignore"):  # a number beyond float32 is a bad event
        given = np.array([*rows, [0.0, 0.0]], dtype=np.float32)
    found = onnxruntime.InferenceSession(model).run(["probabilities"], {"X": given})[0][:-1, 1]
    scores: list[float | None] = [None] * len(sent)
    for place, score in zip(places, found.tolist(), strict=True):
        scores[place] = score
    return scores
