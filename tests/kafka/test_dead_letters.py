"""Dead letters: the event as it was, byte for byte, and why it is there."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, replace

import pytest

from tests.kafka.client import Header, Record, Stored, produce
from tests.kafka.service import MODEL, SCORE, Service, make_service
from tests.kafka.verdict import Verdict, event, events, judge
from worker.graph.spec import load

N = 500
AT_MS = 1_712_345_678_901
HEADERS: list[Header] = [("traceparent", b"00-1-2-01"), ("h", b"\xff"), ("h", None)]
PLAUSIBLE = {"id": "plausible", "type": "Validate", "params": {"rules": {"f0": {"max": 5}}}}
DEEP = 100_000

# value -> stage and error; each kind of bad input that a stream can hold, all in one stream.
POISON: dict[bytes, tuple[str, str]] = {
    b"": ("decode", "MalformedJson"),
    b" ": ("decode", "MalformedJson"),
    b"no json": ("decode", "MalformedJson"),
    b'{"f0": 1, "f1": 2': ("decode", "MalformedJson"),
    b'{"f0": 1, "f1": 2}{"f0": 1, "f1": 2}': ("decode", "MalformedJson"),
    b'{"f0": NaN, "f1": 2}': ("decode", "MalformedJson"),
    b'{"f0": 1, "f1": 2, "other": Infinity}': ("decode", "MalformedJson"),
    b'{"f0": 1, "f1": 2, "other": "\\ud800"}': ("decode", "MalformedJson"),
    b'\xef\xbb\xbf{"f0": 1, "f1": 2}': ("decode", "MalformedJson"),
    b'{"f0": 1, "f1": 2, "other": "\xff"}': ("decode", "InvalidUtf8"),
    b"\x00\x01\x02\xfe": ("decode", "InvalidUtf8"),
    b'{"f0": 1, "f1": 2, "other": ' + b"[" * DEEP + b"]" * DEEP + b"}": ("decode", "TooDeep"),
    b"[1, 2]": ("decode", "SchemaMismatch"),
    b'"text"': ("decode", "SchemaMismatch"),
    b"null": ("decode", "SchemaMismatch"),
    b"{}": ("decode", "SchemaMismatch"),
    b'{"f0": 1}': ("decode", "SchemaMismatch"),
    b'{"f0": 1, "f1": null}': ("decode", "SchemaMismatch"),
    b'{"f0": "1", "f1": 2}': ("decode", "SchemaMismatch"),
    b'{"f0": true, "f1": 2}': ("decode", "SchemaMismatch"),
    b'{"f0": 1e400, "f1": 2}': ("decode", "SchemaMismatch"),
    b'{"f0": 6, "f1": 2}': ("validate", "RangeError"),
    b'{"f0": -1e39, "f1": 2}': ("score", "MissingFeature"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What was sent, where it was, and what came of it."""

    service: Service
    sent: list[Record]
    places: list[tuple[int, int]]
    scored: list[Stored]
    dead: list[Stored]


@pytest.fixture(scope="module")
def run(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Good events, after every twentieth of them a bad one of another kind."""
    service = make_service(kafka, tmp_path_factory.mktemp("dead"), nodes=[PLAUSIBLE, SCORE])
    sent = [replace(record, headers=HEADERS) for record in events(N)]
    for number, value in enumerate(POISON, 1):
        bad = Record(value, b"\xff%d" % number, HEADERS, AT_MS + number, number % 4)
        sent.insert(20 * number, bad)
    places = produce(kafka, service.source, sent)
    with service.worker() as worker:
        service.settled()
        assert worker.terminate() == 0
    return Run(service, sent, places, service.scored(), service.dead_letters())


def text(record: Stored, name: str) -> str | None:
    """One of our headers."""
    value = record.header(f"rtml-dlq-{name}")
    return None if value is None else value.decode()


def test_every_kind_of_bad_event_costs_itself_only(run: Run) -> None:
    """Each is one dead letter that kept value, key, headers and time; no other event is hurt."""
    assert judge(run.sent, run.scored, run.dead) == Verdict(len(run.sent), 0, 0, 0, 0)
    assert len(run.dead) == len(POISON)


@pytest.mark.parametrize("value", POISON, ids=[repr(value[:40]) for value in POISON])
def test_the_reason_is_told(run: Run, value: bytes) -> None:
    """Stage and error are those of the kind, and the message is short."""
    (found,) = [one for one in run.dead if one.value == value]
    assert (text(found, "stage"), text(found, "error")) == POISON[value]
    message = text(found, "message") or ""
    assert 0 < len(message.encode()) <= 1_024


def test_every_header_of_the_contract_is_there(run: Run) -> None:
    """Where it was, who rejected it, when, and with what: one header each, after the original."""
    number = list(POISON).index(b'{"f0": 6, "f1": 2}') + 1
    (found,) = [one for one in run.dead if one.key == b"\xff%d" % number]
    partition, offset = run.places[20 * number]
    wanted = {
        "topic": run.service.source,
        "partition": str(partition),
        "offset": str(offset),
        "timestamp": str(AT_MS + number),
        "group": run.service.group,
        "service": run.service.name,
        "graph": load(run.service.graph)[0].digest[:12],
        "node": "plausible",
        "stage": "validate",
        "error": "RangeError",
        "message": text(found, "message"),
        "model": f"lr.onnx:{hashlib.sha256(MODEL.read_bytes()).hexdigest()[:12]}",
        "attempt": "1",
        "first-at": text(found, "at"),
        "at": text(found, "at"),
    }
    assert found.headers[: len(HEADERS)] == HEADERS
    ours = {name: (value or b"").decode() for name, value in found.headers[len(HEADERS) :]}
    assert ours == {f"rtml-dlq-{name}": value for name, value in wanted.items()}
    assert len(found.headers) == len(HEADERS) + len(wanted)
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(wanted["at"] or "")
    assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=5)
    assert "f0" in (wanted["message"] or "")


@pytest.mark.long
def test_a_dead_letter_that_fails_again_counts_its_attempts(run: Run) -> None:
    """Sent again as it lies there, it is a dead letter once more: attempt 2, first time kept."""
    (first,) = [one for one in run.dead if one.value == b"no json"]
    again = Record(first.value, first.key, [*first.headers, ("rtml-dlq-replay-of", b"x")], AT_MS)
    produce(run.service.bootstrap, run.service.source, [again, Record(event(N), b"good")])
    with run.service.worker():
        run.service.settled()
    (second,) = [one for one in run.service.dead_letters() if text(one, "attempt") == "2"]
    assert text(second, "first-at") == text(first, "first-at")
    assert text(second, "replay-of") == "x"
    assert second.headers[: len(HEADERS)] == HEADERS
    assert len(second.headers) == len(first.headers) + 1
