"""Where a key goes: as Java's default partitioner puts it."""

from __future__ import annotations

import pytest

from worker.stream.publish import _murmur2

# UtilsTest.testMurmur2 of Apache Kafka's clients.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
    b"": 275646681,
}


@pytest.mark.parametrize("key", JAVA)
def test_the_hash_is_java_s(key: bytes) -> None:
    """Kafka's own vectors, made positive as Java does it: by dropping the sign bit."""
    assert _murmur2(key) == JAVA[key] & 0x7FFFFFFF
