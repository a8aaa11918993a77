"""A model that never returns on some event: the event is a dead letter, the worker goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.kafka.client import Record, produce
from tests.kafka.service import MODEL, SCORE, make_service
from tests.kafka.verdict import START_MS, Verdict, events, judge

N = 4_000
PLACES = (500, 3_000, 3_100, 3_200, 3_201)
"""More in one batch than are looked for at a time."""
HANG = b'{"seq": -%d, "f0": 5000, "f1": 0}'
NODE = {
    "id": "model",
    "type": "ONNXNode",
    "params": {"model": "endless.onnx", "features": ["f0"], "outputs": {"same": "Y"}},
}


@pytest.mark.alone
@pytest.mark.long
def test_events_on_which_a_model_hangs(kafka: str, tmp_path: Path) -> None:
    """Each is ended and rejected as late, its neighbours are scored, the group sees nothing."""
    shutil.copy(MODEL.with_name("endless.onnx"), tmp_path)
    service = make_service(kafka, tmp_path, nodes=[SCORE, NODE], sink={"fields": ["score"]})
    sent = events(N)
    for place in PLACES:
        sent.insert(place, Record(HANG % place, sent[place].key, timestamp_ms=START_MS))
    produce(kafka, service.source, sent)
    limits = {"RTML_MODEL_TIMEOUT_MS": "500", "RTML_SESSION_TIMEOUT_MS": "6000"}
    with service.worker(environment=limits) as worker:
        service.settled(timeout_s=120)
        assigned = worker.log_events("partitions_assigned")
        code = worker.terminate()
    scored, dead = service.scored(), service.dead_letters()
    assert judge(sent, scored, dead) == Verdict(N + len(PLACES), 0, 0, 0, 0)
    assert {one.value for one in dead} == {HANG % place for place in PLACES}
    told = [(one.header("rtml-dlq-stage"), one.header("rtml-dlq-error")) for one in dead]
    assert told == [(b"score", b"ModelTimeout")] * len(PLACES)
    assert len(assigned) == 1
    assert code == 0
