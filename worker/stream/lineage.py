"""Headers that say what made a score, and why a record is a dead letter."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.errors import Fault
from worker.graph.plan import Plan
from worker.stream.record import Record

MAX_MESSAGE_BYTES = 1_024
Headers = list[tuple[str, bytes]]
_PLACE = ("topic", "partition", "offset", "timestamp")
_BRIEF = {f"rtml-dlq-{name}" for name in (*_PLACE, "stage", "error", "attempt", "replay-of")}
_FIRST_ATTEMPT = ("rtml-dlq-attempt", b"1")
_FIRST_AT = "rtml-dlq-first-at"


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
    _ours: tuple[tuple[str, bytes], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Encodes what stands in every dead letter."""
        found = [
            ("rtml-dlq-group", self.group.encode()),
            ("rtml-dlq-service", self.service.encode()),
            ("rtml-dlq-graph", self.graph.encode()),
            ("rtml-dlq-model", self.models.encode()),
        ]
        object.__setattr__(self, "_ours", tuple(header for header in found if header[1]))

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
        original, kept = _parted(record.headers) if record.headers else ({}, [])
        now = _iso(now_ms)
        told = [
            ("rtml-dlq-topic", record.topic.encode()),
            ("rtml-dlq-partition", b"%d" % record.partition),
            ("rtml-dlq-offset", b"%d" % record.offset),
            ("rtml-dlq-timestamp", b"%d" % record.timestamp),
            *self._ours,
            ("rtml-dlq-stage", fault.stage.encode()),
            ("rtml-dlq-error", fault.error.encode()),
        ]
        if fault.message:
            told.append(("rtml-dlq-message", _bounded(fault.message)))
        if fault.node:
            told.append(("rtml-dlq-node", fault.node.encode()))
        told.append(("rtml-dlq-at", now))
        told += _repeated(original, now) if original else (_FIRST_ATTEMPT, (_FIRST_AT, now))
        if omitted:
            told.append(("rtml-dlq-omitted", ",".join(omitted).encode()))
        if brief:
            told = [header for header in told if header[0] in _BRIEF]
        return told if "headers" in omitted else kept + told


def _parted(headers: Sequence[tuple[str, bytes | None]]) -> tuple[dict[str, bytes], Headers]:
    """What an earlier dead letter said, and the other headers; the value of one may be null."""
    original = {name: value or b"" for name, value in headers if name.startswith("rtml-dlq-")}
    kept = [header for header in headers if header[0] not in original]
    return original, kept  # type: ignore[return-value]  # what is null stays null


def _repeated(original: dict[str, bytes], now: bytes) -> Headers:
    """How often it has failed by now, which letter it was, and when it was the first."""
    text = original.get("rtml-dlq-attempt", b"0")
    before = int(text) if text.isdigit() and len(text) < 10 else 0
    found = [("rtml-dlq-attempt", b"%d" % (before + 1))]
    if replay := original.get("rtml-dlq-replay-of"):
        found.append(("rtml-dlq-replay-of", replay))
    first_at = original.get(_FIRST_AT, b"").decode(errors="replace").encode()
    return [*found, (_FIRST_AT, first_at or now)]


def _bounded(message: str) -> bytes:
    told = message.encode()
    if len(told) > MAX_MESSAGE_BYTES:
        told = told[:MAX_MESSAGE_BYTES].decode(errors="ignore").encode()
    return told


@functools.lru_cache(maxsize=1)
def _iso(now_ms: int) -> bytes:
    moment = datetime.datetime.fromtimestamp(now_ms / 1_000, tz=datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
