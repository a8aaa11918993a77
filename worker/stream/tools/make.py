"""Makes the topics of a graph, or by their names."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from worker.graph.plan import Plan
from worker.settings import Settings
from worker.stream.clients import Admin
from worker.stream.connect import ask
from worker.stream.tools import connect
from worker.stream.topics import create, create_named, wanted


@dataclass(frozen=True, slots=True)
class Made:
    """A topic.

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
    return _made(
        settings,
        wanted(plan),
        lambda admin: create(admin, plan, partitions),
        partitions,
        wait_s,
        waiting,
    )


def make_named(
    settings: Settings,
    topics: Iterable[str],
    partitions: int,
    wait_s: float,
    waiting: Callable[[str], None],
    configs: Mapping[str, dict[str, str]] = MappingProxyType({}),
) -> list[Made]:
    """Topics by their names: those that do not exist are created.

    Args:
        settings: whose brokers are asked.
        topics: their names.
        partitions: of each new topic.
        wait_s: give up reaching Kafka after so long.
        waiting: told the reason before each further try.
        configs: topic -> settings of its own.

    Raises:
        TransportError: Kafka is not reached in time, or refuses.
    """
    names = list(topics)
    return _made(
        settings,
        names,
        lambda admin: create_named(admin, names, partitions, configs),
        partitions,
        wait_s,
        waiting,
    )


def _made(
    settings: Settings,
    topics: Iterable[str],
    creating: Callable[[Admin], Awaitable[list[str]]],
    partitions: int,
    wait_s: float,
    waiting: Callable[[str], None],
) -> list[Made]:
    """The topics, once those that did not exist do."""
    before = connect.topics(settings, wait_s, waiting)
    new = asyncio.run(_answered(settings, creating, waiting))
    names = dict.fromkeys(topics)
    return [Made(name, before.get(name, partitions), name in new) for name in names]


async def _answered(
    settings: Settings,
    creating: Callable[[Admin], Awaitable[list[str]]],
    waiting: Callable[[str], None],
) -> list[str]:
    deadline_s = asyncio.get_running_loop().time() + connect.LOOK_UP_S
    return await ask(settings, creating, deadline_s, waiting)
