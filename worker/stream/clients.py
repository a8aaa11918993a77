"""Kafka clients with the settings that keep the promises; nothing else makes one."""

from __future__ import annotations

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.producer import sender

from worker.settings import Settings
from worker.stream import connection, fetched, wire
from worker.stream.security import security

connection.install()
fetched.install()
wire.install()

MAX_FETCH_BYTES = 16_000_000
MAX_PARTITION_FETCH_BYTES = 4_000_000
"""8 KB events: 2.5 times the speed of 256 KB."""
MAX_POLL_INTERVAL_MS = 300_000
REQUEST_TIMEOUT_MS = 40_000
NEXT_TRANSACTION_S = 0.002
"""Kafka ends a transaction within some 3 ms of having said so; aiokafka begins the next one 20 ms
later: 35 ms each, back to back, are 11 ms."""
METADATA_MAX_AGE_MS = 10_000
"""How long added partitions, or a topic that is gone, may stay unnoticed; by default 5 minutes."""


def consumer(settings: Settings, group: str, isolation: str) -> aiokafka.AIOKafkaConsumer:
    """A consumer that commits nothing by itself and never skips offsets by itself."""
    return aiokafka.AIOKafkaConsumer(
        **security(settings),
        group_id=group,
        group_instance_id=settings.group_instance_id,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level=isolation,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        fetch_max_bytes=MAX_FETCH_BYTES,
        max_partition_fetch_bytes=MAX_PARTITION_FETCH_BYTES,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=min(settings.session_timeout_ms // 3, 1_000),
        rebalance_timeout_ms=settings.rebalance_timeout_ms,
        max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        # JoinGroup is sent once per assignor, so exactly one.
        partition_assignment_strategy=(RoundRobinPartitionAssignor,),
    )


def reader(settings: Settings, isolation: str = "read_committed") -> aiokafka.AIOKafkaConsumer:
    """A consumer without a group, for topics that each process reads from their beginning."""
    return aiokafka.AIOKafkaConsumer(
        **security(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def transactional(
    settings: Settings, transactional_id: str, compression: str = "none", max_batch_bytes: int = 0
) -> aiokafka.AIOKafkaProducer:
    """A producer whose start fences every earlier one with the same id.

    Batches are made by the caller, so no linger; ``max_batch_bytes`` is by default aiokafka's.
    """
    sender.BACKOFF_OVERRIDE = NEXT_TRANSACTION_S
    given = {"max_batch_size": max_batch_bytes} if max_batch_bytes else {}
    return aiokafka.AIOKafkaProducer(
        **security(settings),
        transactional_id=transactional_id,
        transaction_timeout_ms=settings.transaction_timeout_ms,
        linger_ms=0,
        compression_type=None if compression == "none" else compression,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        **given,
    )


def producer(
    settings: Settings, compression: str, max_batch_bytes: int
) -> aiokafka.AIOKafkaProducer:
    """An idempotent producer with acks=all; batches are made by the caller, so no linger."""
    return aiokafka.AIOKafkaProducer(
        **security(settings),
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        compression_type=None if compression == "none" else compression,
        max_batch_size=max_batch_bytes,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def teller(settings: Settings) -> aiokafka.AIOKafkaProducer:
    """A producer of words of which the last counts, with acks=all.

    Sequence numbers would be wrong for good after a batch that expired before Kafka had it. Without
    them what was sent over a connection that is gone may come after what was sent later.
    """
    return aiokafka.AIOKafkaProducer(
        **security(settings), acks="all", linger_ms=0, request_timeout_ms=REQUEST_TIMEOUT_MS
    )


class Admin(AIOKafkaAdminClient):  # type: ignore[misc]  # aiokafka has no types
    """A client for topics and their configuration, stopped like the others."""

    async def stop(self) -> None:
        """Disconnects."""
        await self.close()


def admin(settings: Settings) -> Admin:
    """A client for topics and their configuration."""
    return Admin(**security(settings), request_timeout_ms=REQUEST_TIMEOUT_MS)
