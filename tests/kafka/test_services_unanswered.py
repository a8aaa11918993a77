"""Kafka does what it is asked and does not answer: changes are made once, reading is repeated."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from tests.services.support import published
from worker.errors import ConfigError, TransportError
from worker.services import deploy
from worker.services.journal import Journal
from worker.services.records import Service
from worker.settings import Settings
from worker.stream import clients

pytestmark = pytest.mark.long

REACH_S = 30.0


def losing(method: str, times: int, make: Callable[..., Any]) -> Callable[..., Any]:
    """Makes clients that do what ``method`` asks, of which the first answers are lost."""
    left = times

    def made(*given: Any) -> Any:
        client = make(*given)
        work = getattr(client, method)

        async def unanswered(*asked: Any) -> Any:
            nonlocal left
            answer = await work(*asked)
            if left:
                left -= 1
                raise KafkaTimeoutError
            return answer

        setattr(client, method, unanswered)
        return client

    return made


@asynccontextmanager
async def fraud(bootstrap: str, name: str) -> AsyncIterator[Journal]:
    """A journal in which a service of that name has three versions; it is deleted at the end."""
    async with Journal(Settings(brokers=bootstrap), REACH_S) as journal:
        await deploy.publish(journal, *published(2), location=name, service_id=name, wait_s=0)
        for factor in (3, 4):
            await deploy.update(journal, name, *published(factor), wait_s=0)
        try:
            yield journal
        finally:
            if name in journal.registry.services:
                await deploy.delete(journal, name, wait_s=0)


CHANGES: dict[str, Callable[[Journal, str], Awaitable[object]]] = {
    "update": lambda journal, name: deploy.update(journal, name, *published(5), wait_s=0),
    "rollback": lambda journal, name: deploy.rollback(journal, name, None, wait_s=0),
    "pause": lambda journal, name: deploy.want(journal, name, "paused", wait_s=0),
}


@pytest.mark.parametrize(
    ("change", "version", "versions"), [("update", 4, 4), ("rollback", 2, 3), ("pause", 3, 3)]
)
def test_an_unanswered_commit_is_not_repeated(
    kafka: str, monkeypatch: pytest.MonkeyPatch, change: str, version: int, versions: int
) -> None:
    """The change stands in the registry; it is found there and not made a second time."""
    name = f"s-{uuid.uuid4().hex[:8]}"

    async def run() -> tuple[Service, int]:
        async with fraud(kafka, name) as journal:
            forgetful = losing("commit_transaction", 1, clients.transactional)
            monkeypatch.setattr(clients, "transactional", forgetful)
            await CHANGES[change](journal, name)
            return journal.registry.find(name), len(journal.registry.versions[name])

    service, count = asyncio.run(run())
    assert (service.version, count) == (version, versions)


def test_an_unanswered_publish_and_delete(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service does not stand in its own way, and what is deleted is not missed."""
    name = f"s-{uuid.uuid4().hex[:8]}"

    async def run() -> tuple[int, list[str]]:
        async with Journal(Settings(brokers=kafka), REACH_S) as journal:
            forgetful = losing("commit_transaction", 1, clients.transactional)
            monkeypatch.setattr(clients, "transactional", forgetful)
            await deploy.publish(journal, *published(2), location=name, service_id=name, wait_s=0)
            version = journal.registry.find(name).version
            forgetful = losing("commit_transaction", 1, clients.transactional)
            monkeypatch.setattr(clients, "transactional", forgetful)
            await deploy.delete(journal, name, wait_s=0)
            return version, [one for one in journal.registry.services if one == name]

    assert asyncio.run(run()) == (1, [])


def test_the_ends_are_asked_for_again(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost answer about where the topics end is waited for; the reason is told."""
    reasons: list[str] = []
    monkeypatch.setattr(clients, "reader", losing("end_offsets", 2, clients.reader))

    async def run() -> None:
        async with Journal(Settings(brokers=kafka), REACH_S, reasons.append):
            pass

    asyncio.run(run())
    assert len(reasons) == 2


def test_no_answer_in_time(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after the time that was given, as everything that Kafka does not answer."""
    monkeypatch.setattr(clients, "reader", losing("end_offsets", 1_000, clients.reader))

    async def run() -> None:
        async with Journal(Settings(brokers=kafka), 3.0):
            pass

    with pytest.raises(TransportError, match="cannot reach Kafka"):
        asyncio.run(run())


def test_a_taken_id_is_still_refused(kafka: str) -> None:
    """What somebody else wrote is not taken for one's own."""
    name = f"s-{uuid.uuid4().hex[:8]}"

    async def run() -> None:
        async with fraud(kafka, name) as journal:
            await deploy.publish(journal, *published(2), location=name, service_id=name, wait_s=0)

    with pytest.raises(ConfigError, match="there is a service of that id"):
        asyncio.run(run())
