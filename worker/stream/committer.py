"""Commits frontiers, off the path of events: one commit takes 6 ms since Kafka 4."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from worker.stream.denied import refused
from worker.stream.lane import Lane

log = structlog.get_logger(__name__)

COMMIT_TIMEOUT_S = 5.0
"""aiokafka looks for a lost coordinator for as long as that takes, and a stop waits behind it."""


class Committer:
    """The only one that commits, one commit at a time.

    A periodic commit can therefore never land after the one that a revoke makes.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._lock = asyncio.Lock()

    async def commit(self, lanes: Iterable[Lane]) -> None:
        """Commits the frontier of each lane that moved, as it is when its turn comes.

        A commit that fails because the group has moved on is given up: the new owner repeats
        what was not committed. A passing error is left to the next call.

        Raises:
            TransportError: Kafka refused for good, such as by a missing permission.
        """
        async with self._lock:
            assigned = self._consumer.assignment()
            offsets = {
                lane: lane.to_commit
                for lane in lanes
                if lane.partition in assigned and lane.to_commit is not None
            }
            if not offsets:
                return
            try:
                async with asyncio.timeout(COMMIT_TIMEOUT_S):
                    await self._consumer.commit({lane.partition: n for lane, n in offsets.items()})
            except TimeoutError:
                log.warning("commit_failed", error=f"no answer within {COMMIT_TIMEOUT_S:g} s")
            except (CommitFailedError, IllegalStateError) as error:
                log.info("commit_given_up", reason=f"{type(error).__name__}: {error}")
            except KafkaError as error:
                if not error.retriable:
                    raise refused(error) from error
                log.warning("commit_failed", error=f"{type(error).__name__}: {error}")
            else:
                for lane, offset in offsets.items():
                    lane.committed = offset
