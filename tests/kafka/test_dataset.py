"""`rtml dataset ingest` and `export` on a real Kafka."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.kafka.client import MakeTopic, Record, produce, read_all
from tests.kafka.test_commands import ROOT, rtml
from tests.net import free_ports

AT_MS = 1_767_225_600_000
SCHEMA = {
    "type": "object",
    "required": ["id", "at", "_tenant"],
    "properties": {
        "id": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "_tenant": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "km": {"type": ["number", "null"]},
                "known": {"type": "boolean"},
                "v": {"type": "array", "items": {"type": "number"}},
            },
        },
    },
}
N = 5_000
BAD_EVERY = 100


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A file with `SCHEMA`."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return path


def event(i: int) -> dict[str, Any]:
    """Event number i, with a field here and there missing."""
    tenant: dict[str, Any] = {"name": f'ü,"{i % 50}"\n', "v": [i / 4, i / 8]}
    tenant |= {"km": i / 3} if i % 5 else {}
    tenant |= {"known": i % 2 == 0} if i % 7 else {}
    at = f"2026-01-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z"
    return {"id": i, "at": at, "_tenant": tenant}


def write_events(path: Path) -> list[dict[str, Any]]:
    """`N` events, of which every hundredth does not fit; those that do."""
    events = [event(i) for i in range(N)]
    for i in range(0, N, BAD_EVERY):
        events[i]["id"] = str(i)
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    return [one for one in events if isinstance(one["id"], int)]


def by_id(path: Path) -> list[dict[str, Any]]:
    """The events of a file of JSON lines, sorted."""
    return sorted(map(json.loads, path.read_text().splitlines()), key=lambda one: int(one["id"]))


@pytest.mark.long
def test_what_is_ingested_is_exported(kafka: str, tmp_path: Path, schema: Path) -> None:
    """5,000 rows, 50 rejected, key and time from fields; every format exported, ingested, equal."""
    topic, rejects = f"data-{uuid.uuid4().hex[:8]}", tmp_path / "rejects.jsonl"
    good = write_events(tmp_path / "events.jsonl")
    arguments = ("--schema", schema, "--create-topics", "-o", "json")
    around = ("--key", "_tenant.name", "--timestamp", "at", "--rejects", rejects)
    done = rtml(kafka, "dataset", "ingest", tmp_path / "events.jsonl", topic, *arguments, *around)
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    counts = {name: report[name] for name in ("rows", "acknowledged", "rejected", "next_row")}
    assert counts == {"rows": N, "acknowledged": 4_950, "rejected": 50, "next_row": N + 1}
    kept = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [one["row"] for one in kept] == list(range(1, N, BAD_EVERY))
    assert {(r["path"], r["rule"]) for one in kept for r in one["reasons"]} == {("$.id", "type")}
    stored = read_all(kafka, topic)
    assert sorted((one.timestamp_ms or 0) - AT_MS for one in stored) == [
        one["id"] * 1_000 for one in good
    ]
    for record in stored:
        assert record.value is not None
        assert record.key == json.loads(record.value)["_tenant"]["name"].encode()

    for suffix in ("jsonl", "csv", "parquet"):
        out, back = tmp_path / f"out.{suffix}", tmp_path / f"back-{suffix}.jsonl"
        done = rtml(kafka, "dataset", "export", topic, "--out", out)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"4,950 events of {topic} to {out}")
        done = rtml(kafka, "dataset", "ingest", out, f"{topic}-{suffix}", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        done = rtml(kafka, "dataset", "export", f"{topic}-{suffix}", "--out", back)
        assert done.returncode == 0
        assert by_id(back) == good
    again = tmp_path / "again.parquet"
    rtml(kafka, "dataset", "export", topic, "--out", again)
    assert again.read_bytes() == (tmp_path / "out.parquet").read_bytes()


def test_an_export_says_what_it_left_out(
    kafka: str, topic: MakeTopic, tmp_path: Path, schema: Path
) -> None:
    """No JSON, no object, not of the schema: in the rejects with partition and offset; exit 1."""
    name, rejects = topic(partitions=2), tmp_path / "rejects.jsonl"
    good = json.dumps(event(1), indent=1).encode()
    values = [b"\xff", b"[1]", b'{"id": 1}', None, good]
    produce(kafka, name, [Record(value, partition=1) for value in values])
    done = rtml(
        kafka, "dataset", "export", name, "--out", tmp_path / "e.jsonl", "--schema", schema,
        "--rejects", rejects, "-o", "json",
    )  # fmt: skip
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["events"], report["rejected"], report["tombstones"]) == (1, 3, 1)
    kept = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(one["partition"], one["offset"], one["value"]) for one in kept] == [
        (1, 0, "\\xff"),
        (1, 1, "[1]"),
        (1, 2, '{"id": 1}'),
    ]
    assert (tmp_path / "e.jsonl").read_bytes() == good.replace(b"\n", b" ") + b"\n"


def test_a_part_of_a_topic(kafka: str, topic: MakeTopic, tmp_path: Path) -> None:
    """-n stops after so many events; --from begins at a time; nothing at all leaves no file."""
    name, out = topic(partitions=1), tmp_path / "e.jsonl"
    produce(
        kafka, name, [Record(b'{"id":%d}' % i, None, [], AT_MS + i * 1_000, 0) for i in range(10)]
    )
    for arguments, ids in (
        (("-n", "3"), [0, 1, 2]),
        (("--from", "2026-01-01T01:00:07+01:00"), [7, 8, 9]),
        (("--from", str(AT_MS + 4_500), "-n", "2"), [5, 6]),
    ):
        assert rtml(kafka, "dataset", "export", name, "--out", out, *arguments).returncode == 0
        assert [one["id"] for one in by_id(out)] == ids
    out.unlink()
    done = rtml(kafka, "dataset", "export", name, "--out", out, "--from", "2026-01-02T00:00:00Z")
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "nothing to write" in done.stderr


def test_a_row_that_kafka_refuses_is_a_reject(kafka: str, topic: MakeTopic, tmp_path: Path) -> None:
    """One too large for the topic is kept with Kafka's reason; the others are acknowledged."""
    name, rejects = topic(partitions=1, config={"max.message.bytes": "2000"}), tmp_path / "r"
    (tmp_path / "s").write_text("{}")
    rows = ['{"a":1}', json.dumps({"a": "x" * 1_500_000}), '{"a":3}']
    (tmp_path / "e").write_text("\n".join(rows))
    done = rtml(
        kafka, "dataset", "ingest", tmp_path / "e", name, "--schema", tmp_path / "s",
        "--rejects", rejects,
    )  # fmt: skip
    assert (done.returncode, done.stdout[:26]) == (1, "3 rows: 2 acknowledged by ")
    (kept,) = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert (kept["row"], kept["reasons"][0]["rule"], kept["value"]) == (2, "kafka", rows[1])


def test_an_interrupted_ingest_can_go_on(
    kafka: str, topic: MakeTopic, tmp_path: Path, schema: Path
) -> None:
    """Ctrl-C: 130, how many were acknowledged, and the row from which nothing is lost."""
    name, rejects = topic(partitions=1), tmp_path / "rejects.jsonl"
    good = write_events(tmp_path / "events.jsonl")
    command = ["dataset", "ingest", str(tmp_path / "events.jsonl"), name, "--schema", str(schema)]
    command += ["--rejects", str(rejects), "-o", "json"]
    running = subprocess.Popen(
        [sys.executable, "-m", "worker", *command, "--rate", "200", "--brokers", kafka],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    read_all(kafka, name, until=150)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    report = json.loads(out)
    assert running.returncode == 130
    assert report["acknowledged"] == len(read_all(kafka, name)) >= 150
    assert f"go on with --resume-from {report['next_row']}" in err
    done = rtml(kafka, *command, "--resume-from", str(report["next_row"]))
    assert done.returncode == 1
    values = [json.loads(one.value or b"") for one in read_all(kafka, name)]
    assert values == good
    assert len(rejects.read_text().splitlines()) == N // BAD_EVERY


def test_kafka_that_is_not_there(tmp_path: Path, schema: Path) -> None:
    """After --wait seconds: exit 3 with the address; no file is made."""
    (port,) = free_ports(1)
    (tmp_path / "e.jsonl").write_text(json.dumps(event(1)))
    for command in (
        ("ingest", tmp_path / "e.jsonl", "tx", "--schema", schema),
        ("export", "tx", "--out", tmp_path / "out.csv"),
    ):
        done = rtml(f"127.0.0.1:{port}", "dataset", *command, "--wait", "0")
        assert (done.returncode, done.stdout) == (3, "")
        assert f"cannot reach Kafka at 127.0.0.1:{port}: " in done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_what_is_refused_before_anything_is_sent(
    kafka: str, topic: MakeTopic, tmp_path: Path, schema: Path
) -> None:
    """A topic that is missing, an empty file, a wrong time: exit 2 with the way out."""
    name = topic()
    (tmp_path / "e.jsonl").write_text(json.dumps(event(1)))
    (tmp_path / "empty.jsonl").write_text("")
    ingest = ("dataset", "ingest", tmp_path / "e.jsonl", f"{name}s", "--schema", schema)
    empty = ("dataset", "ingest", tmp_path / "empty.jsonl", name, "--schema", schema)
    export = ("dataset", "export", name, "--out", tmp_path / "o.csv", "--from", "yesterday")
    for command, message in (
        (ingest, f"did you mean '{name}'?; --create-topics makes it"),
        (empty, "holds no row"),
        (export, "'yesterday' is neither earliest nor a time such as 2026-01-31T12:00:00Z"),
    ):
        done = rtml(kafka, *command)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
    assert read_all(kafka, name) == []


def test_a_time_that_the_topic_refuses_costs_its_row(
    kafka: str, topic: MakeTopic, tmp_path: Path, schema: Path
) -> None:
    """A record a day ahead, where an hour is allowed, is a reject; its neighbours are there."""
    name, rejects = topic(partitions=1), tmp_path / "r"
    ahead = datetime.now(UTC) + timedelta(days=1)
    rows = [event(1), event(2) | {"at": ahead.isoformat()}, event(3)]
    (tmp_path / "e").write_text("\n".join(map(json.dumps, rows)))
    done = rtml(
        kafka, "dataset", "ingest", tmp_path / "e", name, "--schema", schema,
        "--timestamp", "at", "--rejects", rejects,
    )  # fmt: skip
    assert (done.returncode, done.stdout[:26]) == (1, "3 rows: 2 acknowledged by ")
    (kept,) = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert (kept["row"], kept["reasons"][0]["path"]) == (2, "$.at")
    assert [json.loads(one.value or b"")["id"] for one in read_all(kafka, name)] == [1, 3]
