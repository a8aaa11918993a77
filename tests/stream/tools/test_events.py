"""Events from lines, their keys, and the rate at which they are due."""

from __future__ import annotations

import io
import itertools
import json
import time
from pathlib import Path

import pytest

from worker.errors import ConfigError
from worker.stream.tools.events import Pace, cycle, read, samples


def test_lines_are_kept_as_they_are() -> None:
    """Only the line's end is taken off; blanks, odd bytes and what is no JSON stay."""
    stream = io.BytesIO(b' {"a": 1}\t\n\xff\r\nno json')
    assert list(read(stream, "f", None)) == [
        (b' {"a": 1}\t', None),
        (b"\xff", None),
        (b"no json", None),
    ]


@pytest.mark.parametrize(
    ("line", "field", "key"),
    [
        (b'{"id": "\xc3\xa9"}', "id", "é".encode()),
        (b'{"id": 12}', "id", b"12"),
        (b'{"id": {"b": [1, true]}}', "id", b'{"b":[1,true]}'),
        (b'{"user": {"id": "u"}}', "user.id", b"u"),
        (b'{"user": {"id": "u"}}', "/user/id", b"u"),
        (b'{"a.b": {"c/d": "u"}}', "/a.b/c~1d", b"u"),
        (b'{"id": ""}', "id", b""),
    ],
)
def test_a_field_becomes_the_key(line: bytes, field: str, key: bytes) -> None:
    """Text as it is, anything else as JSON; by dotted path or JSON Pointer."""
    assert list(read(io.BytesIO(line), "f", field)) == [(line, key)]


@pytest.mark.parametrize(
    ("lines", "field", "message"),
    [
        (b'{"id": 1}\n\n', None, "f:2 an empty line is no event"),
        (b'{"id": 1}\n \t\n', None, "f:2 an empty line is no event"),
        (b'{"id": 1}\n{"x": 1}\n', "id", "f:2 no 'id' to take the key from"),
        (b'{"id": null}\n', "id", "f:1 no 'id' to take the key from"),
        (b'{"id": 1}\n', "id.x", "f:1 no 'id.x' to take the key from"),
        (b"[1]\n", "id", "f:1 no 'id' to take the key from"),
        (b"{\n", "id", "f:1 no JSON to take the key from: "),
        (b"\xff\n", "id", "f:1 no JSON to take the key from: "),
        (b"[" * 100_000, "id", "f:1 no JSON to take the key from: "),
    ],
)
def test_a_line_that_cannot_be_sent_is_named(lines: bytes, field: str | None, message: str) -> None:
    """An empty line, and one without the key, is refused by its number."""
    with pytest.raises(ConfigError) as refused:
        list(read(io.BytesIO(lines), "f", field))
    assert str(refused.value).startswith(message)


def test_samples_go_round(tmp_path: Path) -> None:
    """The events beside a graph are given over and over, up to a number or without end."""
    (tmp_path / "events.jsonl").write_bytes(b"1\n2\n")
    events = samples(tmp_path / "graph.yaml")
    assert [value for value, _ in cycle(events, 5)] == [b"1", b"2", b"1", b"2", b"1"]
    assert len(list(itertools.islice(cycle(events, None), 1_000))) == 1_000


def test_empty_samples_are_refused(tmp_path: Path) -> None:
    """A file without events: its name and the reason."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"")
    with pytest.raises(ConfigError, match="no event") as refused:
        samples(tmp_path / "graph.yaml")
    assert refused.value.problems[0].file == str(path)


def test_without_samples_events_are_made_up(tmp_path: Path) -> None:
    """They keep the graph's schema, are the same each time, and have keys like others."""
    graph = tmp_path / "graph.yaml"
    schema = "{type: object, required: [id], properties: {id: {type: string, minLength: 9}}}"
    graph.write_text(
        f"{{name: g, source: {{topic: a, schema: {schema}}}, sink: {{topic: b}}, "
        "nodes: [{id: x, type: Receiver}]}"
    )
    events = samples(graph, "id")
    assert len(events) == 1_000
    assert all(json.loads(value) == {"id": (key or b"").decode()} for value, key in events)
    assert all(len(key or b"") >= 9 for _, key in events)
    assert samples(graph, "id") == events


def test_without_samples_and_a_graph(tmp_path: Path) -> None:
    """A graph file that is not there either is named."""
    with pytest.raises(ConfigError, match=r"graph.yaml cannot be read"):
        samples(tmp_path / "graph.yaml")


def test_a_rate_is_kept_from_the_start_on() -> None:
    """Event i is due i / rate after the start, so that a delay is made up for afterwards."""
    before_s = time.monotonic()
    pace = Pace(10.0)
    due_s = pace.due_in_s(100)
    assert 10.0 - (time.monotonic() - before_s) <= due_s <= 10.0
    assert pace.due_in_s(0) == 0
    assert Pace(None).due_in_s(1_000_000) == 0
