"""``rtml dataset check`` and ``infer``, and what every command does with hostile files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import ROOT, Rtml
from tests.cli.test_progress import on_a_terminal
from tests.kafka.client import read_all
from worker.stream.embedded import EmbeddedBroker

SCHEMA = {
    "type": "object",
    "required": ["id", "user"],
    "properties": {
        "id": {"type": "integer"},
        "user": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
        },
    },
}
CAR_INSURANCE = ROOT / "graphs" / "car-insurance"


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A file with `SCHEMA`."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return path


def test_rows_that_fit_are_counted(rtml: Rtml, tmp_path: Path, schema: Path) -> None:
    """The same rows in each format, nested or by dotted columns and JSON Pointers: exit 0."""
    (tmp_path / "e.jsonl").write_text('{"id":1,"user":{"name":"7","age":3}}\n\n')
    (tmp_path / "e.csv").write_text("id,user.name,/user/age\n1,7,3\n")
    pq.write_table(pa.table({"id": [1], "user": [{"name": "7", "age": 3}]}), tmp_path / "e.parquet")
    for name in ("e.jsonl", "e.csv", "e.parquet"):
        done = rtml("dataset", "check", tmp_path / name, "--schema", schema)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("1 row: 1 fit, 0 rejected (")
        assert done.out.endswith(" rows/s)\n")


def test_rejects_are_kept_with_all_reasons(rtml: Rtml, tmp_path: Path, schema: Path) -> None:
    """Row number, JSONPath, rule, message and the row; a summary by reason: exit 1."""
    path, rejects = tmp_path / "e.csv", tmp_path / "r.jsonl"
    path.write_bytes(b"id,user.name,user.age\n1,a,-1\n2,b,\nx,,3\n4\n5,\xff,1\n6,c,-2\n")
    done = rtml("dataset", "check", path, "--schema", schema, "--rejects", rejects, "-o", "json")
    assert done.code == 1
    kept = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [
        (one["row"], [(r["path"], r["rule"]) for r in one["reasons"]], one["value"]) for one in kept
    ] == [
        (1, [("$.user.age", "minimum")], '{"id":1,"user":{"name":"a","age":-1}}'),
        (3, [("$.id", "type"), ("$.user", "required")], '{"id":"x","user":{"age":3}}'),
        (4, [("$", "CellCount")], "4"),
        (5, [("$", "InvalidUtf8")], "5,\\xff,1"),
        (6, [("$.user.age", "minimum")], '{"id":6,"user":{"name":"c","age":-2}}'),
    ]
    report = done.json
    assert (report["rows"], report["fit"], report["rejected"]) == (6, 1, 5)
    assert report["reasons"][0] == {
        "path": "$.user.age",
        "rule": "minimum",
        "rows": 2,
        "first": "row 1",
        "message": "-1 is less than the minimum of 0",
    }


def test_the_table_has_each_reason_once(rtml: Rtml, schema: Path) -> None:
    """Number of rows, path, rule, the first row and its message; and how to keep all of them."""
    lines = b'{"id":"x","user":{"name":"a"}}\n{"id":"y","user":{"name":"a"}}\n'
    done = rtml("dataset", "check", "-", "--schema", schema, stdin=lines)
    assert done.code == 1
    assert done.out.startswith("2 rows: 0 fit, 2 rejected")
    assert done.err.splitlines() == [
        "  rows  path  rule  first  message",
        '  2     $.id  type  row 1  "x" is not of type "integer"',
        "every rejected row with all reasons: --rejects FILE",
    ]


def test_what_is_inferred_fits(rtml: Rtml, tmp_path: Path) -> None:
    """infer, then check: every event of the tutorial's data fits its own schema."""
    events, schema = CAR_INSURANCE / "events.jsonl", tmp_path / "s.json"
    done = rtml("dataset", "infer", events, "--out", schema, "--enums")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("480 rows, 13 fields\n")
    rows = [line.split() for line in done.out.splitlines()]
    assert ["_experienceplatform.identification.ecid", "string", "0", "480"] in [
        row[:4] for row in rows
    ]
    assert rtml("dataset", "check", events, "--schema", schema).code == 0
    made = json.loads(schema.read_text())
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["properties"]["eventType"]["enum"] == [
        "web.webinteraction.linkClicks",
        "web.webpagedetails.pageViews",
    ]


def test_the_schema_is_data(rtml: Rtml) -> None:
    """Without --out it is on stdout, the summary on stderr; rows left out are told."""
    done = rtml("dataset", "infer", "-", "--format", "csv", stdin=b"a,b.c\n1,x\n2\n")
    assert done.code == 0
    assert done.json["properties"]["b"]["properties"] == {"c": {"type": "string"}}
    assert done.err.startswith("1 row, 2 fields\n  field  type     missing  distinct  example\n")
    assert "1 row left out; row 2: 1 cells, but the header has 2" in done.err


def test_the_summary_can_be_data(rtml: Rtml, tmp_path: Path) -> None:
    """With --out and -o json, an object for each field."""
    done = rtml(
        "dataset", "infer", "-", "--out", tmp_path / "s", "-o", "json", stdin=b'{"a":1}\n{}\n'
    )
    assert done.json == [
        {"field": "a", "type": "integer", "missing": 1, "distinct": 1, "example": "1"}
    ]


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty.jsonl": (b"", "holds no row"),
    "empty.csv": (b"", "is empty: the first line must name the columns"),
    "empty.parquet": (b"", "is no Parquet: "),
    "blank.jsonl": (b"\n\n \n", "holds no row"),
    "header.csv": (b"id,user.name\n", "holds no row"),
    "nameless.csv": (b"\n\n", "header: names no column"),
    "utf8.jsonl": (b'{"id": "\xff"}\n', "none of its rows can be read; row 1: no JSON: "),
    "utf8.csv": (b"id,user.name\n1,\xff\n", "row 1: the row is not valid UTF-8"),
    "utf16.csv": ("id,user.name\n1,a\n".encode("utf-16"), ""),
    "zeros.jsonl": (b"\0" * 100, "none of its rows can be read"),
    "long.jsonl": (b'{"id": "' + b"x" * 17_000_000, "row 1: a line of more than 16,000,000 bytes"),
    "long.csv": (b"id,user.name\n1," + b"x" * 17_000_000, ":2 is no CSV: a line of more than"),
    "ragged.csv": (b"id,user.name\n1,a,b\n2\n", "row 1: 3 cells, but the header has 2"),
    "twice.csv": (b"id,user.name,id\n1,a,2\n", "column 'id' is there twice"),
    "inside.csv": (b"id,user,user.name\n1,a,b\n", "column 'user.name' is there twice, or stands"),
    "quote.csv": (b'id,user.name\n1,"a\n', "is no CSV: unexpected end of data"),
    "text.parquet": (b"id,user.name\n1,a\n", "is no Parquet: "),
    "deep.jsonl": (b'{"id":' * 100_000, "row 1: no JSON: "),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(rtml: Rtml, tmp_path: Path, schema: Path, name: str) -> None:
    """By check and infer: exit 2, the file, the reason, and no traceback."""
    content, message = HOSTILE[name]
    path = tmp_path / name
    path.write_bytes(content)
    checked = rtml("dataset", "check", path, "--schema", schema)
    for done in (checked, rtml("dataset", "infer", path)):
        assert (done.code, done.out) == (2, "")
        assert str(path) in done.err
        assert message in done.err
        assert "Traceback" not in done.err


def test_what_is_no_file_is_refused(rtml: Rtml, tmp_path: Path, schema: Path) -> None:
    """A folder, a missing file, one that would be overwritten, one without a required column."""
    events = tmp_path / "e.csv"
    events.write_text("idd,user.name\n1,a\n")
    for arguments, message in (
        ((tmp_path, "--schema", schema), "cannot be read: Is a directory"),
        ((tmp_path / "no.csv", "--schema", schema), "cannot be read: No such file or directory"),
        ((events, "--schema", events), "is no JSON: "),
        ((events, "--schema", tmp_path / "no.json"), "cannot be read: No such file"),
        ((events, "--schema", schema), "no column 'id', a required field; did you mean 'idd'?"),
    ):
        done = rtml("dataset", "check", *arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
    events.write_text("id,user.name\n1,a\n")
    for command in (
        ("check", events, "--schema", schema, "--rejects", events),
        ("infer", events, "--out", events),
    ):
        done = rtml("dataset", *command)
        assert done.code == 2
        assert "is read by this command; name another file to write to" in done.err
    assert events.read_text() == "id,user.name\n1,a\n"


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    """A broker with a topic ``tx``."""
    with EmbeddedBroker({"tx": 1}) as started:
        yield started


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_not_ingested(
    rtml: Rtml, tmp_path: Path, schema: Path, broker: EmbeddedBroker, name: str
) -> None:
    """The same with Kafka at hand: exit 2, the reason, and nothing was sent."""
    content, message = HOSTILE[name]
    (tmp_path / name).write_bytes(content)
    place = ("--brokers", broker.bootstrap)
    done = rtml("dataset", "ingest", tmp_path / name, "tx", "--schema", schema, *place)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
    assert read_all(broker.bootstrap, "tx") == []


@pytest.mark.long
def test_a_broker_that_goes_away_ends_it(tmp_path: Path, schema: Path) -> None:
    """Rows that are not acknowledged within --wait: exit 3, and the row to go on from."""
    rows = [f'{{"id":{i},"user":{{"name":"a"}}}}\n' for i in range(1_000)]
    (tmp_path / "e.jsonl").write_text("".join(rows))
    with EmbeddedBroker({"tx": 1}) as own:
        command = ["dataset", "ingest", str(tmp_path / "e.jsonl"), "tx", "--schema", str(schema)]
        command += ["--rate", "100", "--wait", "1", "-o", "json", "--brokers", own.bootstrap]
        running = subprocess.Popen(
            [sys.executable, "-m", "worker", *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        read_all(own.bootstrap, "tx", until=20)
    out, err = running.communicate(timeout=60)
    report = json.loads(out)
    assert running.returncode == 3
    assert 20 <= report["acknowledged"] < 1_000
    assert report["rejected"] == 0
    # Of what was sent at last, a later row may have been acknowledged and an earlier one not.
    assert 1 <= report["next_row"] <= report["acknowledged"] + 1
    assert f"go on with --resume-from {report['next_row']}" in err


def test_an_ingest_is_watched(tmp_path: Path, schema: Path, broker: EmbeddedBroker) -> None:
    """On a terminal a bar shows what was acknowledged, and the rate."""
    broker.create_topic("watched", 1)
    rows = [f'{{"id":{i},"user":{{"name":"a"}}}}\n' for i in range(300)]
    (tmp_path / "e.jsonl").write_text("".join(rows))
    command = ["rtml", "dataset", "ingest", str(tmp_path / "e.jsonl"), "watched", "--rate", "200"]
    command += ["--schema", str(schema), "--brokers", broker.bootstrap]
    program = f"import sys; sys.argv = {command!r}; from worker.cli import main; main()"
    shown = on_a_terminal(program)
    assert re.search(r"[0-9]+ events, [0-9]+/s", shown)
