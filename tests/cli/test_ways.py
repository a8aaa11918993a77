"""How ways through a graph are laid out on a terminal."""

from __future__ import annotations

import pytest

from worker.cli.console import out
from worker.cli.ways import Group, print_groups, side_by_side
from worker.graph.trace import Way

LONG = Way("tenant.userInfo.carbrand", ("names", "gaps", "trimmed", "brand", "dummies"))
GROUPS: list[Group] = [
    ((LONG,), [("-> X[0]", "vw", "float32"), ("-> X[1]", "others", "float32")]),
    ((Way("a", ("sum",)), Way("b", ("sum",))), [("-> X[2]", "sum", "float64")]),
    ((), [("-> X[3]", "one", "float64")]),
]


def test_what_repeats_the_row_above_is_blank() -> None:
    """Several targets of one way, and several ways to one target, are told once."""
    nodes = "-> names -> gaps -> trimmed -> brand -> dummies"
    assert side_by_side(GROUPS) == [
        ("tenant.userInfo.carbrand", nodes, "-> X[0]", "vw", "float32"),
        ("", "", "-> X[1]", "others", "float32"),
        ("a", "-> sum", "-> X[2]", "sum", "float64"),
        ("b", "-> sum", "", "", ""),
        ("(a constant)", "", "-> X[3]", "one", "float64"),
    ]


@pytest.mark.parametrize(("width", "lines"), [(200, 5), (60, 11)])
def test_a_narrow_terminal_gets_ways_and_targets_below_each_other(
    monkeypatch: pytest.MonkeyPatch, width: int, lines: int
) -> None:
    """No line is wider than the terminal where breaking it can help."""
    monkeypatch.setattr(out, "_force_terminal", True)
    monkeypatch.setattr(out, "_width", width)
    with out.capture() as captured:
        print_groups(GROUPS)
    shown = captured.get().splitlines()
    assert len(shown) == lines
