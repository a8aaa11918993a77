"""How a service is to be connected, and what Kafka says about its topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from worker.graph.plan import Plan
from worker.settings import Settings
from worker.stream import clients, topics
from worker.stream.connect import ask, connect
from worker.stream.topics import TopicLimits


@dataclass(frozen=True, slots=True)
class Terms:
    """How a service is to be connected.

    Attributes:
        service: its id: the graph's name, or that under which it was published.
        settings: brokers, security, bounds.
        group: its consumer group.
        wait_s: give up reaching Kafka after so long; None waits for ever.
        create_topics: make topics that do not exist, with this many partitions; None refuses.
    """

    service: str
    settings: Settings
    group: str
    wait_s: float | None
    create_topics: int | None


WaitingFor = Callable[[str], None]
"""Told why Kafka is not reached yet."""


@dataclass(frozen=True, slots=True)
class Known:
    """What Kafka said about the topics of a graph.

    Attributes:
        partitions: topic -> how many, of every topic there is.
        limits: what each topic of the graph accepts.
    """

    partitions: Mapping[str, int]
    limits: Mapping[str, TopicLimits]


async def look_up(
    terms: Terms,
    plan: Plan,
    deadline_s: float | None,
    waiting: WaitingFor,
    create: int | None = None,
) -> Known:
    """The topics of the graph; ``create``: makes those that are missing, with so many partitions.

    Raises:
        ConfigError: topics that do not exist.
        TransportError: Kafka is not reached in time, or refuses.
    """

    async def look(admin: AIOKafkaAdminClient) -> Known:
        if create is not None:
            await topics.create(admin, plan, create)
        counts = await topics.partition_counts(admin)
        topics.require(plan, counts, guarded=terms.settings.security_protocol != "PLAINTEXT")
        return Known(counts, await topics.limits(admin, topics.wanted(plan)))

    return await ask(terms.settings, look, deadline_s, waiting)


def producer_terms(terms: Terms, plan: Plan, known: Known) -> tuple[str, int]:
    """Compression and batch bytes that a plan's producer has."""
    outputs = [*plan.topics, plan.spec.dead_letter_topic]
    most = min(known.limits[topic].max_batch_bytes for topic in outputs)
    return plan.spec.sink.compression, min(terms.settings.max_batch_bytes, most)


async def start_producer(
    terms: Terms, made_for: tuple[str, int], deadline_s: float | None, waiting: WaitingFor
) -> AIOKafkaProducer:
    """A producer with what `producer_terms` says.

    Raises:
        TransportError: Kafka is not reached in time, or refuses.
    """
    settings = terms.settings
    return await connect(
        settings, lambda: clients.producer(settings, *made_for), deadline_s, waiting
    )
