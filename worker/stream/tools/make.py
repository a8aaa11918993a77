"""Makes the topics of a graph."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from worker.graph.plan import Plan
from worker.settings import Settings
from worker.stream.connect import ask
from worker.stream.tools import connect
from worker.stream.topics import create, wanted


@dataclass(frozen=True, slots=True)
class Made:
    """A graph's topic.

    Attributes:
        topic: its name.
        partitions: how many it has.
        new: whether it did not exist before.
    """

    topic: str
    partitions: int
    new: bool


def make_topics(
    settings: Settings,
    plan: Plan,
    partitions: int,
    wait_s: float,
    waiting: Callable[[str], None],
) -> list[Made]:
    """Source, sinks and dead letters: those that do not exist are created.

    Args:
        settings: whose brokers are asked.
        plan: the graph.
        partitions: of each new topic.
        wait_s: give up reaching Kafka after so long.
        waiting: told the reason before each further try.

    Raises:
        TransportError: Kafka is not reached in time, or refuses.
    """
    before = connect.topics(settings, wait_s, waiting)
    names = list(dict.fromkeys(wanted(plan)))
    new = asyncio.run(_create(settings, plan, partitions, waiting))
    return [Made(name, before.get(name, partitions), name in new) for name in names]


async def _create(
    settings: Settings, plan: Plan, partitions: int, waiting: Callable[[str], None]
) -> list[str]:
    """The new ones of the topics, which then exist."""
    deadline_s = asyncio.get_running_loop().time() + connect.LOOK_UP_S
    return await ask(settings, lambda admin: create(admin, plan, partitions), deadline_s, waiting)
