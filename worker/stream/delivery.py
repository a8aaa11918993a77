"""How outcomes and offsets reach Kafka: all that differs between the guarantees."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from worker.graph.plan import Plan
from worker.stream.lane import Lane
from worker.stream.meter import Meter
from worker.stream.terms import Known, Terms, WaitingFor
from worker.stream.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a delivery works with.

    Attributes:
        terms: of the service.
        consumer: whose records are delivered.
        meter: counts what was delivered.
        waiting: told why Kafka is not reached yet.
        failed: told what stops the service.
    """

    terms: Terms
    consumer: AIOKafkaConsumer
    meter: Meter
    waiting: WaitingFor
    failed: Callable[[Exception], None]


class Holder(Protocol):
    """Who holds the partitions, as a delivery sees it."""

    async def find(self, partition: TopicPartition) -> Lane:
        """A lane that begins where the group has got to."""

    def hold(self, lane: Lane) -> bool:
        """Nothing more is taken for the lane, it is gone; whether its partition is still ours."""

    def reopen(self, partition: TopicPartition) -> None:
        """A partition that is held, and still ours, gets another lane."""

    def give_up(self, partition: TopicPartition) -> None:
        """Another may have the partition: the group is asked whose it is."""


class Delivery(Protocol):
    """Sends the outcomes of scored batches and commits their offsets, by one of the guarantees.

    Attributes:
        epoch: rises when everything in work is to be read again.
    """

    epoch: int

    @property
    def most(self) -> int:
        """Events that the next batch may have."""

    @property
    def oldest_s(self) -> float | None:
        """On the performance counter, since when an answer of Kafka is awaited; None: not now."""

    async def run(self) -> None:
        """Awaits what was sent, until cancelled."""

    async def steady(self) -> None:
        """Returns when records may be taken."""

    async def open(self, partition: TopicPartition, holder: Holder) -> Lane:
        """Gets ready for a partition and finds where it begins; nothing is taken before.

        Raises:
            TransportError: Kafka refuses.
        """

    async def deliver(self, ticket: Ticket) -> None:
        """Takes over a scored batch; waits where too much is in work."""

    async def commit(self, lanes: Iterable[Lane]) -> None:
        """Commits, at regular times, what has moved.

        Raises:
            TransportError: Kafka refuses.
        """

    async def release(self, lanes: Collection[Lane]) -> None:
        """Lets lanes go; what is not committed by now never will be."""

    async def adopt(self, plan: Plan, known: Known) -> None:
        """Delivers by another plan of the same source and guarantee, from the next batch on."""

    async def close(self) -> None:
        """Lets go of everything."""
