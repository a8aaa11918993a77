"""The services of this process: a pump each, started and stopped one by one."""

from __future__ import annotations

import asyncio
import functools
import gc
from collections import Counter
from collections.abc import Callable

from mode import Service

from worker.graph.plan import Plan
from worker.settings import Settings
from worker.stream import health
from worker.stream.meter import Meter, Meters
from worker.stream.pump import Pump
from worker.stream.terms import Terms

_COUNTED = ("received", "scored", "dropped", "dead", "lost")
COLLECT_AFTER_S = 1.0
"""When nobody works with what was removed any more."""
Failed = Callable[[str, Exception], None]
"""Told once, with the service's id, when a service cannot go on."""


class Fleet:
    """Starts and stops pumps under a supervisor.

    Attributes:
        pumps: by the service's id.
        meters: what each of them counts, likewise; kept when a pump is stopped, until `forget`.
    """

    def __init__(
        self,
        settings: Settings,
        meters: Meters,
        *,
        wait_s: float | None,
        create_topics: int | None,
    ) -> None:
        """``wait_s`` and ``create_topics`` as in `Terms`."""
        self.pumps: dict[str, Pump] = {}
        self.meters: dict[str, Meter] = {}
        self._settings, self._all = settings, meters
        self._gone: Counter[str] = Counter()
        self._wait_s, self._create = wait_s, create_topics

    def add(
        self,
        service: str,
        plan: Plan,
        failed: Failed,
        turned: Callable[[], None] = lambda: None,
        *,
        alone: bool = False,
    ) -> Pump:
        """A pump that is not started yet.

        Args:
            service: its id.
            plan: of its graph.
            failed: told what stops it.
            turned: called when its circuit breaker has opened or closed.
            alone: it has the group's name to itself.
        """
        topic = plan.spec.source.topic
        if service in self.meters and self.meters[service].topic != topic:
            self.forget(service)
        meter = self.meters.setdefault(service, self._all.of(service, topic))
        group = self._settings.group_of(service, alone=alone)
        terms = Terms(service, self._settings, group, self._wait_s, self._create)
        pump = Pump(terms, plan, meter, functools.partial(failed, service), turned)
        self.pumps[service] = pump
        return pump

    async def remove(self, service: str, supervisor: Service) -> None:
        """Stops a service: what is in flight is finished and committed, its group keeps that.

        Pumps and Kafka's clients refer to themselves in circles, and circles are rarely looked for
        (see `app`): 10 services with models of 10 MB, deleted one by one, left 200 MB behind.
        """
        pump = self.pumps.pop(service, None)
        if pump is not None:
            await supervisor.remove_dependency(pump)
            asyncio.get_running_loop().call_later(COLLECT_AFTER_S, gc.collect)

    def tripped(self, service: str) -> str:
        """Why the circuit breaker of a service lets no events flow; empty where it does."""
        pump = self.pumps.get(service)
        return "" if pump is None else pump.switch.reason

    def resume(self, service: str) -> None:
        """Lets events flow where the service's circuit breaker is open."""
        self.pumps[service].switch.close("resume")

    def failing(self, service: str, *, failing: bool) -> None:
        """Shows in the metrics whether what is wanted of a service is not reached."""
        self._all.failed.labels(service).set(failing)

    def forget(self, service: str) -> None:
        """Takes the metrics of a service that is gone away; the totals keep them."""
        meter = self.meters.pop(service, None)
        if meter is not None:
            self._gone.update(_counts(meter))
        self._all.forget(service)

    def reasons(self) -> list[str]:
        """Why the process is not ready; empty if it is."""
        return [
            reason for name, pump in self.pumps.items() for reason in health.reasons(name, pump)
        ]

    def totals(self) -> dict[str, int]:
        """Events received, scored, dropped, dead-lettered and lost since the start."""
        sums = self._gone.copy()
        for meter in self.meters.values():
            sums.update(_counts(meter))
        return {name: sums[name] for name in _COUNTED}

    def lag(self) -> int:
        """Events behind the end of the log, over all partitions of this process."""
        return sum(pump.link.total_lag() for pump in self.pumps.values() if pump.link is not None)


def _counts(meter: Meter) -> dict[str, int]:
    return {name: getattr(meter, name) for name in _COUNTED}
