"""``rtml demo``: a process with a worker of its own, on the embedded broker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import ROOT, Done, Rtml
from worker.cli.console import Output, out
from worker.cli.demo import find_graph
from worker.cli.demo_report import report
from worker.cli.loading import load_graph
from worker.codec.outcome import Drop, Scored
from worker.score import score
from worker.stream.tools.ledger import Ledger

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts ``rtml demo``; temporary files go to the test's folder, and nothing survives."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker", "demo", *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path), "RTML_BROKERS": "not-used:1"},
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


def told(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """The first line of its stderr that holds the pattern."""
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"'{pattern}' was not told:\n{seen}")


def logs(folder: Path) -> list[Path]:
    """What the demo itself left there."""
    return list(folder.glob("rtml-*"))


def alive(pid: int) -> bool:
    """Whether a process of that id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_event_of_the_example_is_scored(start: Start, tmp_path: Path) -> None:
    """Without arguments: 450 measured images in, a table, the equation as last line, exit 0."""
    process = start()
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    lines = out.splitlines()
    assert lines[-1] == "450 in = 450 scored + 0 dropped + 0 dead letters"
    rows = [re.split(r"\s*│\s*", line)[1:4] for line in lines if line.startswith("│")]
    assert rows[0][:2] == ["id", "digit"]
    assert ["scored", "450", "digit-images-scored"] in rows
    assert "\x1b" not in out + err
    assert logs(tmp_path) == []


def test_it_counts_what_scoring_the_file_gives(start: Start) -> None:
    """Scored, dropped by reason and dead letters by error are those of the file, cycled."""
    process = start("--graph", "car-insurance", "--events", "1000", "--output", "json")
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    loaded = load_graph(ROOT / "graphs/car-insurance")
    lines = (ROOT / "graphs/car-insurance/events.jsonl").read_bytes().splitlines()
    outcomes = score(loaded.plan, [*lines, *lines, *lines][:1_000])
    dropped = Counter(one.reason for one in outcomes if isinstance(one, Drop))
    scored = [json.loads(one.value) for one in outcomes if isinstance(one, Scored)]
    report = json.loads(out)
    assert (report["in"], report["complete"]) == (1_000, True)
    assert report["scored"] == {"web-events-scored": len(scored)}
    assert report["dropped"] == dropped
    dead = sum(letter["events"] for letter in report["dead_letters"])
    assert dead == 1_000 - len(scored) - dropped.total()
    assert dead > 0
    assert all(event in scored for event in report["first"])


@pytest.mark.long
def test_a_worker_that_dies_is_told(start: Start, tmp_path: Path) -> None:
    """SIGKILL for the worker in mid-stream: exit 1, what is missing, and its log is kept."""
    process = start("--rate", "100")
    pid = int(told(process, r"process (\d+), ready")[1])
    os.kill(pid, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the worker ended with exit code -9" in err
    assert out == "" or re.search(r" in(,|\.| =)", out.splitlines()[-1])
    (log,) = logs(tmp_path)
    assert str(log) in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM in mid-stream: exit 130, the worker is gone, no file stays."""
    process = start("--rate", "10")
    pid = int(told(process, r"process (\d+), ready")[1])
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not alive(pid)
    assert logs(tmp_path) == []


@pytest.mark.long
def test_a_kept_demo_can_be_tried_out(
    start: Start, shell: Callable[[str], Done], tmp_path: Path
) -> None:
    """With --keep the commands that it prints work; Ctrl-C ends it with the answer's code."""
    process = start("--graph", "digits", "--events", "10", "--keep")
    pid = int(told(process, r"process (\d+), ready")[1])
    consume = told(process, r"(rtml consume .*)")[1]
    produce = told(process, r"(rtml produce .*)")[1]
    url = told(process, r"curl (http.*)/metrics")[1]
    produced = shell(f"{produce} --events 3")
    assert (produced.code, produced.out[:7]) == (0, "sent 3 ")
    consumed = shell(f"{consume.replace('latest', 'earliest')} -n 13")
    assert consumed.code == 0
    assert consumed.out.count("rtml-service=digits") == 13
    with urllib.request.urlopen(f"{url}/health/ready", timeout=10) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out.splitlines()[-1][:7]) == (0, "10 in =")
    assert not alive(pid)
    assert logs(tmp_path) == []


def test_examples_are_found_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A path that exists, else ./graphs, else the graphs beside the package."""
    monkeypatch.chdir(tmp_path)
    assert find_graph("digits") == ROOT / "graphs/digits"
    (tmp_path / "graphs/digits").mkdir(parents=True)
    assert find_graph("digits") == ROOT / "graphs/digits"
    (tmp_path / "graphs/digits/graph.yaml").touch()
    assert find_graph("digits") == Path("graphs/digits")
    (tmp_path / "digits").mkdir()
    assert find_graph("digits") == Path("digits")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("digitz", "did you mean 'digits'?"), ("x", "known: breast-cancer, car-insurance, digits")],
)
def test_an_unknown_graph_is_refused(rtml: Rtml, name: str, hint: str) -> None:
    """Exit 2, how to name one, and which example could be meant."""
    done = rtml("demo", "--graph", name)
    assert (done.code, done.out) == (2, "")
    assert f"no graph '{name}'" in done.err
    assert f"{hint}; name a graph file" in done.err


@pytest.mark.long
def test_a_killed_demo_leaves_no_worker_behind(start: Start) -> None:
    """SIGKILL for the command: its worker has nobody to work for, drains and ends."""
    process = start("--events", "100000", "--rate", "100")
    worker = psutil.Process(int(told(process, r"process (\d+), ready")[1]))
    process.kill()
    _, alive = psutil.wait_procs([worker], timeout=60)
    for one in alive:
        one.kill()
    assert alive == []


@pytest.mark.parametrize("width", [40, 36, 200])
def test_a_narrow_terminal_keeps_labels_and_counts(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """Only the column beside them gives way: by lines, not by letters left out."""
    plan = load_graph(ROOT / "graphs/digits").plan
    ledger = Ledger(plan.spec.dead_letter_topic, sent=1_234_567, dropped={"a reason": 7})
    ledger.scored[plan.spec.sink.topic] = 1_234_560
    monkeypatch.setattr(out, "_width", width)
    with out.capture() as captured:
        report(plan, ledger, 0.5, Output.TABLE, embedded=True)
    shown = captured.get()
    words = ("in", "scored", "dropped", "dead letters", "rate", "1,234,567", "1,234,560")
    assert [word for word in words if f" {word} " not in shown] == []
    letters = "".join(line.split("│")[-2].strip() for line in shown.splitlines() if "│" in line)
    assert "digit-images-scored" in letters
