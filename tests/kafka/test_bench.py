"""`rtml bench` on a real Kafka: it counts, it measures, and it leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka.admin import AdminClient

from tests.kafka.client import end_offsets
from tests.kafka.test_commands import ROOT, graph_file, partitions
from tests.kafka.waiting import until

pytestmark = pytest.mark.long

EVENTS, RATE = 10_000, 200
SAMPLES = 91
PREFIX = "rtml-bench-"

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(kafka: str, tmp_path: Path) -> Iterator[Start]:
    """Starts ``rtml bench`` on a graph that routes, and looks whether Kafka is as it was after."""
    graph, temporary = tmp_path / "graph", tmp_path / "tmp"
    graph.mkdir()
    temporary.mkdir()
    file = graph_file(graph, "not-made")
    before = left(kafka)
    started: list[subprocess.Popen[str]] = []

    def run(*options: str) -> subprocess.Popen[str]:
        given = ["--brokers", kafka, "--events", str(EVENTS), "--rate", str(RATE), "-o", "json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "worker", "bench", str(file), *given, *options],
            cwd=ROOT,
            # A worker that is killed leaves its group when its session is over.
            env={**os.environ, "TMPDIR": str(temporary), "RTML_SESSION_TIMEOUT_MS": "6000"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)
    until(lambda: left(kafka) == before)
    assert partitions(kafka, "not-made") == {}
    assert [one.name for one in temporary.iterdir() if one.suffix != ".log"] == []


def left(kafka: str) -> tuple[set[str], set[str]]:
    """The topics and groups of benchmarks that are there."""
    client = AdminClient({"bootstrap.servers": kafka})  # which must live until it has answered
    groups = client.list_consumer_groups(request_timeout=10).result().valid
    named = {one.group_id for one in groups if one.group_id.startswith(PREFIX)}
    return set(partitions(kafka, PREFIX)), named


def scoring(kafka: str, process: subprocess.Popen[str]) -> psutil.Process:
    """Its worker, once it has scored an event."""
    found: list[psutil.Process] = []

    def started() -> bool:
        assert process.poll() is None, process.communicate()
        with contextlib.suppress(psutil.NoSuchProcess):  # the floor, which ends before
            children = psutil.Process(process.pid).children()
            found[:] = [one for one in children if "run" in one.cmdline()]
        return bool(found)

    until(started)
    (topic,) = [one for one in left(kafka)[0] if one.endswith("-scored")]
    until(lambda: sum(end_offsets(kafka, topic).values()))
    return found[0]


def test_each_event_is_accounted_for(start: Start, tmp_path: Path) -> None:
    """Throughput and latency of both; what was scored and what was buried are all that came in."""
    process = start("--seconds", "1", "--partitions", "3")
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    found = json.loads(out)
    paced = 1 + RATE * 4
    sent = EVENTS + paced
    assert (found["complete"], found["in"], found["dropped"]) == (True, sent, {})
    (dead,) = found["dead_letters"]
    assert found["scored"] + dead["events"] == sent
    # One of the samples is no event; they begin anew with what is paced.
    assert dead["events"] == EVENTS // SAMPLES + paced // SAMPLES
    for one in (found["worker"], found["floor"]):
        assert one["events_per_second"] > 0
        assert 0 < one["p50_ms"] <= one["p99_ms"] <= one["max_ms"]
        assert one["timed_events"] == RATE
        assert one["cpu_us_per_event"] > 0
        assert one["peak_rss_mb"] > 10
    worker, floor = found["worker"], found["floor"]
    assert found["ratio"] == worker["events_per_second"] / floor["events_per_second"]
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_deletes_all_of_it(
    start: Start, kafka: str, tmp_path: Path, number: signal.Signals
) -> None:
    """In mid-run: exit 130, and no process, topic, group or file is left."""
    process = start("--seconds", "60")
    worker = scoring(kafka, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "left on Kafka" in err) == (130, False), err
    assert not worker.is_running()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_worker_that_dies_is_told(start: Start, kafka: str) -> None:
    """SIGKILL for it: exit 1, and its group is deleted once Kafka has expelled it."""
    process = start("--seconds", "60")
    scoring(kafka, process).kill()
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert "the worker ended with exit code -9" in err
    assert "left on Kafka" not in err
