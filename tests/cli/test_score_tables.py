"""``rtml score`` on CSV and Parquet: cells become events."""

from __future__ import annotations

import datetime
import importlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Rtml
from worker.dataset.cells import converter
from worker.dataset.columns import Columns, encode
from worker.dataset.shape import shape_of
from worker.errors import ConfigError
from worker.schema import Schema, parse, path_of

SCHEMA = parse(
    {
        "type": "object",
        "required": ["id", "tenant"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "tenant": {
                "type": "object",
                "required": ["age"],
                "properties": {
                    "age": {"type": "integer"},
                    "km": {"type": "number"},
                    "known": {"type": "boolean"},
                    "at": {"type": "string", "format": "date-time"},
                    "v": {
                        "type": "array",
                        "items": {"type": "number"},
                        "minItems": 2,
                        "maxItems": 2,
                    },
                },
            },
            "note": {"type": "string", "default": "none"},
            "a.b": {"type": "number"},
        },
    }
)
SHAPE = shape_of(SCHEMA)


def scored(
    rtml: Rtml, graph: Path, text: str | bytes, *arguments: str
) -> tuple[int, list[Any], str]:
    """Exit code, scored events without their score, and stderr, for CSV."""
    stdin = text if isinstance(text, bytes) else text.encode()
    done = rtml("score", graph, "--format", "csv", *arguments, stdin=stdin)
    events = [json.loads(line) for line in done.out.splitlines()]
    for event in events:
        event.pop("score")
    return done.code, events, done.err


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("id", "x", "x"),
        ("id", "7", "7"),
        ("tenant.age", "31", 31),
        ("tenant.age", " 31 ", 31),
        ("tenant.age", "31.5", 31.5),
        ("tenant.age", "x", "x"),
        ("tenant.km", "1e3", 1000.0),
        ("tenant.km", "0.1000000000000000055", 0.1),
        ("tenant.km", ".5", 0.5),
        ("tenant.km", "+5", 5.0),
        ("tenant.km", "nan", "nan"),
        ("tenant.km", "1e999", float("inf")),
        ("tenant.known", "true", True),
        ("tenant.known", "False", False),
        ("tenant.known", "1", "1"),
        ("tenant.at", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("tenant.v", "[1, 2]", [1.0, 2.0]),
        ("tenant.v", '1],"id":["x"', '1],"id":["x"'),
    ],
)
def test_cells_become_what_the_schema_declares(field: str, cell: str, value: object) -> None:
    """Numbers keep their digits; what does not fit stays text, for the decoder to reject."""
    made = converter(SHAPE.at(path_of(field)))(cell)
    assert json.loads(encode({"x": made}))["x"] == value


def test_headers_nest_by_dots() -> None:
    """Declared names are those of the graph; undeclared ones nest too and are passed on."""
    names = ["id", "tenant.age", "tenant.other.x", "/a.b", "free"]
    columns = Columns(names, SHAPE, "f.csv")
    assert columns.event(["i", 1, "o", 2, "f"]) == {
        "id": "i",
        "tenant": {"age": 1, "other": {"x": "o"}},
        "a.b": 2,
        "free": "f",
    }
    assert columns.notes == (
        "column 'tenant.other.x' is not declared in the schema and passed on as it is",
        "column 'free' is not declared in the schema and passed on as it is",
    )


def test_an_empty_cell_is_no_field() -> None:
    """Except where a field must be there and may be null; an object that must be there stays."""
    columns = Columns(["id", "tenant.age", "note"], SHAPE, "f.csv")
    assert columns.event([None, None, None]) == {"id": None, "tenant": {}}


@pytest.mark.parametrize(
    ("names", "problems"),
    [
        (
            ["id", "tenant.ag"],
            ["no column 'tenant.age', a required field; did you mean 'tenant.ag'?"],
        ),
        (
            ["a", "b"],
            [
                "no column 'id', a required field; known: a, b",
                "no column 'tenant.age', a required field; known: a, b",
            ],
        ),
        (
            ["id", "id", "tenant.age", "tenant.age.x", "tenant"],
            [
                "column 'id' is there twice, or stands inside another column",
                "column 'tenant.age.x' is there twice, or stands inside another column",
                "column 'tenant' is there twice, or stands inside another column",
            ],
        ),
    ],
)
def test_headers_that_do_not_fit(names: list[str], problems: list[str]) -> None:
    """Missing and doubled columns are all told at once."""
    with pytest.raises(ConfigError) as caught:
        Columns(names, SHAPE, "f.csv")
    assert [problem.message for problem in caught.value.problems] == problems


def test_a_table_without_any_declared_column() -> None:
    """Where no field is required, a table of other things is still refused."""
    schema: Schema = parse({"properties": {"f0": {"type": "number"}}})
    with pytest.raises(ConfigError, match="no column is a declared field; known: f0"):
        Columns(["x", "y"], shape_of(schema), "f.csv")


def test_csv_is_scored(rtml: Rtml, graph: Path) -> None:
    """Typed and nested; quoted cells may hold commas and line breaks."""
    text = 'f0,who.name,who.known,x\n1,"a, ""b""\nc",true,7\n2.50,,,\n'
    code, events, err = scored(rtml, graph, text)
    assert code == 0
    assert events == [
        {"f0": 1, "who": {"name": 'a, "b"\nc', "known": True}, "x": "7"},
        {"f0": 2.5},
    ]
    assert "note: column 'x' is not declared" in err


def test_bad_rows_of_a_csv_cost_only_themselves(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """Too many cells, no number, no UTF-8: rejected with row and value, the others scored."""
    rejects = tmp_path / "r.jsonl"
    text = b"f0,who.name\n1,a\n1\n\nx,b\n3,\xff\n4,d\n"
    code, events, _ = scored(rtml, graph, text, "--rejects", str(rejects))
    assert code == 1
    assert [event["f0"] for event in events] == [1, 4]
    found = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(r["row"], r["error"], r["value"]) for r in found] == [
        (2, "CellCount", "1"),
        (3, "SchemaMismatch", '{"f0":"x","who":{"name":"b"}}'),
        (4, "InvalidUtf8", "3,\\xff"),
    ]
    assert found[0]["message"] == "1 cells, but the header has 2"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "stdin is empty: the first line must name the columns"),
        (b"f00\n1\n", "stdin header: no column 'f0', a required field; did you mean 'f00'?"),
        (b"\x00\x01\xff\xfe\n", "stdin header: is not valid UTF-8; save the file as UTF-8"),
        (b'f0\n1\n"2\n', "stdin:3 is no CSV: unexpected end of data"),
        (b'f0\n"1" 2\n', "stdin:2 is no CSV: ',' expected after '\"'"),
    ],
)
def test_what_is_no_csv(rtml: Rtml, graph: Path, text: bytes, problem: str) -> None:
    """Exit 2 with the place; no traceback whatever the bytes."""
    done = rtml("score", graph, "--format", "csv", stdin=text)
    assert done.code == 2
    assert problem in done.err


def test_pandas_index_column_is_left_out(rtml: Rtml, graph: Path) -> None:
    """A column without a name, as pandas writes its index, is noted and left out."""
    code, events, err = scored(rtml, graph, "\ufeff,f0\n0,1\n")
    assert (code, events) == (0, [{"f0": 1}])
    assert "note: column 1 has no name and is left out\n" in err


def test_the_name_tells_the_format(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """``.csv`` and ``.parquet`` need no --format."""
    (tmp_path / "e.csv").write_text("f0\n1\n")
    pq.write_table(pa.table({"f0": [1.0]}), tmp_path / "e.parquet")
    for name in ("e.csv", "e.parquet"):
        assert rtml("score", graph, tmp_path / name).code == 0


def test_parquet_is_scored(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """Structs and dotted columns nest; nulls and NaN are no fields; times are UTC."""
    path = tmp_path / "e.parquet"
    at = datetime.datetime(2026, 1, 2, 3, 4, 5)
    table = pa.table(
        {
            "f0": pa.array([1, 2], pa.int32()),
            "f1": pa.array([None, float("nan")], pa.float32()),
            "who": [{"name": "a", "known": None}, None],
            "at": pa.array([at, None], pa.timestamp("ns")),
            "more.day": pa.array([datetime.date(2026, 1, 2)] * 2),
        }
    )
    pq.write_table(table, path)
    done = rtml("score", graph, path)
    assert done.code == 0
    events = [json.loads(line) for line in done.out.splitlines()]
    for event in events:
        event.pop("score")
    assert events == [
        {
            "f0": 1,
            "who": {"name": "a"},
            "at": "2026-01-02T03:04:05Z",
            "more": {"day": "2026-01-02"},
        },
        {"f0": 2, "more": {"day": "2026-01-02"}},
    ]


def test_parquet_from_a_pipe(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """Parquet is read from its end, but a pipe will do."""
    pq.write_table(pa.table({"f0": [1.0, 2.0]}), tmp_path / "e")
    done = rtml("score", graph, "--format", "parquet", stdin=(tmp_path / "e").read_bytes())
    assert (done.code, len(done.out.splitlines())) == (0, 2)


def test_what_is_no_parquet(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """Other bytes, and a file cut short, are refused."""
    pq.write_table(pa.table({"f0": [1.0, 2.0]}), tmp_path / "e")
    whole = (tmp_path / "e").read_bytes()
    for data in (b"", b"f0\n1\n", whole[:-20]):
        done = rtml("score", graph, "--format", "parquet", stdin=data)
        assert (done.code, done.out) == (2, "")
        assert "stdin is no Parquet: " in done.err


def test_parquet_without_pyarrow(
    rtml: Rtml, graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the optional package is missing, the message says how to get it."""
    (tmp_path / "e.parquet").write_bytes(b"")

    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    done = rtml("score", graph, tmp_path / "e.parquet")
    assert done.code == 2
    assert "Parquet needs the package pyarrow: pip install 'rtml-worker[parquet]'" in done.err
