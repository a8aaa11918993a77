"""A consumer group of the demo's own: where it begins, and that it is forgotten afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools.configuration import configuration, told
from worker.stream.tools.connect import LOOK_UP_S, Place


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


def forget_group(settings: Settings, group: str) -> None:
    """Deletes a group that nobody is in any more; where Kafka refuses, it expires by itself."""
    client = AdminClient(configuration(settings))
    with contextlib.suppress(KafkaException):
        client.delete_consumer_groups([group], request_timeout=LOOK_UP_S)[group].result()
