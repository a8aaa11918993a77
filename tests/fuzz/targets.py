"""What is fuzzed: each target takes anything and says, in short, what became of it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.codec.strategies import RECORDS, SCHEMA
from tests.fuzz.texts import graph_texts
from tests.graph.support import DATA
from worker.codec.decode import Decoder
from worker.codec.encode import Encoder
from worker.errors import ConfigError, Fault, Problem, Stage
from worker.graph.plan import plan
from worker.graph.spec import parse
from worker.graph.text import Document
from worker.schema import parse as parse_schema
from worker.stream.fetched import Fetched
from worker.stream.lineage import Lineage
from worker.stream.tools.letters import Letter, Wanted
from worker.stream.tools.read import Stored
from worker.stream.tools.replay import Routes
from worker.stream.topics import TopicLimits

NOW_MS = 1_767_225_600_000
_SCHEMA = parse_schema(SCHEMA)
_DECODER = Decoder(_SCHEMA, _SCHEMA.columns, ["count", "score"])
_ENCODER = Encoder(["count"], merge=True)
_LINEAGE = Lineage("fraud", "rtml-fraud", "0123456789ab", "")
_DETAILS = re.compile(r"'[^']*'|`[^`]*`|\"[^\"]*\"|\d+|\\u\w+")
Headers = list[tuple[str, bytes | None]]


def _brief(text: str) -> str:
    """A message without the names and numbers in it."""
    return _DETAILS.sub("_", text.partition("\n")[0])[:120]


def decoder(value: bytes | None) -> str:
    """What is read is written again as strict JSON; what is not has one fault or drop."""
    decoded = _DECODER.decode([value, b'{"required":1}'])
    assert decoded.batch.rows.tolist()[-1] == 1
    if decoded.faults:
        (fault,) = decoded.faults
        return f"{fault.error}: {_brief(fault.message)}"
    if decoded.drops:
        return decoded.drops[0].reason
    (written, _), faults = _ENCODER.encode(
        decoded.batch, [value, b'{"required":1}'], decoded.carries
    )
    assert not faults
    json.loads(written, parse_constant=pytest.fail)
    return f"read, {'with' if decoded.carries else 'without'} a field of the sink"


def graph(text: str) -> str:
    """A graph is planned, or refused with problems that have a place."""
    problems: tuple[Problem, ...] = ()
    try:
        document = Document(text, "graph.yaml")
        plan(parse(document.data), DATA)
    except ConfigError as error:
        problems = error.problems
        refused = True
    else:
        refused = False
    assert refused == bool(problems)
    assert all(problem.message for problem in problems)
    return _brief(problems[0].message) if problems else "planned"


def headers(given: Headers) -> str:
    """A record becomes a letter, is listed, chosen and sent back, whatever its headers say."""
    record = Fetched("tx", 0, 7, NOW_MS, b"k", b"{}", tuple(given))  # type: ignore[arg-type]
    fault = Fault(0, Stage.DECODE, "MalformedJson", "no object")
    again = _LINEAGE.dead_letter(record, fault, NOW_MS)
    assert {"rtml-dlq-topic", "rtml-dlq-attempt", "rtml-dlq-first-at"} <= {n for n, _ in again}
    said = []
    for held in (given, again):
        letter = Letter(Stored("tx-dlq", 0, 1, NOW_MS, b"k", b"{}", tuple(held)))
        assert letter.at_ms is not None
        assert len(letter.digest) == 16
        assert [n for n, _ in letter.replayed_headers() if n == "rtml-dlq-replay-of"]
        chosen = Wanted(since_ms=NOW_MS, source_partition=0).takes(letter)
        routes = Routes({"tx": 4}, lambda _: TopicLimits())
        said.append(f"{_brief(routes.why_not(letter, NOW_MS))}{' chosen' if chosen else ''}")
    return " / ".join(said)


_NAMES = st.sampled_from(
    [f"rtml-dlq-{name}" for name in ("topic", "partition", "offset", "timestamp", "at", "attempt")]
    + ["rtml-dlq-first-at", "rtml-dlq-replay-of", "rtml-dlq-omitted", "rtml-dlq-", "traceparent"]
) | st.text(max_size=4)
_CONTENTS = (
    st.sampled_from(
        [
            *(b"tx", b"tx-dlq", b"__consumer_offsets", b"0", b"7", b"-1", b"+1", b"1_0", b" 1"),
            *("٣".encode(), "²".encode(), b"9" * 18, b"9" * 19, b"9" * 5_000, b"1e3", b"\xff"),
            *(b"2026-01-01T00:00:00Z", b"0001-01-01T00:00:00+23:59", b"2016-12-31T23:59:60Z"),
            *(b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", b"key,value,headers", b"", b"\0"),
        ]
    )
    | st.binary(max_size=6)
    | st.none()
)


_PLACE: Headers = [
    ("rtml-dlq-topic", b"tx"),
    ("rtml-dlq-partition", b"0"),
    ("rtml-dlq-offset", b"7"),
]


@dataclass(frozen=True)
class Target:
    """One part of the worker that reads what others wrote.

    Attributes:
        run: takes an input and says what became of it; raises only where that is a fault of ours.
        inputs: what is tried.
        kind: of an outcome, what does not depend on how a message is worded.
        pack: an input as JSON; ``unpack`` the other way.
    """

    run: Callable[[Any], str]
    inputs: st.SearchStrategy[Any]
    kind: Callable[[str], str]
    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _data(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


TARGETS = {
    "decoder": Target(decoder, RECORDS, lambda told: told.partition(":")[0], _text, _data),
    "graph": Target(graph, graph_texts(), lambda told: str(told == "planned"), str, str),
    "headers": Target(
        headers,
        st.builds(
            lambda place, others: [*place, *others],
            st.sampled_from([_PLACE, _PLACE, _PLACE[:2], []]),
            st.lists(st.tuples(_NAMES, _CONTENTS), max_size=3),
        ),
        lambda told: str([part.strip() == "chosen" for part in told.split("/")]),
        lambda given: [[name, _text(content)] for name, content in given],
        lambda held: [(name, _data(content)) for name, content in held],
    ),
}
