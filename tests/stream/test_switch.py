"""A service's circuit breaker: which outcomes count, and what it tells of itself."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from tests.kafka.metrics import total
from worker.codec.outcome import Drop, Outcomes
from worker.errors import Fault, Stage
from worker.settings import Settings
from worker.stream.meter import Meters
from worker.stream.switch import BROKEN, PROBE_EVENTS, Switch


class Desk:
    """A switch with a clock and a page of metrics that the test reads."""

    def __init__(self, **settings: Any) -> None:
        self.now_s, self.turns = 0.0, 0
        self.meters = Meters()
        meter = self.meters.of("fraud", "tx")
        self.switch = Switch(Settings(**settings), meter, self.turned, lambda: self.now_s)

    def turned(self) -> None:
        """Counts."""
        self.turns += 1

    @property
    def gauge(self) -> float:
        """What `rtml_breaker_open` shows."""
        page = generate_latest(self.meters.registry).decode()
        return total(page, "rtml_breaker_open", service="fraud")


def outcomes(events: int, *errors: str, drops: int = 0) -> Outcomes:
    """So many, of which some were dropped and some failed by these errors at node ``m``."""
    faults = [Fault(row, Stage.SCORE, error, "", "m") for row, error in enumerate(errors)]
    dropped = [Drop(len(faults) + i, "tombstone") for i in range(drops)]
    gone = len(faults) + drops
    return Outcomes([None] * gone + [b"{}"] * (events - gone), faults, dropped)


@pytest.mark.parametrize("error", sorted(BROKEN))
def test_the_graph_is_to_blame(error: str) -> None:
    """A node or model that raised, a model that was late, a number that is none."""
    desk = Desk()
    assert not desk.switch.admits(outcomes(100, *[error] * 100))


@pytest.mark.parametrize("error", ["MalformedJson", "RangeError", "MissingFeature", "VectorError"])
def test_an_event_is_to_blame(error: str) -> None:
    """What an event's own values are rejected for never opens it, not even all of a topic."""
    desk = Desk()
    assert all(desk.switch.admits(outcomes(1_000, *[error] * 1_000)) for _ in range(10))


def test_the_share_is_of_what_could_be_scored() -> None:
    """Neither drops nor events that are to blame themselves hide that all others break."""
    desk = Desk()
    assert desk.switch.admits(outcomes(10_000, *["NodeError"] * 50, drops=9_900))
    rest = ["MalformedJson"] * 9_000 + ["NodeError"] * 50
    assert not desk.switch.admits(outcomes(9_050, *rest))


def test_it_tells_when_it_opens_and_closes() -> None:
    """One ERROR, whatever the probes find; a reason, the metric, and a call each time it turns."""
    desk = Desk()
    assert (desk.switch.reason, desk.switch.most(2_048), desk.gauge) == ("", 2_048, 0)
    with capture_logs() as logs:
        assert not desk.switch.admits(outcomes(100, *["ModelFailed"] * 90))
        assert (desk.switch.rests, desk.gauge, desk.turns) == (True, 1, 1)
        told = "90 of 100 events broke in the graph, the last by ModelFailed at node 'm'"
        assert desk.switch.told() == f"the circuit breaker is open: {told}; tried again in 10 s"
        desk.now_s = 10.0
        assert (desk.switch.rests, desk.switch.most(2_048)) == (False, PROBE_EVENTS)
        assert desk.switch.told().endswith("; being tried again")
        assert not desk.switch.admits(outcomes(1, "NodeError"))
        assert (desk.switch.rests, desk.turns) == (True, 1)
        desk.now_s = 30.0
        assert desk.switch.admits(outcomes(2, "NodeError"))
        assert (desk.switch.reason, desk.switch.rests, desk.gauge, desk.turns) == ("", False, 0, 2)
    assert [(one["log_level"], one["event"]) for one in logs] == [
        ("error", "breaker_open"),
        ("warning", "breaker_probe_failed"),
        ("info", "breaker_closed"),
    ]


@pytest.mark.parametrize("by", ["resume", "update"])
def test_closed_by_hand(by: Any) -> None:
    """Events flow at once; where it is closed already there is nothing to tell."""
    desk = Desk()
    desk.switch.close(by)
    assert desk.turns == 0
    assert not desk.switch.admits(outcomes(100, *["ModelFailed"] * 100))
    with capture_logs() as logs:
        desk.switch.close(by)
    assert (desk.switch.reason, desk.switch.rests, desk.gauge, desk.turns) == ("", False, 0, 2)
    assert [(one["event"], one["by"]) for one in logs] == [("breaker_closed", by)]


def test_good_events_may_open_it() -> None:
    """Where the window had too few to judge by; what broke before is told."""
    desk = Desk()
    assert desk.switch.admits(outcomes(99, *["NotFinite"] * 60))
    assert not desk.switch.admits(outcomes(1))
    assert "60 of 100 events broke in the graph, the last by NotFinite" in desk.switch.reason
