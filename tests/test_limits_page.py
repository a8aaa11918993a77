"""docs/limits.md: its table is what the settings say."""

from __future__ import annotations

import re
from pathlib import Path

from worker.bounds import Bounds
from worker.settings import PREFIX, Settings

PAGE = Path(__file__).parents[1] / "docs" / "limits.md"
ROW = re.compile(r"^\| `(RTML_\w+)` \| (\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROWS = {name: int(default) for name, default, _, _ in ROW.findall(PAGE.read_text())}


def field(variable: str) -> str:
    """The field that a variable sets."""
    return variable.removeprefix(PREFIX).lower()


def test_every_limit_is_on_the_page() -> None:
    """None is left out that has a setting."""
    bounds = {PREFIX + name.upper() for name in Bounds.model_fields}
    others = {PREFIX + name.upper() for name in Settings.model_fields if "max_" in name}
    waits = {"RTML_FETCH_MAX_WAIT_MS"}  # how long Kafka waits is no limit of what it is sent
    assert (bounds | others) - waits <= ROWS.keys()


def test_the_page_has_the_defaults() -> None:
    """As the code has them."""
    defaults = {name: Settings.model_fields[field(name)].default for name in ROWS}
    assert defaults == ROWS
