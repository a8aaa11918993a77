"""The progress bar, on a real terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import ROOT
from worker.cli.progress import Meter


def on_a_terminal(program: str) -> str:
    """What a program writes to stderr when that is a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stderr=theirs, stdout=subprocess.DEVNULL, env=env
    )
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 4096):
            written += data
    except OSError:  # how Linux says that nobody has the other end any more
        pass
    finally:
        os.close(ours)
    assert process.wait() == 0
    return written.decode()


PROGRAM = """
from worker.cli import progress
progress._QUIET_SECONDS = {quiet}
with progress.Meter(shown={shown}) as meter:
    for i in range(5):
        meter.update(1000 * (i + 1), {fraction})
"""


def test_a_terminal_shows_count_and_rate() -> None:
    """After the quiet time the bar has the events and their rate; it is gone at the end."""
    for fraction in ("(i + 1) / 5", "None"):
        shown = on_a_terminal(PROGRAM.format(quiet=-1, shown=True, fraction=fraction))
        assert "5,000 events" in shown
        assert "/s" in shown


def test_what_is_quick_shows_nothing() -> None:
    """In the first second, or where the terminal is used for data, nothing is drawn."""
    assert on_a_terminal(PROGRAM.format(quiet=60, shown=True, fraction="0.5")) == ""
    assert on_a_terminal(PROGRAM.format(quiet=-1, shown=False, fraction="0.5")) == ""


def test_off_a_terminal_nothing_is_drawn(tmp_path: Path) -> None:
    """A log file gets no bar, however long it takes."""
    program = PROGRAM.format(quiet=-1, shown=True, fraction="0.5")
    with (tmp_path / "log").open("wb") as log:
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, stderr=log, check=True)
    assert (tmp_path / "log").read_bytes() == b""


def test_the_meter_knows_its_seconds() -> None:
    """The clock runs from the start, for the rate."""
    with Meter(shown=False) as meter:
        assert 0 <= meter.seconds < 60


LINE = """
from worker.cli.progress import Line
with Line() as line:
    for i in range(1_000):
        line(f"load: {i} of 1,000 events")
    line("floor: starting " + "." * 200)
"""


def test_a_line_is_written_over() -> None:
    """Rarely, but at once where something else goes on; it fits, and is gone in the end."""
    shown = on_a_terminal(LINE).split("\r\x1b[2K")
    assert shown[0] == ""
    assert shown[1] == "load: 0 of 1,000 events"
    assert len(shown) < 50
    assert (shown[-2][:15], len(shown[-2])) == ("floor: starting", 99)
    assert shown[-1] == ""
