"""The page about Real-time Machine Learning: every row names tests, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROWS = 23


def rows() -> dict[int, str]:
    """Number -> the cell that names its tests."""
    lines = (ROOT / "docs" / "rtml.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:2] == "| "]
    return {int(row[0]): row[3] for row in cells if row[0].isdecimal()}


def test_every_row_has_tests_that_exist() -> None:
    """Rows 1 to 23, each with a file or a folder in which tests are."""
    found = rows()
    assert list(found) == list(range(1, ROWS + 1))
    for number, cell in found.items():
        named = [ROOT / name for name in re.findall(r"`([^`]+)`", cell)]
        assert named, f"row {number} names no test"
        for place in named:
            files = [*place.glob("test_*.py")] if place.is_dir() else [place]
            assert files, f"row {number}: no tests in {place.name}"
            for file in files:
                assert "\ndef test_" in file.read_text(encoding="utf-8"), f"row {number}: {file}"
