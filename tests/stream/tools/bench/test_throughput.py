"""Rate, processor time and memory of a process, from append times and looks at it."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from tests.kafka.waiting import until
from worker.errors import ConfigError
from worker.stream.tools.bench.throughput import Throughput, throughput
from worker.stream.tools.bench.use import Use
from worker.stream.tools.bench.watch import Watch


def blind() -> Watch:
    """A watch that sees nothing."""
    return Watch(lambda: None)


@pytest.fixture(scope="module")
def busy() -> tuple[Watch, float]:
    """A watch on a process that keeps one core busy, and when that began; it is over."""
    begun_s, looks = time.time(), [0]

    def look() -> Use:
        looks[0] += 1
        return Use(time.time() - begun_s, 1_000_000 * (3 - abs(3 - looks[0])))

    with Watch(look, 0.01) as watch:
        until(lambda: looks[0] > 5)
    return watch, begun_s


def test_the_first_tenth_is_not_timed() -> None:
    """100 records, one a ms, in any order, after ten that came a minute before."""
    stamps_ms = np.array([*range(100_000, 100_100), *[40_000] * 10])[::-1]
    found = throughput(stamps_ms, blind())
    assert found.events_per_s == pytest.approx(1_000)
    assert math.isnan(found.cpu_us_per_event)


def test_events_without_a_record_count_in_the_rate() -> None:
    """Three events for each record: those that the graph dropped were worked on as well."""
    stamps_ms = np.arange(1_000)
    assert throughput(stamps_ms, blind(), 0.0, events=3_000).events_per_s == pytest.approx(3_000)


def test_processor_time_is_that_of_the_same_span(busy: tuple[Watch, float]) -> None:
    """A busy core and an event a ms: 1,000 us each, also where the broker's clock differs."""
    watch, begun_s = busy
    for ahead_s in (0.0, -7_200.0):
        start_ms = int(1_000 * (begun_s + ahead_s)) + 2
        found = throughput(np.arange(start_ms, start_ms + 30), watch, ahead_s=ahead_s)
        assert found.cpu_us_per_event == pytest.approx(1_000, rel=0.5)


def test_the_most_memory_that_was_seen(busy: tuple[Watch, float]) -> None:
    """Not that of the end."""
    watch, _ = busy
    assert (watch.peak_rss_bytes, watch.rss_bytes < 3_000_000) == (3_000_000, True)


def test_what_comes_at_once_is_not_timed() -> None:
    """A refusal with the way out, not a rate without end."""
    with pytest.raises(ConfigError, match="more of them can be timed"):
        throughput(np.full(5_000, 17), blind())


def test_results_of_before_are_read() -> None:
    """`bench` keeps these three by name."""
    kept = {"events_per_s": 1.0, "cpu_us_per_event": 2.0, "peak_rss_mb": 3.0}
    assert Throughput(**kept) == Throughput(1.0, 2.0, 3.0)
