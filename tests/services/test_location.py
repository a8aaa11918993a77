"""What a worker says of itself while Kafka is slow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.services.support import Memory, run
from worker.models.store.store import Store
from worker.services import location
from worker.services.fleet import Fleet
from worker.services.location import Location
from worker.services.records import Presence
from worker.settings import Settings
from worker.stream.meter import Meters

BEAT_S = 0.3


class Slow(Memory):
    """A journal that takes the first word only after an outage."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[Presence] = []

    async def tell(self, records: Mapping[str, bytes | None]) -> None:
        """Late for the first time, then at once."""
        self.words += [Presence.model_validate_json(word) for word in records.values() if word]
        if len(self.words) == 1:
            await asyncio.sleep(2 * BEAT_S)


class Broken(Memory):
    """A journal with a defect."""

    async def tell(self, records: Mapping[str, bytes | None]) -> None:
        """Raises what is no refusal by Kafka."""
        raise ValueError(f"no room for {len(records)}")


def _here(folder: Path, failed: Callable[[Exception], None] = print) -> Location:
    fleet = Fleet(Settings(), Meters(), wait_s=None, create_topics=None)
    store = Store(str(folder), folder)
    return Location("edge", Settings(), fleet, store, str, failed, None)


def test_a_late_heartbeat_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment in a heartbeat that waited for Kafka is old; the next one is written at once."""
    monkeypatch.setattr(location, "HEARTBEAT_S", BEAT_S)
    journal = Slow()
    run(_here(tmp_path)._present(journal))
    first, second = journal.words
    assert second.at_ms - first.at_ms >= 1_000 * BEAT_S


def test_a_worker_that_cannot_be_seen_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without heartbeats the others take it for gone, while it serves on."""
    monkeypatch.setattr(location, "HEARTBEAT_S", 0.0)
    told: list[Exception] = []
    here = _here(tmp_path, told.append)
    run(here._beat(Broken()))
    assert [str(error) for error in told] == ["no room for 1"]
    assert here.reasons() == ["location 'edge': no room for 1"]
