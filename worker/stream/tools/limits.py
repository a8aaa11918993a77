"""What a topic accepts, asked once before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from worker.settings import Settings
from worker.stream.connect import ask
from worker.stream.tools import connect
from worker.stream.topics import TopicLimits, limits


def limits_of(settings: Settings, topic: str, waiting: Callable[[str], None]) -> TopicLimits:
    """The limits of a topic; Kafka's defaults where it does not tell.

    Args:
        settings: whose brokers are asked.
        topic: its name.
        waiting: told the reason before each further try.

    Raises:
        TransportError: Kafka is not reached.
    """
    return asyncio.run(_asked(settings, topic, waiting))


async def _asked(settings: Settings, topic: str, waiting: Callable[[str], None]) -> TopicLimits:
    deadline_s = asyncio.get_running_loop().time() + connect.LOOK_UP_S
    found = await ask(settings, lambda admin: limits(admin, [topic]), deadline_s, waiting)
    return found[topic]
