"""Dead letters: whole, true, never skipped where they cannot be written, and replayed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from faults.finding import Finding, counts
from faults.payload import check, record
from faults.poison import BAD, GOOD, NODES, SCHEMA
from faults.stage import PATIENCE_S, Stage
from tests.kafka.client import Header, Record, Stored, committed, create_topic, produce, read_all
from tests.kafka.configure import configure_topic
from tests.kafka.service import MODEL, Service
from tests.kafka.test_commands import rtml

HEADERS: list[Header] = [("traceparent", b"00-1-2-01"), ("h", b"\xff"), ("h", None)]
PLACE = ("topic", "partition", "offset", "timestamp")
ALWAYS = (*PLACE, "group", "service", "graph", "stage", "error", "message", "attempt")
TIMES = ("first-at", "at")
IN_NODE = ("node",)
LIMIT = 20_000
REFUSED = 3


def run(stage: Stage) -> Iterator[Finding]:
    """Four promises about dead letters."""
    service, sent = _service(stage), _load(stage.size(4_000, 800))
    produce(stage.bootstrap, service.source, sent)
    stage.say("written")
    with service.worker():
        service.settled(timeout_s=PATIENCE_S)
    yield _written(service, sent)
    stage.say("replayed")
    yield _replayed(stage, service)
    stage.say("refused")
    yield _refused(stage)
    stage.say("missing")
    yield _missing(stage)


def _service(stage: Stage, **given: Any) -> Service:
    nan = MODEL.with_name("nan.onnx").read_bytes()
    terms: dict[str, Any] = {
        "nodes": NODES,
        "source": {"schema": SCHEMA},
        "sink": {"fields": ["score"]},
    }
    return stage.service(**{**terms, "models": {"nan.onnx": nan}, **given})


def _load(n: int) -> list[Record]:
    """Events with headers, every fourth one bad."""
    ways: list[dict[str, Any]] = [{}, *BAD.values()]
    sent = [
        record(seq, **{**GOOD, **ways[seq // 4 % 4 if seq % 4 == 3 else 0]}) for seq in range(n)
    ]
    for at in range(3, n, 16):  # by turns: no JSON, and what `BAD` says
        sent[at] = Record(b"\xffno json %d" % at, sent[at].key, timestamp_ms=sent[at].timestamp_ms)
    return [Record(one.value, one.key, HEADERS, one.timestamp_ms) for one in sent]


def _written(service: Service, sent: list[Record]) -> Finding:
    dead, source = service.dead_letters(), read_all(service.bootstrap, service.source)
    origins = {(one.partition, one.offset): one for one in source}
    whole = sum(_is_complete(one) for one in dead)
    true = sum(_is_true(one, origins) for one in dead)
    verdict = check(sent, service.scored(), dead)
    bad = len(range(3, len(sent), 4))
    return Finding(
        "letters",
        f"{len(sent):,} events with headers, every fourth one bad: no JSON, validate, node, NaN",
        f"{counts(verdict)}, dead letters {len(dead)}/{bad}, with all headers {whole}/{len(dead)}, "
        f"equal to the record that they name in key, value, headers and time {true}/{len(dead)}",
        "dead letters = bad, 100 % complete, 100 % equal",
        len(dead) == whole == true == bad and not verdict.lost + verdict.altered,
    )


def _is_complete(letter: Stored) -> bool:
    stage = letter.header("rtml-dlq-stage")
    names = (*ALWAYS, *TIMES, *(() if stage == b"decode" else IN_NODE))
    return all(letter.header(f"rtml-dlq-{name}") for name in names)


def _is_true(letter: Stored, origins: dict[tuple[int, int], Stored]) -> bool:
    place = [letter.header(f"rtml-dlq-{name}") for name in ("partition", "offset")]
    origin = origins.get((int(place[0] or -1), int(place[1] or -1)))
    return (
        origin is not None
        and (letter.key, letter.value) == (origin.key, origin.value)
        and letter.headers[: len(origin.headers)] == origin.headers
        and letter.timestamp_ms == origin.timestamp_ms
        and letter.header("rtml-dlq-timestamp") == str(origin.timestamp_ms).encode()
    )


def _replayed(stage: Stage, service: Service) -> Finding:
    letters = len(service.dead_letters())
    codes = [rtml(stage.bootstrap, "dlq", "replay", service.dead, "--yes") for _ in range(2)]
    back = [one.header("rtml-dlq-replay-of") for one in read_all(stage.bootstrap, service.source)]
    copies = Counter(mark for mark in back if mark is not None)
    twice = copies.total() - len(copies)
    bad = [done.returncode for done in codes if done.returncode]
    return Finding(
        "letters",
        "all of them replayed to their source, twice",
        f"in the source again {len(copies)}/{letters}, duplicated {twice}, exits other than 0: "
        f"{len(bad)}/2",
        "all, duplicated 0, exits 0",
        len(copies) == letters and not twice and not bad,
    )


def _refused(stage: Stage) -> Finding:
    """A dead letter that its topic does not take: nothing behind it is committed."""
    service = _service(stage, dead_config={"max.message.bytes": str(LIMIT)})
    large = Record(b"x" * 2 * LIMIT, b"large", timestamp_ms=1)
    sent = [*_load(200), large, *(record(seq, **GOOD) for seq in range(1_000, 1_200))]
    places = produce(stage.bootstrap, service.source, sent)
    with service.worker() as worker:
        code = worker.wait(PATIENCE_S)
    at = places[200]
    done = committed(stage.bootstrap, service.group, service.source).get(at[0], 0)
    configure_topic(stage.bootstrap, service.dead, "max.message.bytes", str(4 * LIMIT))
    with service.worker():
        service.settled(timeout_s=PATIENCE_S)
    verdict = check(sent, service.scored(), service.dead_letters())
    return Finding(
        "letters",
        "a dead letter that is too large for its topic, which is then given room",
        f"exit {code}, committed up to offset {done} of its {at[1]}; after that {counts(verdict)}",
        f"exit {REFUSED}, not committed, lost 0 in the end",
        code == REFUSED and done <= at[1] and not verdict.lost + verdict.reordered,
    )


def _missing(stage: Stage) -> Finding:
    """No dead-letter topic: refused before anything is read."""
    service = _service(stage, create=False)
    for topic in (service.source, service.sink):
        create_topic(stage.bootstrap, topic)
    sent = _load(200)
    produce(stage.bootstrap, service.source, sent)
    with service.worker() as worker:
        code = worker.wait(PATIENCE_S)
    done = sum(committed(stage.bootstrap, service.group, service.source).values())
    create_topic(stage.bootstrap, service.dead)
    with service.worker():
        service.settled(timeout_s=PATIENCE_S)
    verdict = check(sent, service.scored(), service.dead_letters())
    return Finding(
        "letters",
        "no dead-letter topic at the start, which is then made",
        f"exit {code}, committed {done}/{len(sent)}; after that {counts(verdict)}",
        "an exit other than 0, committed 0, lost 0 in the end",
        code != 0 and done == 0 and not verdict.lost + verdict.duplicated,
    )
