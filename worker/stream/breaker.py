"""A circuit breaker: whether events are scored well enough to go on. Pure: no clock, no Kafka.

Closed, it judges each batch together with those before it. Open, it rests; then it is half open: a
small batch is a probe, which closes it or lets it rest for twice as long. The words are those of
M. Nygard's "Release It!" and of resilience4j, whose window, minimum and share it has as well.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

DOUBLINGS = 5
"""How often the pause between two probes is doubled: from 10 s to some 5 min."""
MINIMA = 100
"""A window holds so many times the events that it needs: at full speed those of ten seconds are a
million, and half of them would be lost before it opens."""
_PARTS = 10


@dataclass(frozen=True, slots=True)
class Rule:
    """When a breaker opens, and for how long.

    Attributes:
        percent: of the window's events; where more of them broke, it opens. 100: never.
        min_events: that it needs to judge by, however old they are.
        window_s: how old they may be where there are more.
        cooldown_s: from opening to the first probe.
    """

    percent: int
    min_events: int
    window_s: float
    cooldown_s: float

    def broken_by(self, events: int, broken: int) -> bool:
        """Whether so many of so many are too many."""
        return 100 * broken > self.percent * events


@dataclass(slots=True)
class _Part:
    begun_s: float
    events: int = 0
    broken: int = 0


class Window:
    """How many of the latest events broke: in memory that does not grow with their number.

    Parts of it are forgotten as a whole, so it holds a few more than it is to.

    Attributes:
        events: in it.
        broken: of those.
    """

    def __init__(self, span_s: float, least: int, most: int) -> None:
        """It holds the events of so many seconds, but ``least`` at least and ``most`` at most."""
        self._span_s, self._least, self._most = span_s, least, most
        self.clear()

    def clear(self) -> None:
        """Nothing is known of any event."""
        self.events = self.broken = 0
        self._parts: deque[_Part] = deque()

    def add(self, events: int, broken: int, now_s: float) -> None:
        """The events of a batch; ``now_s`` never goes back."""
        last = self._parts[-1] if self._parts else None
        if last is None or self._is_full(last, now_s):
            last = _Part(now_s)
            self._parts.append(last)
        last.events += events
        last.broken += broken
        self.events += events
        self.broken += broken
        while self._is_over(self._parts[0], now_s):
            gone = self._parts.popleft()
            self.events -= gone.events
            self.broken -= gone.broken

    def _is_full(self, part: _Part, now_s: float) -> bool:
        aged = now_s - part.begun_s >= self._span_s / _PARTS and part.events >= self._least / _PARTS
        return aged or part.events >= self._most / _PARTS

    def _is_over(self, part: _Part, now_s: float) -> bool:
        left = self.events - part.events
        old = now_s - part.begun_s >= self._span_s
        return left >= self._most or (old and left >= self._least)


class Breaker:
    """Closed, open, or half open.

    Attributes:
        until_s: while it is open, when the next probe is due; None while it is closed.
        seen: (events, broken) for which it opened, or did not close.
    """

    def __init__(self, rule: Rule) -> None:
        self.until_s: float | None = None
        self.seen = (0, 0)
        self._rule = rule
        self._window = Window(rule.window_s, rule.min_events, MINIMA * rule.min_events)
        self._opened = 0

    def rests(self, now_s: float) -> bool:
        """Whether nothing may be tried; half open and closed it does not rest."""
        return self.until_s is not None and now_s < self.until_s

    def judge(self, events: int, broken: int, now_s: float) -> bool:
        """Whether the outcomes of a batch may be published; else it is open now.

        Args:
            events: of the batch that could be scored: not those that were dropped or rejected
                for what they are.
            broken: of those, for a reason of the graph or its models.
            now_s: on a clock that never goes back.
        """
        if self.until_s is not None:
            if not events:  # it tells nothing, and may go: it is half open still
                return True
            if self._rule.broken_by(events, broken):
                self._open(events, broken, now_s)
                return False
            self.until_s = None
        self._window.add(events, broken, now_s)
        events, broken = self._window.events, self._window.broken
        if events < self._rule.min_events:
            return True
        if self._rule.broken_by(events, broken):
            self._open(events, broken, now_s)
            return False
        self._opened = 0
        return True

    def _open(self, events: int, broken: int, now_s: float) -> None:
        self.seen = (events, broken)
        self.until_s = now_s + self._rule.cooldown_s * 2 ** min(self._opened, DOUBLINGS)
        self._opened += 1
        self._window.clear()

    def close(self) -> None:
        """Another graph, or somebody who knows: all that was seen is forgotten."""
        self.until_s = None
        self._opened = 0
        self._window.clear()
