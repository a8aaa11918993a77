"""Several services in one worker: a broken one stops alone."""

from __future__ import annotations

from pathlib import Path

from tests.kafka.client import Record, produce
from tests.kafka.service import make_service, serve
from tests.kafka.verdict import Verdict, events, judge
from tests.kafka.waiting import until

TOO_LARGE = {"max.message.bytes": "2000"}


def test_a_broken_service_stops_alone(kafka: str, tmp_path: Path) -> None:
    """The other goes on scoring, readiness says which one stopped and why; the exit code is 3."""
    broken = make_service(kafka, tmp_path, label="broken", partitions=1, dead_config=TOO_LARGE)
    sound = make_service(kafka, tmp_path, label="sound", partitions=1)
    with serve([broken, sound], tmp_path) as worker:
        worker.wait_ready()
        produce(kafka, broken.source, [Record(b"x" * 10_000, b"k")])
        until(lambda: worker.log_events("service_failed"))
        produce(kafka, sound.source, events(500))
        sound.settled()
        status, told = worker.get("/health/ready")
        code = worker.terminate()
    assert status == 503
    assert f"{broken.name}: stopped: dead letter of {broken.source}-0@0" in told
    assert sound.name not in told
    assert judge(events(500), sound.scored()) == Verdict(500, 0, 0, 0, 0)
    assert code == 3
