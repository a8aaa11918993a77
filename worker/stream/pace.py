"""How large the next batch may be, and where it is scored."""

from __future__ import annotations

from collections.abc import Sequence

LONG_RUN_S = 0.005
"""What runs longer goes to a thread: ONNX Runtime releases the interpreter's lock, so that
heartbeats, fetches and acknowledgements go on."""
FIRST_BATCH_EVENTS = 16
"""Little is known of the first batch: if each event takes long, it must end all the same."""
SHRINK = 16
MAX_RUN_S = 1.0
"""A batch that takes longer is no faster, and its events wait for one another."""


class Pace:
    """Follows the batches' sizes and times.

    Attributes:
        most: events that the next batch may have; ``getmany`` knows no bytes.
    """

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events, self._max_bytes = max_events, max_bytes
        self.forget()

    def forget(self) -> None:
        """Another graph: nothing is known of it."""
        self.most = min(FIRST_BATCH_EVENTS, self._max_events)
        self._bound = self._max_events
        self._event_s: float | None = None

    def is_long(self, events: int) -> bool:
        """Whether the graph may take long with so many events, going by the last batch."""
        return self._event_s is None or self._event_s * events > LONG_RUN_S

    def note(self, values: Sequence[bytes | None], graph_s: float) -> None:
        """A batch is scored: fits the next one's events to its bytes and its time."""
        mean_bytes = max(sum(map(len, filter(None, values))) // len(values), 1)
        self._event_s = graph_s / len(values)
        in_time = int(MAX_RUN_S / self._event_s) if self._event_s else self._max_events
        self._bound = min(2 * self._bound, self._max_events)
        self.most = max(1, min(self._bound, self._max_bytes // mean_bytes, in_time))

    def shrink(self, events: int) -> None:
        """The guilty ones of so many were not found: smaller batches, each up to twice the last."""
        self._bound = max(1, events // SHRINK)
        self.most = min(self.most, self._bound)
