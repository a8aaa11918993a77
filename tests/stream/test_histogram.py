"""Histograms, read back as Prometheus reads them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Histogram as Reference

from tests.kafka.metrics import samples
from worker.stream.histogram import SECONDS, Histogram

BOUNDS = (*SECONDS, 60, 86_400)


@given(st.lists(st.lists(st.floats(-10, 1e6, width=32), min_size=1), min_size=1, max_size=3))
def test_values_are_counted_as_prometheus_counts_them(batches: list[list[float]]) -> None:
    """One by one or all at once, buckets, count and sum are those of the client's histogram."""
    registry, reference = CollectorRegistry(), CollectorRegistry()
    name, told = "rtml_event_age_seconds", "Age"
    ours = Histogram(name, told, ["service"], BOUNDS, registry)
    theirs = Reference(name, told, ["service"], buckets=BOUNDS, registry=reference)
    for batch in batches:
        ours.labels("fraud").observe_all(np.array(batch, dtype=np.float64))
        ours.labels("churn").observe(batch[0])
        theirs.labels("churn").observe(batch[0])
        for age_s in batch:
            theirs.labels("fraud").observe(age_s)
    found, expected = (generate_latest(one).decode() for one in (registry, reference))
    for service in ("fraud", "churn"):
        for part in ("bucket", "count"):
            shown = samples(found, f"{name}_{part}", service=service)
            assert shown == samples(expected, f"{name}_{part}", service=service)
        if (
            min(age_s for batch in batches for age_s in batch) >= 0
        ):  # else it cancels: another order
            expected_sum = samples(expected, f"{name}_sum", service=service)
            assert samples(found, f"{name}_sum", service=service) == pytest.approx(expected_sum)


def test_a_name_is_taken_once() -> None:
    """By the registry, as of prometheus_client's own."""
    registry = CollectorRegistry()
    Histogram("rtml_x_seconds", "", ["service"], SECONDS, registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Histogram("rtml_x_seconds", "", ["service"], SECONDS, registry)


@pytest.mark.parametrize("labels", [(), ("fraud", "score")])
def test_every_label_has_a_value(labels: tuple[str, ...]) -> None:
    """Else its series would pass for another's."""
    histogram = Histogram("rtml_x_seconds", "", ["service"], SECONDS, CollectorRegistry())
    with pytest.raises(ValueError, match="has the labels"):
        histogram.labels(*labels)
