"""Deletes topics."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from worker.settings import Settings
from worker.stream.tools.configuration import configuration, told
from worker.stream.tools.connect import LOOK_UP_S


def remove_topics(settings: Settings, topics: Iterable[str]) -> dict[str, str]:
    """Deletes those that exist.

    Args:
        settings: whose brokers are asked.
        topics: their names.

    Returns:
        Why, by the topic, it is still there.
    """
    client, left = AdminClient(configuration(settings)), dict[str, str]()
    bounds = {"operation_timeout": LOOK_UP_S, "request_timeout": LOOK_UP_S}
    for topic, done in client.delete_topics(list(topics), **bounds).items():
        try:
            done.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                left[topic] = told(error.args[0], topic)
    return left
