"""The live line of ``rtml run``, on a real terminal; no Kafka answers, which is its reason."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT
from worker.app import Options, Worker
from worker.cli.loading import load_graph
from worker.cli.status import StatusLine
from worker.settings import Settings

pytestmark = pytest.mark.long

WIDTH = 110
LOG = re.compile(r"\d{4}-\d\d-\d\dT\S+ \[(info|warning) +\] \w+ ")
ENDED = "in 0  scored 0  dropped 0  dead letters 0  stopped"


def on_a_terminal(
    graph: Path, options: Sequence[str] = (), processes: int = 1, **variables: str
) -> tuple[int, str]:
    """The exit code of a worker that is told to stop once it waits, and what the terminal got."""
    ours, theirs = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RTML_", "NO_COLOR"))}
    command = [sys.executable, "-m", "worker", "run", str(graph), *options]
    process = subprocess.Popen(
        [*command, "--brokers", "127.0.0.1:1", "--http-port", "0"],
        cwd=ROOT,
        env={**kept, "TERM": "xterm", "COLUMNS": str(WIDTH), **variables},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written, told = b"", False
    try:
        while data := os.read(ours, 4096):
            written += data
            # The third try is a second after the start: the line was drawn several times by then.
            begun = written.count(b"http_listening") == processes
            if not told and begun and written.count(b"waiting_for_kafka") >= 3:
                process.send_signal(signal.SIGTERM)
                told = True
    except OSError:  # how Linux says that nobody has the other end any more
        pass
    finally:
        os.close(ours)
        if not told:
            process.kill()
    return process.wait(), written.decode()


def screen(written: str) -> list[str]:
    """The lines that a terminal shows in the end; as long as they come, for it has no width."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[?\d;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", written):
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part.endswith("A"):
            row -= int(part[2:-1])
        elif not part.startswith("\x1b"):
            line = lines[row].ljust(column)
            lines[row] = line[:column] + part + line[column + len(part) :]
            column += len(part)
    return lines


def test_logs_stand_above_the_line(graph: Path) -> None:
    """Each log line is whole, however long; of the many states only the last sums are left."""
    code, written = on_a_terminal(graph)
    *logs, last, empty = screen(written)
    assert code == 0, written
    assert [line for line in logs if not LOG.match(line)] == []
    assert len(logs) >= 5  # listening, three tries, stopping, stopped
    assert max(map(len, logs)) > WIDTH
    assert (last, empty) == (ENDED, "")


def test_the_line_is_cut_at_the_width(graph: Path) -> None:
    """A longer one would take two lines of the terminal, and redrawing it would leave one."""
    _, written = on_a_terminal(graph)
    drawn = [re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", one) for one in re.split(r"[\r\n]", written)]
    states = [one for one in drawn if one.startswith("in 0") and one != ENDED]
    assert states != []
    assert {len(one) for one in states} == {WIDTH}
    assert {one[-1] for one in states} == {"…"}
    assert "lag 0  0/s  fraud: cannot reach Kafka at 127.0.0.1:1" in states[-1]


@pytest.mark.parametrize(
    ("options", "variables"), [(["--no-status"], {}), ([], {"TERM": "dumb"})], ids=["flag", "dumb"]
)
def test_it_is_not_drawn_where_it_cannot_be_seen(
    graph: Path, options: list[str], variables: dict[str, str]
) -> None:
    """Switched off, or on a terminal that cannot go back: logs only."""
    code, written = on_a_terminal(graph, options, **variables)
    assert code == 0
    assert "lag 0" not in written


def test_replicas_draw_no_lines(graph: Path) -> None:
    """Several lines would overwrite each other."""
    code, written = on_a_terminal(graph, ["--replicas", "2"], processes=2)
    assert code == 0
    assert written.count("worker_stopped") == 2
    assert "lag 0" not in written


def test_a_terminal_without_colours(graph: Path) -> None:
    """NO_COLOR holds for logs and for the line; moving the cursor is no colour."""
    _, written = on_a_terminal(graph, NO_COLOR="1")
    assert re.findall(r"\x1b\[\d*[;\d]*3\dm", written) == []
    assert "lag 0" in written


def test_json_lines_are_left_as_they_are(graph: Path) -> None:
    """Above the line too: each is an object, not broken at the width and not coloured."""
    _, written = on_a_terminal(graph, RTML_LOG_FORMAT="json")
    *logs, last, _ = screen(written)
    assert {"waiting_for_kafka", "worker_stopped"} <= {json.loads(line)["event"] for line in logs}
    assert last == ENDED


def test_text_from_elsewhere_is_not_obeyed(graph: Path) -> None:
    """What a reason quotes may look like markup, or steer the terminal: it is shown as it is."""
    plans = {"fraud": load_graph(graph).plan}
    worker = Worker(plans, Settings(), Options())
    worker.fleet.pumps["fraud"].waiting = "[red]a[/] [/] \x1b[31m\n"
    assert StatusLine(worker).text().plain.endswith(r"fraud: [red]a[/] [/] \x1b[31m\n")
