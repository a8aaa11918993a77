"""Files: what is written is read again as it was."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from tests.dataset.strategies import tables
from worker.dataset.check import Checker, parsed
from worker.dataset.infer import infer
from worker.dataset.profile import Profile
from worker.dataset.read import Format, format_of, open_events
from worker.dataset.rows import MAX_ROW_BYTES
from worker.dataset.shape import Shape, shape_of
from worker.dataset.write import Output
from worker.errors import ConfigError


def write(path: Path, events: list[dict[str, Any]], shape: Shape | None = None) -> None:
    """Events into a file, by its name."""
    with Output(path, format_of(path), shape) as file:
        for event in events:
            file.add(event, msgspec.json.encode(event))
        file.finish()


def read(path: Path, shape: Shape | None = None) -> list[Any]:
    """The events of a file, by its name."""
    with open_events(path, format_of(path), shape) as found:
        pairs = [parsed(row) for row in found.rows]
    assert [reasons for _, reasons in pairs if reasons] == []
    return [event for event, _ in pairs]


def schema_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What is inferred from events."""
    profile = Profile("f")
    for event in events:
        profile.add(event)
    return infer(profile)


@settings(max_examples=60)
@given(tables())
def test_events_survive_every_format(events: list[dict[str, Any]]) -> None:
    """JSON lines, CSV and Parquet give back the events, and these fit the schema of before."""
    schema = schema_of(events)
    checker = Checker(schema)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("e.jsonl", "e.csv", "e.parquet"):
            path = Path(folder) / name
            write(path, events)
            found = read(path, checker.shape)
            assert found == events
            assert [checker.reasons(event) for event in found] == [[]] * len(found)


@settings(max_examples=40)
@given(tables())
def test_a_csv_fits_its_own_schema(events: list[dict[str, Any]]) -> None:
    """The schema that is guessed from cells accepts the rows when they are read by it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "e.csv"
        write(path, events)
        profile = Profile("f")
        for event in read(path):
            profile.add(event)
        checker = Checker(infer(profile, cells=True))
        found = read(path, checker.shape)
    assert [checker.reasons(event) for event in found] == [[]] * len(events)


def test_a_declared_schema_gives_the_columns(tmp_path: Path) -> None:
    """Its order, its types, and columns for fields that no event had; others come after."""
    schema = {
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "user": {
                "type": ["object", "null"],
                "properties": {"age": {"type": ["integer", "null"]}, "km": {"type": "number"}},
            },
            "tags": {"type": "array"},
        }
    }
    events = [
        {"more": {"x": True}, "user": None, "tags": ["a"], "at": "2026-01-01T02:00:00+02:00"},
        {"user": {"age": 3.0}},
    ]
    write(tmp_path / "e.parquet", events, shape_of(schema))
    table = pq.read_table(tmp_path / "e.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "at": "timestamp[us, tz=UTC]",
        "user.age": "int64",
        "user.km": "double",
        "tags": "list<element: string>",
        "more.x": "bool",
    }
    assert read(tmp_path / "e.parquet", shape_of(schema)) == [
        {"at": "2026-01-01T00:00:00Z", "tags": ["a"], "more": {"x": True}},
        {"user": {"age": 3}},
    ]


def test_what_has_no_one_type_is_text(tmp_path: Path) -> None:
    """Several plain types in a column are text, lists of objects and mixtures are JSON."""
    events: list[dict[str, Any]] = [
        {"a": 1, "b": [{"x": 1}], "c": {"y": 1}, "big": 2**70},
        {"a": "z", "b": [], "c": "text", "big": 1},
    ]
    write(tmp_path / "e.parquet", events)
    assert pq.read_table(tmp_path / "e.parquet").to_pylist() == [
        {"a": "1", "b": '[{"x":1}]', "c": '{"y":1}', "big": str(2**70)},
        {"a": "z", "b": "[]", "c": '"text"', "big": "1"},
    ]


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    """Given up on the way, the old file is still there, and nothing else."""
    path = tmp_path / "e.csv"
    path.write_text("old")
    with Output(path, Format.CSV) as file:
        file.add({"a": 1}, b'{"a":1}')
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"e.csv": "old"}
    write(path, [{"a": 1}])
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"e.csv": "a\n1\n"}


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """Refused at once, with the reason."""
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        Output(tmp_path / "none" / "e.csv", Format.CSV)


def test_a_line_that_is_too_long_costs_only_itself(tmp_path: Path) -> None:
    """It is never held in memory; its neighbours are read, and rows keep their numbers."""
    path = tmp_path / "e.jsonl"
    path.write_bytes(b'{"a":1}\n"' + b"x" * (2 * MAX_ROW_BYTES) + b'"\n{"a":3}')
    with open_events(path, Format.JSONL, None) as events:
        rows = list(events.rows)
    assert [(row.number, row.fault.error if row.fault else "") for row in rows] == [
        (1, ""),
        (2, "TooLong"),
        (3, ""),
    ]
    assert len(rows[1].value) <= 1_000


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_header_that_is_no_utf8_is_told(tmp_path: Path, encoding: str) -> None:
    """Its columns would be named by what the bytes happen to look like."""
    path = tmp_path / "e.csv"
    path.write_bytes("größe,b\n1,2\n".encode(encoding))
    with (
        pytest.raises(ConfigError, match="header: is not valid UTF-8; save the file as UTF-8"),
        open_events(path, Format.CSV, None),
    ):
        pass


def test_whole_floats_of_parquet_are_whole(tmp_path: Path) -> None:
    """As pandas writes whole numbers with gaps; where the schema wants integers, a graph does."""
    pq.write_table(pa.table({"n": [3.0, None, 2.5], "x": [3.0, 1.0, 2.0]}), tmp_path / "e.parquet")
    fields = {"n": {"type": ["integer", "null"]}, "x": {"type": "number"}}
    shape = shape_of({"properties": fields})
    with open_events(tmp_path / "e.parquet", Format.PARQUET, shape) as events:
        values = [row.value for row in events.rows]
    assert values == [b'{"n":3,"x":3.0}', b'{"x":1.0}', b'{"n":2.5,"x":2.0}']


def test_broken_text_in_parquet_costs_its_row(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in a column of text; the other rows are read."""
    raw = pa.array([b"a", b"\xff", b"c"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    pq.write_table(pa.table({"t": broken}), tmp_path / "e.parquet")
    with open_events(tmp_path / "e.parquet", Format.PARQUET, None) as events:
        rows = list(events.rows)
    assert [row.fault is None for row in rows] == [True, False, True]
    assert rows[2].value == b'{"t":"c"}'
