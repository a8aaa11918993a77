"""What the worker counts: per batch, never per event. Names are those users' dashboards rely on."""

from __future__ import annotations

import contextlib
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.metrics import MetricWrapperBase

from worker import __version__
from worker.codec.outcome import Outcomes
from worker.score import Timing
from worker.stream.histogram import SECONDS, Histogram

_AGES = (*SECONDS[2:], 30, 60, 300, 1_800, 7_200, 86_400)
_EVENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096)


class Meters:
    """All metrics of one worker process; `of` gives a service its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        topic = ["service", "topic"]
        self.received = Counter("rtml_events_received", "Events read", topic, registry=registry)
        self.scored = Counter(
            "rtml_events_scored", "Events published scored", topic, registry=registry
        )
        self.dropped = Counter(
            "rtml_events_dropped",
            "Events dropped on purpose",
            [*topic, "reason"],
            registry=registry,
        )
        self.dead = Counter(
            "rtml_dead_letters", "Events that became dead letters", [*topic, "stage", "error"],
            registry=registry,
        )  # fmt: skip
        self.unknown = Counter(
            "rtml_unknown_values",
            "Values that are none of a node's categories or keys",
            ["service", "node", "column"],
            registry=registry,
        )
        self.lost = Counter(
            "rtml_events_lost",
            "Offsets that retention took before they were read",
            topic,
            registry=registry,
        )
        self.transactions = Counter(
            "rtml_transactions",
            "Transactions ended",
            [*topic, "outcome"],
            registry=registry,
        )
        self.batches = Histogram(
            "rtml_batch_size_events", "Events per batch", ["service"], _EVENTS, registry
        )
        self.stages = Histogram(
            "rtml_stage_duration_seconds", "Time per batch", ["service", "stage"], SECONDS, registry
        )
        self.nodes = Histogram(
            "rtml_node_duration_seconds", "Time per batch", ["service", "node"], SECONDS, registry
        )
        self.ages = Histogram(
            "rtml_event_age_seconds",
            "From the event's timestamp to its acknowledged score",
            ["service"],
            _AGES,
            registry,
        )
        partition = ["service", "topic", "partition"]
        self.lag = Gauge(
            "rtml_consumer_lag", "Events behind the end of the log", partition, registry=registry
        )
        self.lag_s = Gauge(
            "rtml_consumer_lag_seconds",
            "Age of the oldest event not yet scored",
            partition,
            registry=registry,
        )
        self.frontier = Gauge(
            "rtml_frontier_offset", "Lowest offset not acknowledged", partition, registry=registry
        )
        self.in_flight = Gauge(
            "rtml_in_flight_events", "Events in work", ["service"], registry=registry
        )
        self.failed = Gauge(
            "rtml_service_failed",
            "1 where what is wanted of a service is not reached; an earlier version may be served",
            ["service"],
            registry=registry,
        )
        self.breaker = Gauge(
            "rtml_breaker_open",
            "1 while the circuit breaker is open: too many events broke in the graph",
            ["service"],
            registry=registry,
        )
        self.model = Gauge(
            "rtml_model_info",
            "Models in use",
            ["service", "model", "version", "sha256"],
            registry=registry,
        )
        self.model_load = Gauge(
            "rtml_model_load_seconds",
            "Time to load the graph and its models",
            ["service"],
            registry=registry,
        )
        Gauge("rtml_build_info", "This build", ["version"], registry=registry).labels(
            __version__
        ).set(1)

    def of(self, service: str, topic: str) -> Meter:
        """The meter of one service."""
        return Meter(self, service, topic)

    def forget(self, service: str) -> None:
        """Shows a service that is gone no more; its meter must not be used again."""
        for metric in vars(self).values():
            if isinstance(metric, MetricWrapperBase):
                metric.remove_by_labels({"service": service})
            elif isinstance(metric, Histogram):
                metric.forget(service)


class Meter:
    """Counts for one service.

    Attributes:
        topic: the source.
        received: events read since the start; ``scored``, ``dropped`` and ``dead`` likewise.
    """

    def __init__(self, meters: Meters, service: str, topic: str) -> None:
        self._all, self._service, self.topic = meters, service, topic
        self.received = self.scored = self.dropped = self.dead = self.lost = 0
        self._models: set[tuple[str, ...]] = set()
        self._received = meters.received.labels(service, topic)
        self._scored = meters.scored.labels(service, topic)
        self._batches = meters.batches.labels(service)
        self._in_flight = meters.in_flight.labels(service)
        self._ages = meters.ages.labels(service)

    def loaded(self, models: Mapping[str, str], seconds: float) -> None:
        """The graph is loaded; ``models``: name -> SHA-256; those of before are not shown more."""
        self._all.model_load.labels(self._service).set(seconds)
        for labels in self._models:
            self._all.model.remove(*labels)
        self._models = {
            (self._service, *name.partition("@")[::2], sha256) for name, sha256 in models.items()
        }
        for labels in self._models:
            self._all.model.labels(*labels).set(1)

    def taken(self, events: int, timing: Timing) -> None:
        """A batch was read and scored."""
        self.received += events
        self._received.inc(events)
        self._batches.observe(events)
        self._in_flight.inc(events)
        for stage, seconds in (("decode", timing.decode), ("encode", timing.encode)):
            self.stage(stage, seconds)
        self.stage("run", sum(timing.nodes.values()))
        for node, seconds in timing.nodes.items():
            self._all.nodes.labels(self._service, node).observe(seconds)

    def stage(self, stage: str, seconds: float) -> None:
        """Time that one batch spent in a stage."""
        self._all.stages.labels(self._service, stage).observe(seconds)

    def settled(self, outcomes: Outcomes, timestamps_ms: Sequence[int], now_ms: float) -> None:
        """All outcomes of a batch are acknowledged."""
        scored = len(outcomes) - len(outcomes.faults) - len(outcomes.drops)
        self.scored += scored
        self._scored.inc(scored)
        self._in_flight.dec(len(outcomes))
        self._ages.observe_all((now_ms - np.array(timestamps_ms)) / 1_000)
        if outcomes.drops:
            self._count_drops(Tally(drop.reason for drop in outcomes.drops))
        if outcomes.faults:
            self._count_dead((str(fault.stage), fault.error) for fault in outcomes.faults)
        for (node, column), n in outcomes.unknown.items():
            self._all.unknown.labels(self._service, node, column).inc(n)

    def abandoned(self, events: int) -> None:
        """Events that were in work are given up; they will be read again."""
        self._in_flight.dec(events)

    def _count_drops(self, drops: Tally[str]) -> None:
        for reason, n in drops.items():
            self.dropped += n
            self._all.dropped.labels(self._service, self.topic, reason).inc(n)

    def _count_dead(self, dead: Iterable[tuple[str, str]]) -> None:
        for (stage, error), n in Tally(dead).items():
            self.dead += n
            self._all.dead.labels(self._service, self.topic, stage, error).inc(n)

    def lose(self, offsets: int) -> None:
        """Offsets that are gone from the log before they were read."""
        self.lost += offsets
        self._all.lost.labels(self._service, self.topic).inc(offsets)

    def transaction(self, outcome: Literal["committed", "aborted", "fenced"]) -> None:
        """A transaction has ended; aborted is also one of which nobody knows."""
        self._all.transactions.labels(self._service, self.topic, outcome).inc()

    def ended(self) -> None:
        """The service is stopped: it has nothing in work, and no breaker that keeps events back."""
        self._in_flight.set(0)
        self.breaker(is_open=False)

    def breaker(self, *, is_open: bool) -> None:
        """Whether the service reads nothing, because too many events broke."""
        self._all.breaker.labels(self._service).set(is_open)

    def partition(self, partition: int, frontier: int, lag: int, lag_s: float) -> None:
        """Where one assigned partition stands."""
        labels = (self._service, self.topic, str(partition))
        self._all.frontier.labels(*labels).set(frontier)
        self._all.lag.labels(*labels).set(lag)
        self._all.lag_s.labels(*labels).set(lag_s)

    def revoked(self, partition: int) -> None:
        """A partition that is no longer ours shows no stale values."""
        labels = (self._service, self.topic, str(partition))
        for gauge in (self._all.frontier, self._all.lag, self._all.lag_s):
            with contextlib.suppress(KeyError):  # never reported: revoked at once
                gauge.remove(*labels)
