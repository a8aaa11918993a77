"""Topics: whether they exist, how many partitions they have, what a record may weigh."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from worker.errors import ConfigError, Problem, TransportError
from worker.graph.plan import Plan
from worker.stream.acls import Resource, lacking, unseen

log = structlog.get_logger(__name__)

DEFAULT_MAX_RECORD_BYTES = 1_048_588
DEFAULT_MAX_AHEAD_MS = 3_600_000
MAX_REPLICAS = 3
DEAD_LETTER_EXTRA_BYTES = 65_536
KNOWN_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class TopicLimits:
    """What a topic accepts.

    Attributes:
        max_batch_bytes: ``max.message.bytes``: a record batch above it is refused.
        max_ahead_ms: ``message.timestamp.after.max.ms``: how far in the future a timestamp may lie.
        max_behind_ms: ``message.timestamp.before.max.ms``.
        stamps: ``message.timestamp.type`` is LogAppendTime: a record's own time does not matter.
    """

    max_batch_bytes: int = DEFAULT_MAX_RECORD_BYTES
    max_ahead_ms: int = DEFAULT_MAX_AHEAD_MS
    max_behind_ms: int = 2**63 - 1
    stamps: bool = False

    def accepts(self, timestamp_ms: int, now_ms: int) -> bool:
        """Whether a record with this timestamp would be taken."""
        least_ms, most_ms = now_ms - self.max_behind_ms, now_ms + self.max_ahead_ms
        return self.stamps or least_ms <= timestamp_ms <= most_ms

    def excess(self, topic: str, size_bytes: int) -> str | None:
        """By how much a record batch is too large; None where it fits."""
        if size_bytes <= self.max_batch_bytes:
            return None
        return f"{size_bytes} bytes, but max.message.bytes of '{topic}' is {self.max_batch_bytes}"


def wanted(plan: Plan) -> list[str]:
    """Every topic a graph uses: source, sinks, dead letters."""
    return [plan.spec.source.topic, *plan.topics, plan.spec.dead_letter_topic]


async def partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """Topic -> number of partitions, of all topics. Asks in a way that creates none.

    Raises:
        KafkaError: the broker did not answer.
    """
    # Naming topics in a metadata request creates them where auto-creation is on; asking for all
    # does not.
    return {
        topic["topic"]: len(topic["partitions"])
        for topic in await admin.describe_topics()
        if topic["error_code"] == 0
    }


def require(plan: Plan, counts: Mapping[str, int], *, guarded: bool = False) -> None:
    """Refuses to go on where topics do not exist; ``guarded``: or where they may be hidden.

    Raises:
        ConfigError: each missing topic, and the command that makes it.
    """
    problems = [
        Problem(
            "",
            f"topic '{topic}' does not exist; `rtml topics create` or --create-topics"
            + (f"; {unseen(topic)}" if guarded else ""),
        )
        for topic in dict.fromkeys(wanted(plan))
        if topic not in counts
    ]
    if problems:
        raise ConfigError(problems)


async def create(admin: AIOKafkaAdminClient, plan: Plan, partitions: int) -> list[str]:
    """Creates the topics of a graph that do not exist, on up to three brokers each.

    The dead-letter topic takes records that are larger than the source's by what the headers of
    `lineage` weigh, so that whatever could be read can be buried.

    Returns:
        The new ones.

    Raises:
        KafkaError: no answer; ask again.
        TransportError: the broker refused one, with its reason.
    """
    counts = await partition_counts(admin)
    source, dead = plan.spec.source.topic, plan.spec.dead_letter_topic
    configs: dict[str, dict[str, str]] = {}
    if dead not in counts:
        readable = await limits(admin, [source] if source in counts else [])
        least = readable.get(source, TopicLimits()).max_batch_bytes + DEAD_LETTER_EXTRA_BYTES
        configs = {dead: {"max.message.bytes": str(least)}}
    return await create_named(admin, wanted(plan), partitions, configs)


async def create_named(
    admin: AIOKafkaAdminClient,
    topics: Iterable[str],
    partitions: int,
    configs: Mapping[str, dict[str, str]] = MappingProxyType({}),
) -> list[str]:
    """Creates the topics that do not exist; returns the new ones.

    Args:
        admin: a connected client.
        topics: their names.
        partitions: of each new topic.
        configs: topic -> settings of its own.

    Raises:
        KafkaError: no answer; ask again.
        TransportError: the broker refused one, with its reason.
    """
    counts = await partition_counts(admin)
    new = [topic for topic in dict.fromkeys(topics) if topic not in counts]
    if not new:
        return []
    replicas = min(len((await admin.describe_cluster())["brokers"]), MAX_REPLICAS)
    specs = [
        NewTopic(topic, partitions, replicas, topic_configs=configs.get(topic)) for topic in new
    ]
    try:
        response = await admin.create_topics(specs)
    except AttributeError as error:  # what aiokafka raises where it knows of no controller
        raise KafkaConnectionError("it has no controller, which alone can create topics") from error
    for topic, code, *message in response.topic_errors:
        error_type = for_code(code)
        if error_type.errno not in (0, TopicAlreadyExistsError.errno):
            reason = next((text for text in message if text), error_type.__name__)
            if error_type is TopicAuthorizationFailedError:
                reason += f"; {lacking(Resource.TOPIC, topic)}"
            raise TransportError(f"creating '{topic}': {reason}", retriable=False)
    await _wait_until_known(admin, new)
    return new


async def _wait_until_known(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> None:
    """Returns when the broker that is asked has heard of the new topics.

    Raises:
        TransportError: it has not within `KNOWN_WITHIN_S`.
    """
    try:
        async with asyncio.timeout(KNOWN_WITHIN_S):
            # No event tells of it: the broker has to be asked again.
            while not set(topics) <= (await partition_counts(admin)).keys():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        names = ", ".join(topics)
        raise TransportError(f"created {names}, but they do not appear", retriable=True) from error


async def limits(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, TopicLimits]:
    """What each topic accepts; Kafka's defaults where the broker does not tell."""
    names = list(dict.fromkeys(topics))
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, str]] = {}
    try:
        for response in await admin.describe_configs(resources):
            for code, _, _, name, entries, *_ in response.resources:
                found[name] = {entry[0]: entry[1] for entry in entries}
                if code == TopicAuthorizationFailedError.errno:
                    _untold([name], "this user lacks the ACL DescribeConfigs")
    except (KafkaError, NotImplementedError, IndexError, ValueError) as error:
        found = {}  # such as a broker without the request
        _untold(names, repr(error))
    return {name: _limits(found.get(name, {})) for name in names}


def _untold(names: list[str], reason: str) -> None:
    hint = "Kafka's defaults are taken"
    log.warning("topic_limits_unknown", topics=names, error=reason, hint=hint)


def _limits(entries: Mapping[str, str]) -> TopicLimits:
    default = TopicLimits()
    return TopicLimits(
        int(entries.get("max.message.bytes", default.max_batch_bytes)),
        int(entries.get("message.timestamp.after.max.ms", default.max_ahead_ms)),
        int(entries.get("message.timestamp.before.max.ms", default.max_behind_ms)),
        entries.get("message.timestamp.type") == "LogAppendTime",
    )
