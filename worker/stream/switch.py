"""The circuit breaker of a service at work: fed with outcomes, told in log, metrics and words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import structlog

from worker.codec.outcome import Outcomes
from worker.errors import Fault
from worker.graph.run import MODEL_FAILED, MODEL_TIMEOUT, NODE_ERROR
from worker.settings import Settings
from worker.stream.breaker import Breaker, Rule
from worker.stream.meter import Meter

log = structlog.get_logger(__name__)

PROBE_EVENTS = 16
"""Enough to tell a broken model from one broken event, and few to bisect."""
BROKEN = frozenset({NODE_ERROR, MODEL_FAILED, MODEL_TIMEOUT, "NotFinite"})
"""Errors for which the graph or a model is to blame; all others are about an event's values."""


class Switch:
    """Says whether a batch may be published, and how much may be read.

    Attributes:
        reason: why events do not flow; empty while they do.
    """

    def __init__(
        self,
        settings: Settings,
        meter: Meter,
        turned: Callable[[], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``turned`` is called when it has opened or closed."""
        self.reason = ""
        self._breaker = Breaker(
            Rule(
                settings.breaker_failure_percent,
                settings.breaker_min_events,
                settings.breaker_window_ms / 1_000,
                settings.breaker_cooldown_ms / 1_000,
            )
        )
        self._meter, self._turned, self._clock = meter, turned, clock
        self._last: Fault | None = None
        meter.breaker(is_open=False)

    @property
    def rests(self) -> bool:
        """Whether nothing may be read."""
        return self._breaker.rests(self._clock())

    def most(self, most: int) -> int:
        """Events that the next batch may have, where ``most`` would be good otherwise."""
        return min(most, PROBE_EVENTS) if self.reason else most

    def told(self) -> str:
        """The reason, and what comes next."""
        due_s = self._due_s()
        probed = f"tried again in {due_s:.0f} s" if due_s > 0 else "being tried again"
        return f"{self.reason}; {probed}"

    def admits(self, outcomes: Outcomes) -> bool:
        """Whether they may be published; else the events are to be read again, later."""
        broken = [fault for fault in outcomes.faults if fault.error in BROKEN]
        scored = len(outcomes) - len(outcomes.drops) - len(outcomes.faults)
        self._last = broken[-1] if broken else self._last
        admitted = self._breaker.judge(scored + len(broken), len(broken), self._clock())
        if not admitted:
            self._open()
        elif self.reason and self._breaker.until_s is None:
            self._turn("", by="probe")
        return admitted

    def _open(self) -> None:
        again_s = round(self._due_s(), 1)
        events, broken = self._breaker.seen
        if self.reason:
            log.warning("breaker_probe_failed", events=events, broken=broken, again_s=again_s)
            return
        last = self._last
        assert last is not None, "it opens because of events that broke"
        where = f" at node '{last.node}'" if last.node else ""
        log.error(
            "breaker_open",
            events=events,
            broken=broken,
            error=last.error,
            node=last.node,
            again_s=again_s,
            hint="nothing is read; an update, a resume or a probe that succeeds ends it",
        )
        told = f"{broken} of {events} events broke in the graph, the last by {last.error}{where}"
        self._turn(f"the circuit breaker is open: {told}")

    def _due_s(self) -> float:
        until_s = self._breaker.until_s
        return 0.0 if until_s is None else until_s - self._clock()

    def close(self, by: Literal["resume", "update"]) -> None:
        """Another graph, or somebody says that events shall flow."""
        self._breaker.close()
        if self.reason:
            self._turn("", by=by)

    def _turn(self, reason: str, by: str = "") -> None:
        self.reason = reason
        self._meter.breaker(is_open=bool(reason))
        if by:
            log.info("breaker_closed", by=by)
        self._turned()
