"""What a worker says in the status topic: until Kafka has it, and again before it is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from tests.services.support import Memory, run
from worker.errors import TransportError
from worker.services import reports
from worker.services.reports import Reports


class Heard(Memory):
    """A journal that notes what it is told, and refuses it while Kafka is away."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, bytes | None]] = []
        self.away = False
        self.taking = asyncio.Event()
        self.taking.set()

    async def tell(self, records: Mapping[str, bytes | None]) -> None:
        """Takes all of it, or nothing."""
        await self.taking.wait()
        if self.away:
            raise TransportError("away", retriable=True)
        if records:
            self.told.append(dict(records))


def test_a_word_is_written_once() -> None:
    """What Kafka has is not written again before it is due."""

    async def work() -> Heard:
        journal, said = Heard(), Reports()
        await said.tell(journal, "a", b"1")
        await said.renew(journal)
        await said.tell(journal, "b", b"2")
        return journal

    assert run(work()).told == [{"a": b"1"}, {"b": b"2"}]


def test_a_word_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is due, with whatever is said next: the topic forgets what is a day old."""
    monkeypatch.setattr(reports, "RENEW_S", 0.0)

    async def work() -> Heard:
        journal, said = Heard(), Reports()
        await said.tell(journal, "a", b"1")
        await said.tell(journal, "b", b"2")
        return journal

    assert run(work()).told == [{"a": b"1"}, {"a": b"1", "b": b"2"}]


def test_what_is_refused_is_written_later() -> None:
    """The latest word under each key, deletions as well; the worker goes on meanwhile."""

    async def work() -> Heard:
        journal, said = Heard(), Reports()
        await said.tell(journal, "c", b"0")
        journal.away = True
        for key, word in (("a", b"1"), ("a", b"2"), ("b", b"3"), ("c", None)):
            await said.tell(journal, key, word)
        journal.away = False
        await said.renew(journal)
        return journal

    assert run(work()).told == [{"c": b"0"}, {"a": b"2", "b": b"3", "c": None}]


def test_what_is_said_while_another_word_is_written() -> None:
    """It is written next, not taken for the one before."""

    async def work() -> Heard:
        journal, said = Heard(), Reports()
        journal.taking.clear()
        first = asyncio.create_task(said.tell(journal, "a", b"1"))
        await asyncio.sleep(0)
        second = asyncio.create_task(said.tell(journal, "a", b"2"))
        await asyncio.sleep(0)
        journal.taking.set()
        await asyncio.gather(first, second)
        return journal

    assert run(work()).told == [{"a": b"1"}, {"a": b"2"}]


def test_leaving_takes_every_word_back() -> None:
    """All at once; what was deleted before is not deleted again."""

    async def work() -> Heard:
        journal, said = Heard(), Reports()
        for key, word in (("a", b"1"), ("b", b"2"), ("a", None)):
            await said.tell(journal, key, word)
        await said.leave(journal)
        return journal

    assert run(work()).told[-1] == {"b": None}
