"""The report of the fault suite: its table, and what it keeps of earlier calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import __main__ as command
from faults import page, report
from faults.finding import Finding
from faults.report import Report
from faults.stage import Stage

FACTS = {"seed": "6", "rtml": "1.0.0, commit 0123"}
MET = Finding("kills", "killed | twice", "lost 0/10", "lost 0", True, 4.2, "0123, quick")
MISSED = Finding("zombies", "stopped", "lost 1/10", "lost 0", False, 3.0)


def test_the_table_stands_between_the_markers(tmp_path: Path) -> None:
    """What was there goes, what stands around it stays, and a missed line is told."""
    path = tmp_path / "page.md"
    path.write_text(f"before\n{page.START}old\n{page.END}\nafter\n")
    page.write(Report(FACTS, [MET, MISSED]), path)
    text = path.read_text()
    assert text.startswith(f"before\n{page.START}\n| row |")
    assert text.endswith(f"{page.END}\nafter\n")
    assert "| `kills` | killed \\| twice | lost 0/10 | lost 0 | met | 4 | 0123, quick |" in text
    assert "| `zombies` | stopped | lost 1/10 | lost 0 | **missed** | 3 |  |" in text
    assert "1 of 2 met" in text
    assert "seed: 6; rtml: 1.0.0, commit 0123" in text
    assert "old" not in text


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    """Nothing is written where the table has no place."""
    path = tmp_path / "page.md"
    path.write_text("no markers\n")
    with pytest.raises(RuntimeError, match="has no lines"):
        page.write(Report(FACTS, [MET]), path)
    assert path.read_text() == "no markers\n"


def test_the_project_has_a_place_for_the_table() -> None:
    """docs/reliability.md holds the markers, once each."""
    text = page.PAGE.read_text()
    assert [text.count(page.START), text.count(page.END)] == [1, 1]


def test_rows_of_earlier_calls_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is played again is replaced; the others stay, in the order of the suite."""
    monkeypatch.setattr(report, "OUT", tmp_path / "out")
    Report(FACTS, [MISSED, MET]).write()
    again = Finding("zombies", "stopped", "lost 0/10", "lost 0", True, 3.0)
    assert list(command._joined(Report(FACTS, [again])).findings) == [MET, again]


def test_a_row_that_breaks_is_missed_and_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had found stays found; the error is its last line."""

    def row(_: Stage) -> Iterator[Finding]:
        yield MET
        raise AssertionError("no such luck")

    monkeypatch.setitem(command.ROWS, "kills", row)
    first, second = command._of("kills", Stage("", Path(), 6, quick=True, say=print))
    assert (first.figure, first.passed) == (MET.figure, True)
    assert (second.figure, second.passed) == ("broke: no such luck", False)


def test_an_unknown_row_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, with the rows that there are."""
    with pytest.raises(SystemExit, match="2"):
        command.main(["kils"])
    assert "no row kils; there are checker, kills" in capsys.readouterr().err
