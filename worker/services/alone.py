"""Writing to the registry so that of two clients that change one service, one follows the other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiokafka.errors import KafkaError

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream import clients
from worker.stream.connect import connect, hear, stop

log = structlog.get_logger(__name__)

CHANGE_S = 20.0
PAUSE_S, PAUSE_MAX_S = 0.05, 1.0
"""Clients that are fenced by each other draw lots: at once again, they would go on like that."""
MARK = "rtml-change"
"""Header of every record of a change: by it a client finds its own again."""


async def write_alone(
    settings: Settings,
    service_id: str,
    topic: str,
    *,
    mark: bytes,
    catch_up: Callable[[float], Awaitable[None]],
    landed: Callable[[], bool],
    decide: Callable[[], Mapping[str, bytes | None]],
    waiting: Callable[[str], None],
) -> None:
    """Writes what ``decide`` returns, all or nothing, by a producer that fences those before it.

    A commit that Kafka does not answer may have been done: it is looked for before it is repeated.

    Args:
        settings: whose brokers are written to.
        service_id: whose records they are; who changes the same one is kept out.
        topic: where they go.
        mark: of this change, like no other.
        catch_up: reads the topic to its end, until a time of the loop's clock.
        landed: whether a record with the mark was read.
        decide: called when no other client's change can come in between any more; again, where
            somebody else was faster.
        waiting: told why Kafka is not reached yet.

    Raises:
        ConfigError: what ``decide`` raises.
        TransportError: Kafka is not reached, or refuses.
    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + CHANGE_S
    pause_s = PAUSE_S
    while True:
        producer = await connect(
            settings,
            lambda: clients.transactional(settings, f"rtml-service/{service_id}"),
            deadline_s,
            waiting,
        )
        try:
            # Whoever was before us is fenced now: what it wrote, we can read.
            await catch_up(deadline_s)
            if landed():
                return
            records = decide()
            async with producer.transaction():
                for key, value in records.items():
                    headers = [(MARK, mark)]
                    await producer.send_and_wait(topic, value, key.encode(), headers=headers)
            break
        except KafkaError as error:
            hear(producer)
            if loop.time() > deadline_s:
                message = f"changing service '{service_id}': {type(error).__name__}: {error}"
                raise TransportError(message, retriable=True) from error
            log.info("change_repeated", service=service_id, error=type(error).__name__)
        finally:
            await stop(producer)
        await asyncio.sleep(random.uniform(0, pause_s))
        pause_s = min(2 * pause_s, PAUSE_MAX_S)
    await catch_up(loop.time() + CHANGE_S)
