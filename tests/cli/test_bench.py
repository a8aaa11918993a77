"""``rtml bench`` without a Kafka: what it refuses, and how it shows what was found."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Rtml, change
from tests.stream.tools.bench.test_account import account
from worker.cli.bench_report import report
from worker.cli.console import Output
from worker.stream.tools.bench.latency import Latency, Pace
from worker.stream.tools.bench.run import Figures, Findings, Load
from worker.stream.tools.bench.throughput import Throughput

NOWHERE = ("--brokers", "127.0.0.1:1")


def test_no_kafka_is_exit_3(rtml: Rtml, graph: Path) -> None:
    """Told at once, with the address; nothing was made that would have to be deleted."""
    done = rtml("bench", graph, *NOWHERE, "--wait", "0")
    assert (done.code, done.out) == (3, "")
    assert "cannot reach Kafka at 127.0.0.1:1" in done.err
    assert "left on Kafka" not in done.err


def test_what_is_wrong_is_told_at_once(
    rtml: Rtml, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting and the graph, before Kafka is asked."""
    monkeypatch.setenv("RTML_COMMIT_INTERVAL_MS", "0")
    change(graph, "column: f0, op: ge", "column: f9, op: ge")
    done = rtml("bench", graph)
    assert (done.code, done.out) == (2, "")
    assert "RTML_COMMIT_INTERVAL_MS" in done.err
    assert "f9" in done.err


@pytest.mark.parametrize(
    ("lines", "reason"), [('{"f0": -1}\n', "drops each of these events"), ("", "holds no event")]
)
def test_events_that_tell_nothing_are_refused(
    rtml: Rtml, graph: Path, tmp_path: Path, lines: str, reason: str
) -> None:
    """Nothing would be appended whose time could be told; or there are none."""
    file = tmp_path / "events.jsonl"
    file.write_text(lines)
    done = rtml("bench", graph, file, *NOWHERE)
    assert (done.code, reason in done.err) == (2, True)


@pytest.mark.parametrize("option", ["--events", "--rate", "--seconds", "--partitions"])
def test_numbers_have_bounds(rtml: Rtml, graph: Path, option: str) -> None:
    """Zero is none of them."""
    done = rtml("bench", graph, option, "0", *NOWHERE)
    assert (done.code, option in done.err) == (2, True)


def findings(cpu_us: float = 6.0) -> Findings:
    """100 events a second where the client alone does 200."""
    latency = Latency(1.5, 4.0, 9.0, 10_000)
    return Findings(
        Figures(Throughput(100.0, cpu_us, 150.0), latency),
        Figures(Throughput(200.0, 3.0, 75.0), latency),
        account(3, [0, 1, 2]),
    )


LOAD = Load([b"{}", b"[12]"], 3, Pace(1_000, 3, 10), Pace(1_000, 2, 5))


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Each figure of both, their ratio, and the sentence of the counts last."""
    report("fraud", "kafka:9092", 4, LOAD, findings(math.nan), 3.21, Output.TABLE)
    lines = capsys.readouterr().out.splitlines()
    rows = {cells[0]: cells[1:] for line in lines if len(cells := line.replace("│", " ").split())}
    assert lines[0] == "fraud: 3 events of 3 bytes, 4 partitions, Kafka at kafka:9092"
    assert rows["events/s"] == ["100", "200", "0.50"]
    assert rows["CPU"] == ["us/event", "-", "3.00", "-"]
    assert rows["p99"] == ["ms", "4.00", "4.00", "1.00"]
    assert rows["load"][:2] == ["average", "3.2:"]
    assert lines[-1] == "3 in = 3 scored + 0 dropped + 0 dead letters"


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not known is null, which is JSON."""
    report("fraud", "kafka:9092", 4, LOAD, findings(math.nan), 0.5, Output.JSON)
    found = json.loads(capsys.readouterr().out)
    assert (found["ratio"], found["complete"], found["in"]) == (0.5, True, 3)
    assert found["worker"]["cpu_us_per_event"] is None
    assert np.isclose(found["worker"]["p50_ms"], 1.5)
    assert found["floor"]["events_per_second"] == 200
