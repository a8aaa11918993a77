"""Headers that say what made a score, and why a record is a dead letter."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Sequence
from dataclasses import dataclass

from worker.errors import Fault
from worker.graph.plan import Plan
from worker.stream.record import Record

MAX_MESSAGE_BYTES = 1_024
Headers = list[tuple[str, bytes]]
_PLACE = ("topic", "partition", "offset", "timestamp")
_BRIEF = {f"rtml-dlq-{name}" for name in (*_PLACE, "stage", "error", "attempt", "replay-of")}
_FIRST_ATTEMPT: Headers = [("rtml-dlq-attempt", b"1")]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What one service stamps on its records.

    Attributes:
        service: its id.
        group: its consumer group.
        graph: 12 hex digits of the graph's digest.
        models: ``name:12 hex`` of each model, comma separated.
    """

    service: str
    group: str
    graph: str
    models: str

    @classmethod
    def of(cls, plan: Plan, service: str, group: str) -> Lineage:
        """The lineage of a plan that is served under that id in ``group``."""
        models = ",".join(f"{name}:{sha256[:12]}" for name, sha256 in plan.models.items())
        return cls(service, group, plan.digest[:12], models)

    def scored(self) -> Headers:
        """The headers of every scored record: one list, shared by all of them."""
        found = [("rtml-service", self.service.encode()), ("rtml-graph", self.graph.encode())]
        return [*found, ("rtml-model", self.models.encode())] if self.models else found

    def dead_letter(
        self,
        record: Record,
        fault: Fault,
        now_ms: int,
        *,
        brief: bool = False,
        omitted: Sequence[str] = (),
    ) -> Headers:
        """The original headers, then where the record came from and why it is here.

        ``brief`` leaves out what can be looked up elsewhere, for a record that fits just so;
        ``omitted`` names the parts of a record that is too large for that as well.
        """
        # The value of a header may be null.
        original = {n: v or b"" for n, v in record.headers if n.startswith("rtml-dlq-")}
        if "headers" in omitted:
            kept: Headers = []
        else:
            kept = [header for header in record.headers if header[0] not in original]
        told = [
            *_of_batch(self, record.topic, record.partition, now_ms),
            ("rtml-dlq-offset", b"%d" % record.offset),
            ("rtml-dlq-timestamp", b"%d" % record.timestamp),
            ("rtml-dlq-stage", fault.stage.encode()),
            ("rtml-dlq-error", fault.error.encode()),
        ]
        if fault.message:
            told.append(("rtml-dlq-message", _bounded(fault.message)))
        if fault.node:
            told.append(("rtml-dlq-node", fault.node.encode()))
        told += _repeated(original) if original else _FIRST_ATTEMPT
        first_at = original.get("rtml-dlq-first-at", b"").decode(errors="replace").encode()
        told.append(("rtml-dlq-first-at", first_at or _iso(now_ms)))
        if omitted:
            told.append(("rtml-dlq-omitted", ",".join(omitted).encode()))
        if brief:
            told = [header for header in told if header[0] in _BRIEF]
        return kept + told


@functools.lru_cache(maxsize=8)  # the same for all letters of a batch and partition
def _of_batch(
    lineage: Lineage, topic: str, partition: int, now_ms: int
) -> tuple[tuple[str, bytes], ...]:
    found = [
        ("rtml-dlq-topic", topic.encode()),
        ("rtml-dlq-partition", b"%d" % partition),
        ("rtml-dlq-group", lineage.group.encode()),
        ("rtml-dlq-service", lineage.service.encode()),
        ("rtml-dlq-graph", lineage.graph.encode()),
        ("rtml-dlq-model", lineage.models.encode()),
        ("rtml-dlq-at", _iso(now_ms)),
    ]
    return tuple(header for header in found if header[1])


def _repeated(original: dict[str, bytes]) -> Headers:
    """How often it has failed by now, and which letter it was."""
    text = original.get("rtml-dlq-attempt", b"0")
    before = int(text) if text.isdigit() and len(text) < 10 else 0
    found = [("rtml-dlq-attempt", b"%d" % (before + 1))]
    replay = original.get("rtml-dlq-replay-of")
    return [*found, ("rtml-dlq-replay-of", replay)] if replay else found


def _bounded(message: str) -> bytes:
    told = message.encode()
    if len(told) > MAX_MESSAGE_BYTES:
        told = told[:MAX_MESSAGE_BYTES].decode(errors="ignore").encode()
    return told


@functools.lru_cache(maxsize=1)
def _iso(now_ms: int) -> bytes:
    moment = datetime.datetime.fromtimestamp(now_ms / 1_000, tz=datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
