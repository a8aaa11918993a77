"""What the worker counts, read back as Prometheus reads it."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client import generate_latest

from tests.kafka.metrics import samples, total
from worker.codec.outcome import Drop, Outcomes
from worker.errors import Fault, Stage
from worker.score import Timing
from worker.stream.meter import Meters

NOW_MS = 1_700_000_000_000.0


def page(meters: Meters) -> str:
    """The page of metrics."""
    return generate_latest(meters.registry).decode()


def test_a_service_that_is_gone_is_shown_no_more() -> None:
    """Its values go, those of others stay."""
    meters = Meters()
    for service in ("fraud", "churn"):
        meters.of(service, "tx").taken(4, Timing(0.001, {"score": 0.002}, 0.003))
    meters.forget("fraud")
    for name in ("rtml_stage_duration_seconds_count", "rtml_node_duration_seconds_count"):
        assert samples(page(meters), name, service="fraud") == []
        assert samples(page(meters), name, service="churn")


def test_a_batch_is_counted_by_what_became_of_it() -> None:
    """Scored, dropped by reason, dead by stage and error, unknown values; then not in flight."""
    meters = Meters()
    meter = meters.of("fraud", "tx")
    fault = Fault(1, Stage.DECODE, "MalformedJson", "no object")
    outcomes = Outcomes([b"{}", None, None, b"{}"], [fault], [Drop(2, "tombstone")])
    outcomes = replace(outcomes, unknown={("brand", "car.brand"): 2, ("sex", "gender"): 1})
    meter.taken(4, Timing(0.001, {"score": 0.002}, 0.003))
    assert total(page(meters), "rtml_in_flight_events", service="fraud") == 4
    meter.settled(outcomes, [int(NOW_MS) - 2_000] * 4, NOW_MS)
    text = page(meters)
    own = {"service": "fraud", "topic": "tx"}
    assert total(text, "rtml_events_received_total", **own) == 4
    assert total(text, "rtml_events_scored_total", **own) == 2
    assert total(text, "rtml_events_dropped_total", reason="tombstone", **own) == 1
    dead = {"stage": "decode", "error": "MalformedJson", **own}
    assert total(text, "rtml_dead_letters_total", **dead) == 1
    own_unknown = {"service": "fraud", "node": "brand", "column": "car.brand"}
    assert total(text, "rtml_unknown_values_total", **own_unknown) == 2
    assert total(text, "rtml_unknown_values_total", service="fraud") == 3
    assert total(text, "rtml_in_flight_events", service="fraud") == 0
    assert total(text, "rtml_event_age_seconds_sum", service="fraud") == 8
    assert total(text, "rtml_node_duration_seconds_sum", node="score") == 0.002
    assert total(text, "rtml_stage_duration_seconds_sum", stage="decode") == 0.001
    assert (meter.received, meter.scored, meter.dropped, meter.dead) == (4, 2, 1, 1)


def test_what_is_given_up_is_not_in_flight() -> None:
    """Events that will be read again leave the gauge, and are not counted as scored."""
    meters = Meters()
    meter = meters.of("fraud", "tx")
    meter.taken(4, Timing())
    meter.abandoned(4)
    assert total(page(meters), "rtml_in_flight_events") == 0
    assert total(page(meters), "rtml_events_scored_total") == 0


def test_a_partition_that_is_gone_shows_nothing() -> None:
    """After a revoke there is no stale lag; a partition that never reported is no error."""
    meters = Meters()
    meter = meters.of("fraud", "tx")
    meter.partition(3, frontier=7, lag=2, lag_s=1.5)
    assert samples(page(meters), "rtml_consumer_lag", partition="3") == [2]
    assert samples(page(meters), "rtml_consumer_lag_seconds", partition="3") == [1.5]
    assert samples(page(meters), "rtml_frontier_offset", partition="3") == [7]
    meter.revoked(3)
    meter.revoked(4)
    for name in ("rtml_consumer_lag", "rtml_consumer_lag_seconds", "rtml_frontier_offset"):
        assert samples(page(meters), name) == []


def test_models_are_told_by_name_and_version() -> None:
    """``name@version`` is parted; a file has no version."""
    meters = Meters()
    meters.of("fraud", "tx").loaded({"lr@3": "ab", "lr.onnx": "cd"}, 0.25)
    text = page(meters)
    assert samples(text, "rtml_model_info", model="lr", version="3", sha256="ab") == [1]
    assert samples(text, "rtml_model_info", model="lr.onnx", version="", sha256="cd") == [1]
    assert samples(text, "rtml_model_load_seconds", service="fraud") == [0.25]


def test_services_are_counted_apart() -> None:
    """Each service has its own numbers on the one page."""
    meters = Meters()
    meters.of("a", "tx").lose(5)
    meters.of("b", "tx").lose(2)
    assert samples(page(meters), "rtml_events_lost_total", service="a") == [5]
    assert samples(page(meters), "rtml_events_lost_total", service="b") == [2]
