"""What a worker counts, read from its page of metrics with Prometheus' own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


def samples(page: str, name: str, **labels: str) -> list[float]:
    """The values of all samples of this name that have these labels."""
    return [
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def total(page: str, name: str, **labels: str) -> float:
    """Their sum."""
    return sum(samples(page, name, **labels))


def names(page: str) -> set[str]:
    """The names of all metrics, counters as they are exposed: with ``_total``."""
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(page)
    }
