"""The records of a fetch, one after the other, within the limits of `worker.bounds`.

Takes the place of aiokafka's own class, which has no limits and takes longer for each record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException

from worker.bounds import bounds
from worker.stream import inflate
from worker.stream.inflate import UnfitBatchError, turn
from worker.stream.unread import Headers, Unread, excess

log = structlog.get_logger(__name__)

TURN_BYTES = 4_000_000
"""Decompressed in one turn of the event loop, so by one ``getmany``: it knows a number of records,
and 2,048 of 1 MB each may lie in 64 KB of zstd. One record batch may exceed it."""


@dataclass(slots=True)
class Fetched:
    """One record; see `worker.stream.record.Record`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Records(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """What a fetch brought for one partition.

    It may end before its last record: the rest is fetched again, from where it ended.
    """

    def __iter__(self) -> Iterator[Fetched]:
        found: Iterator[Fetched] = self._records_iterator
        return found

    def _unpack_records(self) -> Iterator[Fetched]:
        topic, partition = self._tp
        most = bounds()
        most_key, most_value = most.max_key_bytes, most.max_value_bytes
        most_headers, most_around = most.max_headers, most.max_headers_bytes
        for batch in self._batches():
            try:
                found = iter(batch)
            except UnfitBatchError as error:
                yield from self._unread(batch, str(error))
                self.next_fetch_offset = batch.next_offset
                continue
            finally:
                turn.watch()
            for record in found:
                offset = record.offset
                if offset < self.next_fetch_offset:  # of a batch that began before
                    continue
                key, value, headers = record.key, record.value, record.headers
                around = 0
                for name, content in headers:
                    around += len(name) + (len(content) if content else 0)
                if (
                    len(value or b"") > most_value
                    or len(key or b"") > most_key
                    or len(headers) > most_headers
                    or around > most_around
                ):
                    value = Unread("RecordTooLarge", excess(key, value, headers, most), value)
                    headers = headers[:most_headers]
                headers = tuple(headers)
                self.next_fetch_offset = offset + 1
                yield Fetched(topic, partition, offset, record.timestamp, key, value, headers)
            # Compaction may have taken the last records of a batch: the next one begins after them.
            self.next_fetch_offset = batch.next_offset

    def _batches(self) -> Iterator[Any]:
        """The record batches that hold events a reader may see.

        Raises:
            CorruptRecordException: a batch is not as it was written.
        """
        records, committed = self._records, self._isolation_level == fetcher.READ_COMMITTED
        turn.watch()
        while records.has_next() and turn.spent < TURN_BYTES:
            batch = records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if committed and batch.producer_id is not None:
                self._consume_aborted_up_to(batch.base_offset)
                if batch.is_control_batch and self._contains_abort_marker(batch):
                    self._aborted_producers.discard(batch.producer_id)
                aborted = batch.producer_id in self._aborted_producers
                if batch.is_transactional and aborted:
                    self.next_fetch_offset = batch.next_offset
                    continue
            if batch.is_control_batch:
                self.next_fetch_offset = batch.next_offset
                continue
            yield batch

    def _unread(self, batch: Any, why: str) -> Iterator[Fetched]:
        """Each record of a batch that is not decompressed: its place, and nothing else.

        Where compaction took some of them away, they are told all the same: which is not known.
        """
        topic, partition = self._tp
        value = Unread("BatchTooLarge", why, None)
        first, end = max(batch.base_offset, self.next_fetch_offset), batch.next_offset
        log.error(
            "batch_not_read",
            topic=topic,
            partition=partition,
            first=first,
            end=end,
            reason=why,
            hint="its records are dead letters without their content, which stays in the topic",
        )
        for offset in range(first, end):
            self.next_fetch_offset = offset + 1
            yield Fetched(topic, partition, offset, batch.max_timestamp, None, value, ())


def install() -> None:
    """Makes aiokafka read records by these classes; it offers no other way to choose them."""
    inflate.install()
    fetcher.PartitionRecords = Records
