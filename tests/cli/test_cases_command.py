"""``rtml test``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Rtml, change

CASES = """\
cases:
  - name: in the middle
    event: {f0: 0, f1: 0}
    expect: {scored: {score: 0.5}}
  - name: refused
    events: [{f0: -1}, {f0: 101}]
    expect: [{dropped: negative}, {rejected: {node: small}}]
"""


@pytest.fixture
def cases(graph: Path) -> Path:
    """The cases file beside the graph; the first case expects a score that is not so."""
    path = graph / "cases.yaml"
    path.write_text(CASES)
    return path


def middle(graph: Path) -> float:
    """What the model says to zeros."""
    from worker.cli.loading import load_graph
    from worker.codec.outcome import Scored
    from worker.score import score

    [outcome] = score(load_graph(graph).plan, [b'{"f0": 0, "f1": 0}'])
    assert isinstance(outcome, Scored)
    return float(outcome.value.decode().rpartition(":")[2].rstrip("}"))


def test_failures_are_told_and_exit_1(rtml: Rtml, graph: Path, cases: Path) -> None:
    """A failed case has its line, and what was expected and came; the others pass."""
    done = rtml("test", graph)
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [
        f"  FAILED  in the middle  {cases}:2",
        f"            score: expected 0.5, got {middle(graph)}",
        "  ok      refused",
        f"{cases}: 1 of 2 cases passed, 3 events",
    ]


def test_passed_cases_exit_0(rtml: Rtml, graph: Path, cases: Path) -> None:
    """All cases pass: 0."""
    cases.write_text(CASES.replace("0.5}", f"{middle(graph)}}}"))
    done = rtml("test", graph)
    assert done.code == 0
    assert done.out.splitlines()[-1] == f"{cases}: 2 of 2 cases passed, 3 events"


def test_results_as_json(rtml: Rtml, cases: Path) -> None:
    """``--output json`` has every case and difference."""
    done = rtml("test", cases.parent, "-o", "json")
    assert done.code == 1
    [report] = done.json
    assert [(r["name"], r["line"], r["passed"]) for r in report["results"]] == [
        ("in the middle", 2, False),
        ("refused", 5, True),
    ]
    [difference] = report["results"][0]["differences"]
    assert (difference["event"], difference["path"]) == (0, "score")


def test_many_differences_are_cut(rtml: Rtml, graph: Path, cases: Path) -> None:
    """Of a case with many differences the first 20 are told, and how many more there are."""
    events = ", ".join(["{f0: -1}"] * 25)
    expect = ", ".join(["{dropped: other}"] * 25)
    cases.write_text(f"cases: [{{name: n, events: [{events}], expect: [{expect}]}}]")
    lines = rtml("test", graph).out.splitlines()
    assert len(lines) == 1 + 20 + 1 + 1
    assert lines[1] == '            events[0]: dropped: expected "other", got "negative"'
    assert lines[21] == "            and 5 more differences"


def test_a_graph_without_cases_is_refused(rtml: Rtml, graph: Path) -> None:
    """No cases.yaml: exit 2, and where it should be."""
    done = rtml("test", graph)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[0] == (
        f"{graph}/cases.yaml there is no cases.yaml beside the graph"
    )


def test_problems_of_graph_and_cases_come_together(rtml: Rtml, graph: Path, cases: Path) -> None:
    """What is wrong with the graph does not hide what is wrong with its cases."""
    change(graph, "op: ge", "op: gee")
    cases.write_text("cases: [{name: n, event: {f0: 1}, expect: {scord: {}}}]")
    done = rtml("test", graph)
    assert done.code == 2
    assert [line.split(":")[0] for line in done.err.splitlines()] == [
        f"{graph}/graph.yaml",
        str(cases),
        "2 problems in 2 files",
    ]


@pytest.mark.parametrize("name", ["breast-cancer", "car-insurance", "digits"])
def test_the_cases_of_the_example_graphs_pass(rtml: Rtml, name: str) -> None:
    """Each graph that the project ships answers as its cases say: as scikit-learn does."""
    done = rtml("test", ROOT / "graphs" / name)
    assert (done.code, done.err) == (0, "")
