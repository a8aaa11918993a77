"""The Kafka of the benchmarks: one of its own, or one that is named."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from bench import topics
from tests.broker import RealKafka
from tests.jars import VERSION, KafkaUnavailable

JVM = ("-Xmx1g", "-XX:+UseSerialGC")
FIRST_COMPILER = "-XX:TieredStopAtLevel=1"
"""The second would take one of two cores for the first minute, from the throughput; latency is
measured for longer, after a warm-up of its own, on a broker that has both."""


@contextlib.contextmanager
def kafka(given: str | None, *flags: str) -> Iterator[str]:
    """The Kafka that was named, else one of its own, with these flags of Java.

    Raises:
        KafkaUnavailable: nothing answers there, or none can be started.
    """
    if given is None:
        with RealKafka(jvm=(*JVM, *flags)) as started:
            yield started.bootstrap
        return
    if not topics.reachable(given):
        raise KafkaUnavailable(f"nothing answers at {given}")
    yield given


def about(given: str | None, *, is_timed: bool = True) -> str:
    """What results say of it; ``is_timed``: throughput was measured, too."""
    own = f"{VERSION}, one node, java {' '.join(JVM)}"
    own += f", for the throughput {FIRST_COMPILER} too" if is_timed else ""
    return f"at {given}" if given else own
