"""Records of a fetch: read as Kafka holds them, and within the limits of the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.record.memory_records import MemoryRecords

from tests.batches import PACK, batch, record, varint
from worker import bounds
from worker.bounds import Bounds
from worker.codec.outcome import Outcomes
from worker.errors import Fault, Stage
from worker.stream import fetched, inflate
from worker.stream.fetched import Fetched, Records
from worker.stream.unread import Unread, content, tell

NOW_MS = 1_767_225_600_000
PLACE = TopicPartition("t", 0)
LIMIT = 20_000

fetched.install()


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    """Small limits, and the defaults again."""
    inflate.turn.spent = 0
    bounds.use(
        Bounds(
            max_value_bytes=5_000,
            max_key_bytes=10,
            max_headers=3,
            max_headers_bytes=40,
            max_decompressed_bytes=LIMIT,
        )
    )
    yield
    bounds.use(Bounds())


def read(batches: Iterable[bytes], start: int = 0) -> list[Fetched]:
    """What a fetch of these batches gives in one turn of the loop."""

    async def run() -> list[Fetched]:
        held = MemoryRecords(b"".join(batches))
        return list(Records(PLACE, held, [], start, None, None, True, READ_UNCOMMITTED))

    return asyncio.run(run())


def of_size(size: int) -> Iterable[bytes]:
    """Records that have so many bytes together."""
    made = [record(i, b"x" * 900) for i in range(size // 1_000)]
    rest = size - sum(map(len, made))
    last = next(n for n in range(rest, 0, -1) if len(record(len(made), b"x" * n)) <= rest)
    return [*made, record(len(made), b"x" * last)]


def why(one: Fetched) -> str:
    """The error of a record that is not read; empty for one that is."""
    return one.value.error if isinstance(one.value, Unread) else ""


@pytest.mark.parametrize("codec", PACK)
@pytest.mark.parametrize(("beyond", "error"), [(-1, ""), (0, ""), (1, "BatchTooLarge")])
def test_a_batch_at_the_limit(codec: str, beyond: int, error: str) -> None:
    """As large as it may be it is read; by a byte more, its records are places without content."""
    held = of_size(LIMIT + beyond)
    assert sum(map(len, held)) == LIMIT + beyond
    found = read([batch(held, codec, NOW_MS)])
    assert [one.offset for one in found] == list(range(len(list(held))))
    assert {why(one) for one in found} == {error}
    assert {one.timestamp for one in found} == {NOW_MS}
    assert {content(one) is None for one in found} == {bool(error)}


@pytest.mark.parametrize("codec", PACK)
def test_what_stands_beside_a_large_batch_is_read(codec: str) -> None:
    """Before it, and after it in another turn: a large one takes what a turn may cost."""
    small, large = batch([record(0, b"{}")], "none", NOW_MS), batch(of_size(30_000), codec, NOW_MS)
    found = read([small, moved(large, 1)])
    assert (found[0].value, why(found[0])) == (b"{}", "")
    assert {why(one) for one in found[1:]} == {"BatchTooLarge"}
    assert [one.offset for one in read([moved(large, 1), moved(small, 32)], start=30)] == [
        30,
        31,
        32,
    ]


def moved(held: bytearray, offset: int) -> bytearray:
    """A batch that begins at another offset, which its checksum does not cover."""
    return bytearray(offset.to_bytes(8, "big")) + held[8:]


@pytest.mark.parametrize(
    ("made", "error"),
    [
        ({"value": b"x" * 5_000}, ""),
        ({"value": b"x" * 5_001}, "RTML_MAX_VALUE_BYTES is 5000"),
        ({"key": b"k" * 10}, ""),
        ({"key": b"k" * 11}, "RTML_MAX_KEY_BYTES is 10"),
        ({"headers": [(b"n", b"1")] * 3}, ""),
        ({"headers": [(b"n", b"1")] * 4}, "RTML_MAX_HEADERS is 3"),
        ({"headers": [(b"n", b"1" * 39)]}, ""),
        ({"headers": [(b"n", b"1" * 40)]}, "RTML_MAX_HEADERS_BYTES is 40"),
        ({"value": None}, ""),
    ],
)
def test_a_record_at_each_limit(made: dict[str, object], error: str) -> None:
    """One byte or header more: it is not scored, but kept for its dead letter."""
    given = {"value": b"{}", **made}
    first, one = read([batch([record(0, b"{}"), record(1, **given)], "none", NOW_MS)])
    assert (first.value, one.offset) == (b"{}", 1)
    assert content(one) == given["value"]
    assert isinstance(one.value, Unread) is bool(error)
    if isinstance(one.value, Unread):
        assert (bytes(one.value), one.value.error) == (b"", "RecordTooLarge")
        assert one.value.message.endswith(error)
        assert len(one.headers) <= 3


def test_a_batch_of_headers_is_not_looked_at() -> None:
    """Two bytes in a batch are a hundred in memory: millions of them are counted beforehand."""
    bounds.use(Bounds(max_headers=1_000))
    many = varint(600_000) + b"\0\1" * 600_000
    (one,) = read([batch([record(0, b"{}", raw_headers=many)], "zstd", NOW_MS)])
    assert (why(one), one.headers) == ("BatchTooLarge", ())
    assert isinstance(one.value, Unread)
    assert "RTML_MAX_HEADERS" in one.value.message


def test_a_turn_of_the_loop_takes_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the fetch ends, and is asked again for the rest; at least one batch is taken."""
    monkeypatch.setattr(fetched, "TURN_BYTES", 15_000)
    ten = [moved(batch(of_size(10_000), "zstd", NOW_MS), 11 * i) for i in range(4)]
    first = read(ten)
    assert 10_000 < sum(len(one.value or b"") for one in first) < 25_000
    again = read(ten[2:], start=first[-1].offset + 1)
    assert again[0].offset == first[-1].offset + 1


def test_the_turn_begins_anew_with_the_loop() -> None:
    """What one turn took does not count for the next."""

    async def run() -> None:
        inflate.turn.spent = 0
        held = MemoryRecords(bytes(batch([record(0, b"{}")], "zstd", NOW_MS)))
        assert len(list(Records(PLACE, held, [], 0, None, None, True, READ_UNCOMMITTED))) == 1
        assert inflate.turn.spent > 0
        await asyncio.sleep(0)
        assert inflate.turn.spent == 0

    asyncio.run(run())


def test_a_loop_that_ended_before_it_turned() -> None:
    """What it had taken keeps no other one from reading."""
    inflate.turn.spent = fetched.TURN_BYTES
    assert read([batch([record(0, b"{}")], "none", NOW_MS)]) == []
    assert len(read([batch([record(0, b"{}")], "none", NOW_MS)])) == 1


def test_the_reason_is_told_instead_of_the_decoders() -> None:
    """The decoder sees an empty value; other faults stay as they are."""
    unread = Fetched("t", 0, 0, NOW_MS, None, Unread("RecordTooLarge", "told", b"x"), ())
    plain = Fetched("t", 0, 1, NOW_MS, None, b"{", ())
    empty = Fault(0, Stage.DECODE, "MalformedJson", "no object")
    other = Fault(1, Stage.DECODE, "MalformedJson", "no object")
    outcomes = Outcomes([None, None], [empty, other])
    tell([unread, plain], outcomes)
    assert outcomes.faults == [Fault(0, Stage.DECODE, "RecordTooLarge", "told"), other]
