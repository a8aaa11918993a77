"""What is sent through a worker under fault: events that carry their key, number and digest."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.kafka.client import Record, Stored
from tests.kafka.service import MODEL
from tests.kafka.verdict import KEYS, START_MS, Verdict, compare

_SEALED = re.compile(rb'\{(.*), "sha256": "([0-9a-f]{64})"(?=[,}])', re.DOTALL)


def event(seq: int, key: str, **more: Any) -> bytes:
    """The value of one event: key, number, two features, what else is said, and the SHA-256."""
    features = {"f0": round(math.sin(seq), 6), "f1": round(math.cos(3 * seq), 6)}
    body = json.dumps({"key": key, "seq": seq, **features, **more})[1:-1].encode()
    return b'{%s, "sha256": "%s"}' % (body, hashlib.sha256(body).hexdigest().encode())


def record(seq: int, *, stamped: bool = True, **more: Any) -> Record:
    """One event as it is sent, with one of `KEYS` keys, stamped by us or by Kafka."""
    key = f"key-{seq % KEYS}"
    stamp = START_MS + seq if stamped else None
    return Record(event(seq, key, **more), key.encode(), timestamp_ms=stamp)


def events(n: int) -> list[Record]:
    """``n`` numbered events, a millisecond apart."""
    return [record(seq) for seq in range(n)]


def is_whole(found: Stored) -> bool:
    """Whether a scored record holds an event of ours under its own key, told by itself alone."""
    sealed = _SEALED.match(found.value or b"")
    if sealed is None or hashlib.sha256(sealed[1]).hexdigest().encode() != sealed[2]:
        return False
    key: str = json.loads(b"{%s}" % sealed[1])["key"]
    return key.encode() == found.key


def check(
    sent: Sequence[Record],
    scored: Iterable[Stored],
    dead: Iterable[Stored] = (),
    models: Sequence[Path] = (MODEL,),
) -> Verdict:
    """The verdict of the records in Kafka; what is altered is told in two ways, the worse counts.

    By comparison with what was sent, score included, and by each record's own digest.
    """
    scored = list(scored)
    verdict = compare(sent, scored, dead, models)
    broken = sum(not is_whole(one) for one in scored)
    return replace(verdict, altered=max(verdict.altered, broken))
