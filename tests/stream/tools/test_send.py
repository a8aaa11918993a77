"""Sending, before Kafka is asked for anything; the tests on Kafka show the rest."""

from __future__ import annotations

import math

import pytest

from worker.settings import Settings
from worker.stream.tools.send import Sender


@pytest.mark.parametrize("wait_s", [0.0, 3_000_000.0, math.inf])
def test_one_may_wait_as_long_as_one_likes(wait_s: float) -> None:
    """Whatever ``--wait`` says, for ever too: librdkafka's own bounds are no matter of the user."""
    sender = Sender(Settings(brokers="127.0.0.1:1"), "tx", wait_s)
    assert (sender.sent, sender.failed) == (0, 0)
