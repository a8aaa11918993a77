"""``rtml score``: JSON lines, exit codes, rejects."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Done, Rtml, change
from worker.cli.loading import load_graph
from worker.codec.outcome import Scored
from worker.score import score

EVENTS = b'{"f0": 1}\n{"f0": -1}\n\n{"f0": 101}\r\n{broken\n{"f0": 2, "x": "\xff"}\n{"f0": 2}'
SUMMARY = "6 events: 2 scored, 1 dropped, 3 rejected"


def streamed(graph: Path, *events: bytes) -> str:
    """What the stream would publish for these events, a line each."""
    outcomes = score(load_graph(graph).plan, events)
    return "".join(o.value.decode() + "\n" for o in outcomes if isinstance(o, Scored))


def test_scored_lines_are_the_bytes_of_the_stream(rtml: Rtml, graph: Path) -> None:
    """What is written is what the same scoring gives in the stream, byte for byte."""
    done = rtml("score", graph, stdin=b'{"f0": 1}\n{"f0": 2, "x": {}}\n')
    assert done.code == 0
    assert done.out == streamed(graph, b'{"f0": 1}', b'{"f0": 2, "x": {}}')
    assert done.err == "2 events: 2 scored, 0 dropped, 0 rejected\n"


def test_bad_events_cost_only_themselves(rtml: Rtml, graph: Path) -> None:
    """Exit 1, the neighbours are scored, every reason is counted, and the first are told."""
    done = rtml("score", graph, stdin=EVENTS)
    assert done.code == 1
    assert done.out == streamed(graph, b'{"f0": 1}', b'{"f0": 2}')
    lines = done.err.splitlines()
    assert lines[0] == SUMMARY
    assert sorted(line.split(None, 1)[1] for line in lines[1:5]) == [
        "dropped: negative",
        "rejected: InvalidUtf8 (decode)",
        "rejected: MalformedJson (decode)",
        "rejected: RangeError (validate small)",
    ]
    assert lines[6].startswith("  row 4: column 'f0': 101.0 is above max 100")


def test_rejects_are_kept_with_reason_and_value(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """``--rejects`` has a line for each event that was not scored; rows are lines of the file."""
    rejects = tmp_path / "rejects.jsonl"
    done = rtml("score", graph, "--rejects", rejects, stdin=EVENTS)
    assert done.code == 1
    assert "first rejected" not in done.err
    found = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(r["row"], r["node"], r.get("dropped"), r.get("error")) for r in found] == [
        (2, "positive", "negative", None),
        (4, "small", None, "RangeError"),
        (5, "", None, "MalformedJson"),
        (6, "", None, "InvalidUtf8"),
    ]
    assert found[1]["stage"] == "validate"
    assert found[1]["message"].startswith("column 'f0': 101.0 is above max 100")
    assert [r["value"] for r in found] == [
        '{"f0": -1}',
        '{"f0": 101}',
        "{broken",
        '{"f0": 2, "x": "\\xff"}',
    ]


def test_dropped_events_are_no_failure(rtml: Rtml, graph: Path) -> None:
    """What the graph drops on purpose leaves the exit code 0."""
    assert rtml("score", graph, stdin=b'{"f0": -1}').code == 0


@pytest.mark.parametrize("stdin", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_no_events_are_no_failure(rtml: Rtml, graph: Path, stdin: bytes) -> None:
    """An empty input gives an empty output."""
    assert rtml("score", graph, stdin=stdin) == Done(
        0, "", "0 events: 0 scored, 0 dropped, 0 rejected\n"
    )


def test_a_byte_order_mark_is_skipped(rtml: Rtml, graph: Path) -> None:
    """Files from Windows begin with a mark; it is no part of the first event."""
    done = rtml("score", graph, stdin=b'\xef\xbb\xbf{"f0": 1}\r\n')
    assert done.out == streamed(graph, b'{"f0": 1}')


def test_files_in_and_out(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """FILE is read and ``--out`` written; stdout stays empty."""
    events, to = tmp_path / "events.jsonl", tmp_path / "scored.jsonl"
    events.write_bytes(b'{"f0": 1}\n')
    done = rtml("score", graph, events, "--out", to)
    assert (done.code, done.out) == (0, "")
    assert to.read_text() == streamed(graph, b'{"f0": 1}')


def test_batches_do_not_change_scores(rtml: Rtml, graph: Path) -> None:
    """3,000 events in batches of 1,024 are scored like each by itself, in their order."""
    events = [f'{{"f0": {i / 40}, "f1": {i % 7}}}'.encode() for i in range(3000)]
    plan = load_graph(graph).plan
    alone = [next(iter(score(plan, [event]))) for event in events]
    done = rtml("score", graph, stdin=b"\n".join(events))
    assert done.out.encode().splitlines() == [
        outcome.value for outcome in alone if isinstance(outcome, Scored)
    ]
    assert done.err == "3,000 events: 3,000 scored, 0 dropped, 0 rejected\n"


def test_large_events_make_small_batches(
    rtml: Rtml, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is bounded by bytes too; nothing is lost at its edges."""
    monkeypatch.setattr("worker.cli.score.BATCH_BYTES", 300)
    events = [b'{"f0": %d, "x": "%s"}' % (i, b"y" * 100) for i in range(20)]
    done = rtml("score", graph, stdin=b"\n".join(events))
    assert done.out == streamed(graph, *events)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["{tmp}/none.jsonl"], "{tmp}/none.jsonl cannot be read: No such file or directory"),
        (["{tmp}"], "{tmp} cannot be read: Is a directory"),
        (["--out", "{tmp}/no/x"], "{tmp}/no/x cannot be written: No such file or directory"),
        (["--rejects", "{tmp}"], "{tmp} cannot be written: Is a directory"),
        (
            ["{tmp}/e.jsonl", "--out", "{tmp}/e.jsonl"],
            "{tmp}/e.jsonl is read by this command; name another file to write to",
        ),
        (
            ["--out", "{tmp}/o", "--rejects", "{tmp}/../{name}/o"],
            "{tmp}/../{name}/o is named twice; give each its own file",
        ),
    ],
)
def test_files_that_cannot_be_used(
    rtml: Rtml, graph: Path, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    """Missing, unwritable and doubled files: exit 2 before the first event, nothing overwritten."""
    (tmp_path / "e.jsonl").write_text('{"f0": 1}\n')
    names = {"tmp": str(tmp_path), "name": tmp_path.name}
    done = rtml("score", graph, *(argument.format(**names) for argument in arguments))
    assert done == Done(2, "", f"{problem.format(**names)}\n1 problem\n")
    assert (tmp_path / "e.jsonl").read_text() == '{"f0": 1}\n'


def test_a_refused_graph_scores_nothing(rtml: Rtml, graph: Path) -> None:
    """Problems of the graph are told as ``rtml check`` does."""
    change(graph, "lr.onnx", "none.onnx")
    done = rtml("score", graph, stdin=b'{"f0": 1}')
    assert (done.code, done.out) == (2, "")
    assert "nodes[2].params.model: model 'none.onnx' cannot be read" in done.err


def test_events_are_streamed(shell: Callable[[str], Done], graph: Path, tmp_path: Path) -> None:
    """The first batch goes out while the input is still open."""
    fifo, events = tmp_path / "p", tmp_path / "e"
    events.write_text('{"f0": 1}\n' * 1_100)
    done = shell(
        f"mkfifo {fifo}; (cat {events}; cat {fifo}) | rtml score {graph} "
        f"| (head -1; echo > {fifo}; cat >/dev/null)"
    )
    assert done.code == 0
    assert done.out == streamed(graph, b'{"f0": 1}')


def test_an_interrupt_ends_with_130(graph: Path) -> None:
    """Ctrl-C while events come in: exit code 130, no traceback."""
    command = [sys.executable, "-m", "worker", "score", str(graph)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b'{"f0": 1}\n' * 1_100)
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert (process.wait(), process.stderr.read()) == (130, b"")


def test_example_events_of_the_project(rtml: Rtml) -> None:
    """The events beside each example graph are all accounted for."""
    for name, summary in {
        "breast-cancer": "569 events: 569 scored, 0 dropped, 0 rejected",
        "digits": "450 events: 450 scored, 0 dropped, 0 rejected",
    }.items():
        folder = ROOT / "graphs" / name
        done = rtml("score", folder, folder / "events.jsonl")
        assert (done.code, done.err) == (0, summary + "\n")
