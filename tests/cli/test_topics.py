"""``rtml topics create``; what it makes on a real Kafka is in ``tests/kafka``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Rtml, change
from tests.net import free_ports
from worker.stream.embedded import EmbeddedBroker


def test_topics_that_exist_are_left_alone(rtml: Rtml, graph: Path) -> None:
    """Each topic of the graph is listed once, with the partitions that it has."""
    with EmbeddedBroker({"tx": 1, "tx-scored": 2, "tx-dlq": 3}) as broker:
        done = rtml("topics", "create", graph, "--brokers", broker.bootstrap, "-o", "json")
        shown = rtml("topics", "create", graph, "--brokers", broker.bootstrap)
    assert (done.code, done.err) == (0, "")
    assert done.json == [
        {"topic": "tx", "partitions": 1, "new": False},
        {"topic": "tx-scored", "partitions": 2, "new": False},
        {"topic": "tx-dlq", "partitions": 3, "new": False},
    ]
    assert shown.out.splitlines()[0] == "exists  tx         1 partitions"


@pytest.mark.long
def test_a_broker_that_cannot_make_topics_is_told(rtml: Rtml, graph: Path) -> None:
    """Without a controller, such as in the embedded broker: exit 3 and the reason."""
    with EmbeddedBroker({"tx": 1}) as broker:
        done = rtml("topics", "create", graph, "--brokers", broker.bootstrap)
    assert (done.code, done.out) == (3, "")
    assert "has no controller" in done.err


def test_a_bad_graph_is_refused_before_kafka_is_asked(rtml: Rtml, graph: Path) -> None:
    """Exit 2 with the problem, though nobody listens."""
    change(graph, "tx-scored", "tx scored")
    (port,) = free_ports(1)
    done = rtml("topics", "create", graph, "--brokers", f"127.0.0.1:{port}")
    assert (done.code, done.out) == (2, "")
    assert "sink.topic" in done.err


def test_kafka_that_is_not_there_is_told(rtml: Rtml, graph: Path) -> None:
    """After --wait seconds: exit 3, with the address."""
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    done = rtml("topics", "create", graph, "--brokers", address, "--wait", "0")
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines()[-1].startswith(f"rtml: cannot reach Kafka at {address}: ")
