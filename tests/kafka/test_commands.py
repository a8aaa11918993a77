"""`rtml topics create`, `produce`, `consume` and `demo` on a real Kafka."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from tests.kafka.client import MakeTopic, read_all

ROOT = Path(__file__).parents[2]
GRAPH = """\
name: fraud
source:
  topic: {0}
  schema: {{type: object, properties: {{f0: {{type: number}}, f1: {{type: number}}}}}}
nodes:
  - id: score
    type: ONNXNode
    params: {{model: lr.onnx, features: [f0, f1], outputs: {{score: "probabilities[1]"}}}}
  - {{id: way, type: Route, params: {{column: f0, topics: {{"1": {0}-ones}}}}}}
sink: {{topic: {0}-scored}}
"""


def rtml(
    kafka: str, *arguments: str | Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[str]:
    """Runs a command of ``rtml`` on that Kafka."""
    return subprocess.run(
        [sys.executable, "-m", "worker", *map(str, arguments), "--brokers", kafka],
        cwd=ROOT,
        input=stdin.decode(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def graph_file(folder: Path, topic: str) -> Path:
    """A graph that routes, with sample events, whose topics begin with ``topic``."""
    (folder / "graph.yaml").write_text(GRAPH.format(topic))
    (folder / "lr.onnx").write_bytes((ROOT / "tests/data/lr.onnx").read_bytes())
    events = [json.dumps({"f0": i % 3, "f1": i}) for i in range(90)] + ['{"f0": "x"}']
    (folder / "events.jsonl").write_text("\n".join(events))
    return folder / "graph.yaml"


def partitions(kafka: str, prefix: str) -> dict[str, int]:
    """The topics whose names begin so, and their number of partitions."""
    topics = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
    return {name: len(t.partitions) for name, t in topics.items() if name.startswith(prefix)}


@pytest.mark.long
def test_a_newcomer_needs_no_other_tool(kafka: str, tmp_path: Path) -> None:
    """Topics are made once, with those of Route; what is produced is consumed, key and all."""
    topic = f"newcomer-{uuid.uuid4().hex[:8]}"
    graph = graph_file(tmp_path, topic)
    names = [topic, f"{topic}-scored", f"{topic}-ones", f"{topic}-dlq"]
    made = rtml(kafka, "topics", "create", graph, "--partitions", "3", "-o", "json")
    assert (made.returncode, made.stderr) == (0, "")
    assert json.loads(made.stdout) == [
        {"topic": name, "partitions": 3, "new": True} for name in names
    ]
    assert partitions(kafka, topic) == dict.fromkeys(names, 3)
    again = rtml(kafka, "topics", "create", graph, "--partitions", "5")
    assert [line.split()[0] for line in again.stdout.splitlines()] == ["exists"] * 4

    sent = rtml(kafka, "produce", topic, "--key", "f1", tmp_path / "events.jsonl")
    assert (sent.returncode, sent.stdout) == (2, "")
    assert "events.jsonl:91 no 'f1'" in sent.stderr
    lines = b'{"f0": 1, "f1": 7}\n{"f0": 2, "f1": 7}\n'
    sent = rtml(kafka, "produce", topic, "--key", "f1", stdin=lines)
    assert (sent.returncode, sent.stdout[:7]) == (0, "sent 2 ")

    read = rtml(kafka, "consume", topic, "-n", "2", "-o", "json")
    assert (read.returncode, read.stderr[:8]) == (0, "reading ")
    found = [json.loads(line) for line in read.stdout.splitlines()]
    assert [record["value"] for record in found] == [{"f0": 1, "f1": 7}, {"f0": 2, "f1": 7}]
    assert [record["key"] for record in found] == ["7", "7"]
    assert [record["offset"] for record in found] == [0, 1]


def test_a_refused_event_is_told(kafka: str, topic: MakeTopic) -> None:
    """A record too large for the topic fails alone: exit 1, the reason, the others are there."""
    name = topic(partitions=1, config={"max.message.bytes": "2000"})
    lines = [b'{"a": 1}', b'{"a": "%s"}' % (b"x" * 1_500_000), b'{"a": 3}']
    done = rtml(kafka, "produce", name, stdin=b"\n".join(lines))
    assert (done.returncode, done.stdout[:7]) == (1, "sent 2 ")
    assert "1 event not sent: " in done.stderr
    assert [record.value for record in read_all(kafka, name)] == [lines[0], lines[2]]


@pytest.mark.long
def test_the_demo_counts_only_its_own_events(kafka: str, tmp_path: Path) -> None:
    """On a Kafka with events of before, each run makes an equation; its groups are forgotten."""
    topic = f"demo-{uuid.uuid4().hex[:8]}"
    graph = graph_file(tmp_path, topic)
    for _ in range(2):
        done = rtml(kafka, "demo", "--graph", graph, "-o", "json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert (report["in"], report["complete"]) == (91, True)
        assert report["scored"] == {f"{topic}-scored": 60, f"{topic}-ones": 30}
        assert [letter["events"] for letter in report["dead_letters"]] == [1]
    groups = AdminClient({"bootstrap.servers": kafka}).list_consumer_groups().result().valid
    assert [one.group_id for one in groups if one.group_id.startswith("rtml-demo-")] == []
