"""The first contact with Kafka: which topics there are, and where they begin and end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from worker.errors import ConfigError, Problem, TransportError, nearest
from worker.settings import Settings
from worker.stream.acls import unseen
from worker.stream.tools.configuration import REFUSALS, Reasons, configuration, plain, told

TRY_S = 0.5
"""How long one call into librdkafka lasts: Ctrl-C is seen between two of them."""
RETRY_S = 0.1
LOOK_UP_S = 10.0
READER = "rtml-reader"
"""librdkafka wants a group's name of every consumer; nothing joins it."""

Place = tuple[str, int]
"""Topic and partition."""


def _admin(
    settings: Settings, reasons: Reasons, deadline_s: float, waiting: Callable[[str], None]
) -> AdminClient:
    """A client for questions.

    Raises:
        ConfigError: a setting that librdkafka refuses, such as a certificate file.
        TransportError: no token in time.
    """
    while True:
        try:
            given: dict[str, Any] = {**configuration(settings), "error_cb": reasons}
            break
        except TransportError as error:
            if not error.retriable or time.monotonic() > deadline_s:
                raise
            waiting(str(error))
            time.sleep(TRY_S)
    try:
        return AdminClient(given)
    except KafkaException as error:
        raise ConfigError(Problem("", f"settings for Kafka: {error.args[0].str()}")) from error


def topics(settings: Settings, wait_s: float, waiting: Callable[[str], None]) -> dict[str, int]:
    """Every topic with its number of partitions; asks until Kafka answers, and creates none.

    Args:
        settings: whose brokers are asked.
        wait_s: give up after so long.
        waiting: told the reason before each further try.

    Raises:
        ConfigError: a setting that librdkafka refuses.
        TransportError: not reached in time, or refused.
    """
    reasons = Reasons()
    deadline_s = time.monotonic() + wait_s
    client = _admin(settings, reasons, deadline_s, waiting)
    while True:
        try:
            found = client.list_topics(timeout=TRY_S).topics
            return {name: len(topic.partitions) for name, topic in found.items()}
        except KafkaException as error:
            client.poll(0)
            if reasons.refusal:
                message = f"Kafka at {settings.brokers} refused: {reasons.refusal}"
                raise TransportError(message, retriable=False) from error
            reason = reasons.last or plain(error.args[0].str())
            message = f"cannot reach Kafka at {settings.brokers}: {reason}"
            if time.monotonic() > deadline_s:
                raise TransportError(message, retriable=True) from error
            waiting(message)


MAKE_TOPICS = "`rtml topics create GRAPH` makes the topics of a graph"


def need(settings: Settings, topic: str, known: Iterable[str], way_out: str = MAKE_TOPICS) -> None:
    """Refuses to go on without a topic.

    Raises:
        ConfigError: there is none of that name; the nearest one and the way to make it.
    """
    known = set(known)
    if topic not in known:
        names = [name for name in known if not name.startswith("__")]  # Kafka's own
        hint = f"{nearest(topic, names)}; {way_out}"
        if settings.security_protocol != "PLAINTEXT":
            hint += f"; {unseen(topic)}"
        raise ConfigError(Problem("", f"topic '{topic}' does not exist{hint}"))


def offsets(
    settings: Settings, partitions: Mapping[str, int], at: Literal["earliest", "latest"] | int
) -> dict[Place, int]:
    """An offset of every partition; asks again while a new topic has no leader.

    Args:
        settings: whose brokers are asked.
        partitions: topic -> number of partitions.
        at: the first offset that is there; the one that the next record will get; or that of the
            first record from this time on (epoch ms).

    Raises:
        TransportError: no answer within `LOOK_UP_S`, or refused.
    """
    places = [(topic, number) for topic, count in partitions.items() for number in range(count)]
    deadline_s = time.monotonic() + LOOK_UP_S
    # Not an admin client's list_offsets: every twentieth time that takes one to three seconds.
    client = Consumer({**configuration(settings), "group.id": READER})
    try:
        found = {place: _ends(client, place, deadline_s) for place in places}
        if isinstance(at, int):
            return {place: _since(client, place, at, found[place][1]) for place in places}
    finally:
        client.close()
    return {place: first if at == "earliest" else end for place, (first, end) in found.items()}


def _since(client: Consumer, place: Place, at_ms: int, end: int) -> int:
    """The offset of the first record from a time on; the end where there is none."""
    try:
        (answer,) = client.offsets_for_times([TopicPartition(*place, at_ms)], timeout=LOOK_UP_S)
    except KafkaException as error:
        message = f"offsets of {place[0]}-{place[1]}: {told(error.args[0], place[0])}"
        raise TransportError(message, retriable=True) from error
    return answer.offset if answer.offset >= 0 else end


def _ends(client: Consumer, place: Place, deadline_s: float) -> tuple[int, int]:
    """The first offset of a partition, and the next one."""
    reason = "no answer"
    while time.monotonic() < deadline_s:
        try:
            partition = TopicPartition(*place)
            ends = client.get_watermark_offsets(partition, timeout=TRY_S, cached=False)
            if ends is not None:
                return ends
        except KafkaException as error:
            reason = told(error.args[0], place[0])
            if error.args[0].code() in REFUSALS:
                break
            time.sleep(RETRY_S)
    raise TransportError(f"offsets of {place[0]}-{place[1]}: {reason}", retriable=True)
