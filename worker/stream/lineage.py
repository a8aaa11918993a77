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
_BRIEF = frozenset(
    "rtml-dlq-" + name
    for name in [
        "topic",
        "partition",
        "offset",
        "timestamp",
        "stage",
        "error",
        "attempt",
        "replay-of",
    ]
)


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
        at = _iso(now_ms)
        described = (
            ("rtml-dlq-topic", record.topic.encode()),
            ("rtml-dlq-partition", b"%d" % record.partition),
            ("rtml-dlq-offset", b"%d" % record.offset),
            ("rtml-dlq-timestamp", b"%d" % record.timestamp),
            ("rtml-dlq-group", self.group.encode()),
            ("rtml-dlq-service", self.service.encode()),
            ("rtml-dlq-graph", self.graph.encode()),
            ("rtml-dlq-node", fault.node.encode()),
            ("rtml-dlq-stage", fault.stage.encode()),
            ("rtml-dlq-error", fault.error.encode()),
            ("rtml-dlq-message", _bounded(fault.message)),
            ("rtml-dlq-model", self.models.encode()),
            ("rtml-dlq-omitted", ",".join(omitted).encode()),
            ("rtml-dlq-attempt", b"%d" % (_attempt(original) + 1)),
            ("rtml-dlq-first-at", original.get("rtml-dlq-first-at") or at),
            ("rtml-dlq-at", at),
            ("rtml-dlq-replay-of", original.get("rtml-dlq-replay-of", b"")),
        )
        kept = [header for header in record.headers if header[0] not in original]
        if "headers" in omitted:
            kept = []
        return kept + [
            header for header in described if header[1] and (not brief or header[0] in _BRIEF)
        ]


def _attempt(original: dict[str, bytes]) -> int:
    text = original.get("rtml-dlq-attempt", b"0")
    return int(text) if text.isdigit() and len(text) < 10 else 0


def _bounded(message: str) -> bytes:
    told = message.encode()
    if len(told) > MAX_MESSAGE_BYTES:
        told = told[:MAX_MESSAGE_BYTES].decode(errors="ignore").encode()
    return told


@functools.lru_cache(maxsize=1)  # all letters of a batch have the same
def _iso(now_ms: int) -> bytes:
    moment = datetime.datetime.fromtimestamp(now_ms / 1_000, tz=datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
