"""Connections whose other end is gone without a word, while new ones are let through."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from faults.wire import Wire
from tests.broker import Listener
from tests.kafka.conftest import jar_kafka
from tests.kafka.feeder import Feeder
from tests.kafka.reading import Reader
from tests.kafka.service import make_service
from tests.kafka.verdict import events, judge
from tests.kafka.waiting import until

PASSED_S = 2.0
"""After which what was written before has been read: it is no answer."""
BACK_S = 20.0
"""Some 8 s here. A request's own time is 40 s, the consumer's and then the producer's."""


@pytest.mark.long
@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_connections_without_another_end_are_replaced(tmp_path: Path, guarantee: str) -> None:
    """Long before the requests' own time is over; nothing is lost."""
    sent = events(200 * 240)
    wire = Wire()
    proxied = Listener("PROXIED", advertised_port=wire.port)
    with jar_kafka(listeners=[proxied]) as kafka, wire:
        wire.start(kafka.address("PROXIED"))
        service = make_service(kafka.bootstrap, tmp_path, partitions=4, guarantee=guarantee)
        with (
            service.worker(bootstrap=wire.address) as worker,
            Feeder(kafka.bootstrap, service.source, sent, 200) as feed,
            Reader(kafka.bootstrap, service.sink, 4) as reader,
        ):
            until(lambda: reader.seen)
            wire.orphan()
            since_s = time.monotonic()
            until(lambda: reader.seen_s[-1] > since_s + PASSED_S, 120.0)
            after = (at_s - since_s for at_s in reader.seen_s if at_s > since_s + PASSED_S)
            back_s = next(after)
            print(f"first output after {back_s:.1f} s")
            feed.stop()
            service.settled()
            assert worker.terminate() == 0
            assert worker.log_events("connections_dead")
        verdict = judge(sent[: feed.sent], service.scored())
    assert (verdict.lost, verdict.reordered, verdict.altered) == (0, 0, 0)
    assert guarantee == "at_least_once" or verdict.duplicated == 0
    assert back_s < BACK_S
