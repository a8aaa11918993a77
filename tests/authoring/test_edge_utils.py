"""EdgeUtils without Kafka: what it says, and what it does not."""

from __future__ import annotations

import logging

import pytest

from tests.net import free_ports
from worker.authoring import EdgeUtils, edge_utils
from worker.errors import TransportError


@pytest.mark.parametrize("chosen", [logging.NOTSET, logging.ERROR])
def test_a_broker_that_is_not_there_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, chosen: int
) -> None:
    """The client's log of its tries is left out, unless its level was chosen; then it stays."""
    monkeypatch.setattr(edge_utils, "REACH_S", 0.5)
    client = logging.getLogger("aiokafka")
    monkeypatch.setattr(client, "level", chosen)
    (port,) = free_ports(1)
    with pytest.raises(TransportError, match=f"127.0.0.1:{port}"):
        EdgeUtils(brokers=f"127.0.0.1:{port}").list_deployed_services()
    tries = [record for record in caplog.records if record.name.startswith("aiokafka")]
    assert bool(tries) == (chosen != logging.NOTSET)
    assert client.level == chosen
