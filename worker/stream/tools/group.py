"""A consumer group of a command's own: where it begins, how far it is, and that it is forgotten."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools.configuration import configuration, told
from worker.stream.tools.connect import LOOK_UP_S, RETRY_S, TRY_S, Place

_NOT_YET = frozenset(
    {
        KafkaError.NON_EMPTY_GROUP,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
"""Answers to a deletion that waiting changes."""


def begin_group(settings: Settings, group: str, starts: Mapping[Place, int]) -> None:
    """Commits where a new group begins: at these events, whatever else the topic holds.

    Raises:
        TransportError: Kafka refused, or did not answer.
    """
    client = Consumer({**configuration(settings), "group.id": group, "enable.auto.commit": False})
    try:
        offsets = [TopicPartition(*place, start) for place, start in starts.items()]
        client.commit(offsets=offsets, asynchronous=False)
    except KafkaException as error:
        message = f"committing for group '{group}': {told(error.args[0], group)}"
        raise TransportError(message, retriable=False) from error
    finally:
        client.close()


def forget_groups(settings: Settings, groups: Iterable[str], wait_s: float = 0.0) -> dict[str, str]:
    """Deletes groups that nobody is in any more; what is left expires by itself.

    Args:
        settings: whose brokers are asked.
        groups: their names.
        wait_s: for members that ended without leaving, until Kafka has expelled them.

    Returns:
        Why, by the group, it is still there.
    """
    client = AdminClient(configuration(settings))
    left, wanted, deadline_s = dict[str, str](), list(groups), time.monotonic() + wait_s
    while wanted:
        again: list[str] = []
        for group, done in client.delete_consumer_groups(wanted, request_timeout=LOOK_UP_S).items():
            try:
                done.result()
            except KafkaException as error:
                found = error.args[0]
                if found.code() in _NOT_YET and time.monotonic() < deadline_s:
                    again.append(group)
                elif found.code() != KafkaError.GROUP_ID_NOT_FOUND:
                    left[group] = told(found, group)
        wanted = again
        if wanted:
            time.sleep(RETRY_S)
    return left


class Committed:
    """How far a group has got; leaving the context disconnects. It does not join the group."""

    def __init__(self, settings: Settings, group: str, places: Iterable[Place]) -> None:
        self._client = Consumer(
            {**configuration(settings), "group.id": group, "enable.auto.commit": False}
        )
        self._places = [TopicPartition(*place) for place in places]
        self._found = 0

    def count(self) -> int:
        """The sum of its committed offsets; that of before where Kafka does not answer."""
        try:
            answers = self._client.committed(self._places, timeout=TRY_S)
        except KafkaException:
            return self._found
        self._found = max(self._found, sum(max(one.offset, 0) for one in answers))
        return self._found

    def __enter__(self) -> Committed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
