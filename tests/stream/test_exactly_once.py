"""Exactly once without Kafka; tests/kafka/test_exactly_once.py shows what it promises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition

from tests.graph.support import graph, node, planned
from worker.errors import TransportError
from worker.settings import Settings
from worker.stream import exactly_once
from worker.stream.delivery import Surroundings
from worker.stream.exactly_once import ExactlyOnce
from worker.stream.meter import Meters
from worker.stream.terms import Known, Terms

PLAN = planned(graph(node("times", "Arithmetic", left="a", op="*", right=2, into="x")))
PARTITION = TopicPartition("in", 0)


class Refused(ExactlyOnce):
    """Gets no producer."""

    async def _start(self, partition: TopicPartition) -> Any:
        raise TransportError(f"no producer for {partition.partition}", retriable=True)


def test_an_outage_may_last_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a lane broke before, the next try comes after the longest pause."""
    monkeypatch.setattr(exactly_once, "AGAIN_MAX_S", 0.0)

    async def run() -> None:
        terms = Terms("fraud", Settings(), "rtml-fraud", None, None)
        meter = Meters().of("fraud", "in")
        around = Surroundings(terms, None, meter, lambda _: None, lambda _: None)
        ours = Refused(around, PLAN, Known({}, {}))
        ours._tries[PARTITION] = 5_000
        await ours.open(PARTITION, None)  # type: ignore[arg-type]  # it does not come to that

    with pytest.raises(TransportError, match="no producer for 0"):
        asyncio.run(run())
