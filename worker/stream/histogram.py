"""How old events are when they are scored, counted for a whole batch at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
)  # fmt: skip
_AGES = (*SECONDS[2:], 30, 60, 300, 1_800, 7_200, 86_400)
_FEW = 16


class Ages(Collector):
    """``rtml_event_age_seconds``: a histogram that takes a whole batch at once.

    prometheus_client's own takes one observation per call, at 1.7 µs per event.
    """

    def __init__(self) -> None:
        self._bounds = np.array(_AGES)
        self._counts: dict[str, NDArray[np.int64]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, service: str, ages_s: NDArray[np.float64]) -> None:
        """Counts ``(n,)`` ages in seconds."""
        counts = self._counts.get(service)
        if counts is None:
            counts = self._counts[service] = np.zeros(len(_AGES) + 1, dtype=np.int64)
        slots = np.searchsorted(self._bounds, ages_s, side="left")
        if len(ages_s) < _FEW:
            for slot in slots.tolist():
                counts[slot] += 1
        else:
            counts += np.bincount(slots, minlength=len(counts))
        self._sums[service] = self._sums.get(service, 0.0) + float(ages_s.sum())

    def forget(self, service: str) -> None:
        """Shows a service no more."""
        self._counts.pop(service, None)
        self._sums.pop(service, None)

    def collect(self) -> Iterator[Metric]:
        """The cumulative buckets that Prometheus reads."""
        family = HistogramMetricFamily(
            "rtml_event_age_seconds",
            "From the event's timestamp to its acknowledged score",
            labels=["service"],
        )
        for service, counts in self._counts.items():
            totals = np.cumsum(counts)
            names = [*(str(float(bound)) for bound in _AGES), "+Inf"]
            buckets = [(name, float(n)) for name, n in zip(names, totals, strict=True)]
            family.add_metric([service], buckets, sum_value=self._sums[service])
        yield family
