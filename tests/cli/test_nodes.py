"""``rtml nodes``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from pydantic import Field

from tests.cli.conftest import ROOT, Rtml
from worker.authoring.estimators import ESTIMATORS
from worker.authoring.factory import AUTHORING, NodeFactory
from worker.cli.kinds import params
from worker.cli.pages import measured, pages, unmeasured
from worker.graph.json_schema import summary
from worker.nodes._pandas.table import ALIASES, OPERATIONS
from worker.nodes.base import Example, Node, Params
from worker.nodes.registry import kinds


def test_all_kinds_are_listed(rtml: Rtml) -> None:
    """A line per kind: its name and what it does."""
    done = rtml("nodes")
    assert done.code == 0
    names = [line.split()[0] for line in done.out.splitlines()]
    assert names == [*kinds(), *AUTHORING]
    assert all(len(line.split()) > 3 for line in done.out.splitlines())


@pytest.mark.parametrize("kind", kinds())
def test_one_kind_is_shown(rtml: Rtml, kind: str) -> None:
    """Each kind: its sentence, every param, and its example with what goes in."""
    done = rtml("nodes", kind)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == kind
    names = [
        line.split()[0] for line in lines[lines.index("params") + 1 : lines.index("example") - 1]
    ]
    fields = kinds()[kind].Params.model_fields
    assert names == [field.alias or name for name, field in fields.items()]
    assert f"      type: {kind}" in lines
    assert "goes in" in lines


def test_a_kind_in_full(rtml: Rtml) -> None:
    """Params have type and default in words; the example has its rows before and after."""
    shown = rtml("nodes", "Filter").out
    head, _, example = shown.partition("\nexample\n")
    assert head.splitlines()[-4:] == [
        "  column  text                                                               required",
        "  op      eq | ne | lt | le | gt | ge | in | not_in | missing | not_missing  required",
        "  value   scalar or list of scalar",
        "  reason  text                                                               required",
    ]
    assert example.splitlines() == [
        "  nodes:",
        "    - id: filter",
        "      type: Filter",
        "      params: {column: amount, op: gt, value: 0, reason: no_amount}",
        "",
        "goes in",
        "  amount (float64)",
        "  12.5",
        "  0.0",
        "  missing",
        "",
        "comes out",
        "  amount",
        "  12.5",
    ]


@pytest.mark.parametrize("name", AUTHORING)
def test_a_step_of_a_notebook_is_shown(rtml: Rtml, name: str) -> None:
    """What only a notebook has: its sentence, its params, and a call that can be made so."""
    done = rtml("nodes", name)
    assert (done.code, done.err) == (0, "")
    head, _, example = done.out.partition("\nexample\n")
    lines = head.splitlines()
    assert (lines[0], "Only a notebook has it; no graph takes it." in lines) == (name, True)
    step = AUTHORING[name]
    fields = {field.alias or key for key, field in step.Params.model_fields.items()}
    assert fields <= {line.split()[0] for line in lines[lines.index("params") + 1 :] if line}
    assert example.startswith(f"  msg = {name}(\n      params={{\n")
    assert NodeFactory.create(name, step.EXAMPLE).params == step.EXAMPLE
    report = rtml("nodes", name, "-o", "json").json
    assert (report["notebook_only"], report["example"]["params"]) == (True, step.EXAMPLE)


def test_every_model_that_can_be_trained_is_told(rtml: Rtml) -> None:
    """The closed table of `ScikitLearn`: by the command, and on its page."""
    told = rtml("nodes", "ScikitLearn").out
    page = pages({}, AUTHORING)["ScikitLearn.md"]
    assert all(f"  {path}\n" in told and f"`{path}`" in page for path in ESTIMATORS)


def test_kinds_as_json(rtml: Rtml) -> None:
    """``--output json``: a list of all, or the one that was asked for."""
    reports = rtml("nodes", "-o", "json").json
    assert [report["kind"] for report in reports] == [*kinds(), *AUTHORING]
    assert {report["kind"] for report in reports if report["notebook_only"]} == {*AUTHORING}
    report = rtml("nodes", "Clip", "-o", "json").json
    assert report["summary"] == summary(kinds()["Clip"])
    assert report["params"][1] == {
        "name": "lower",
        "type": "number",
        "required": False,
        "default": None,
    }
    assert report["example"]["given"] == kinds()["Clip"].EXAMPLE.given


@pytest.mark.parametrize(
    ("kind", "hint"),
    [("OneHotEncodr", "; did you mean 'OneHotEncoder'?"), ("filter", "; did you mean 'Filter'?")],
)
def test_an_unknown_kind_is_refused(rtml: Rtml, kind: str, hint: str) -> None:
    """Exit 2, with the nearest kind there is."""
    done = rtml("nodes", kind)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"no node kind '{kind}'{hint}\n1 problem\n"


def test_the_committed_pages_are_current() -> None:
    """``docs/nodes`` holds what ``make docs`` writes, whatever was measured: a page per kind."""
    folder = ROOT / "docs" / "nodes"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert {name: unmeasured(text) for name, text in written.items()} == pages(kinds(), AUTHORING)


def test_what_was_measured_outlives_new_pages(rtml: Rtml, tmp_path: Path) -> None:
    """The line of the benchmark stays where pages are written anew, once; others get none."""
    assert rtml("nodes", "--markdown", str(tmp_path)).code == 0
    page, other = tmp_path / "Clip.md", tmp_path / "Cast.md"
    page.write_text(measured(page.read_text(), "Measured: 9 ns per row."))
    for _ in range(2):
        assert rtml("nodes", "--markdown", str(tmp_path)).code == 0
    assert page.read_text() == pages(kinds(), AUTHORING)["Clip.md"] + "\nMeasured: 9 ns per row.\n"
    assert other.read_text() == pages(kinds(), AUTHORING)["Cast.md"]


def test_pages_are_written(rtml: Rtml, tmp_path: Path) -> None:
    """``--markdown`` makes the folder; it can be read again without a change."""
    done = rtml("nodes", "--markdown", str(tmp_path / "a" / "b"))
    assert (done.code, done.out) == (0, "")
    written = {path.name: path.read_text() for path in (tmp_path / "a" / "b").iterdir()}
    assert written == pages(kinds(), AUTHORING)
    assert rtml("nodes", "Clip", "--markdown", str(tmp_path)).code == 2


def test_a_page_in_full() -> None:
    """What it does, its params, and the example with its rows before and after."""
    assert pages({"Clip": kinds()["Clip"]}, {})["Clip.md"].splitlines()[:11] == [
        "# Clip",
        "",
        "Replaces numbers below `lower` by it and above `upper` by it; missing stays missing.",
        "",
        "Columns are `(n,)` float32, float64 or int64 and keep their dtype.",
        "",
        "## Params",
        "",
        "| param | type |  |",
        "| --- | --- | --- |",
        "| `columns` | list of text | required |",
    ]


def test_the_page_of_pandas_has_every_operation() -> None:
    """The closed table is written out, with keywords and other names."""
    page = pages({"Pandas": kinds()["Pandas"]}, {})["Pandas.md"]
    assert all(f"`{name}`" in page for name in [*OPERATIONS, *ALIASES])
    assert "`skipna`: true or false, default true" in page


def test_a_folder_that_cannot_be_made(rtml: Rtml, tmp_path: Path) -> None:
    """Exit 2, with the folder's name."""
    (tmp_path / "file").write_text("")
    done = rtml("nodes", "--markdown", str(tmp_path / "file"))
    assert done.code == 2
    assert "cannot be written" in done.err


class Inner(Params):
    """A part of params."""

    low: float = 0
    names: list[str] = Field(default_factory=list)


class Varied(Params):
    """Every shape that params take."""

    word: str
    choice: Literal["a", "b"] = "a"
    either: int | float | None = None
    many: list[int | str] = Field(default_factory=list)
    table: dict[str, Literal["x", "y"]]
    rules: dict[str, Inner]
    flag: bool = False
    anything: Any = None


class Kind(Node[Varied]):  # type: ignore[misc]  # only its params are looked at
    """A kind that is never built."""

    Params = Varied
    EXAMPLE: ClassVar = Example({}, {}, {}, {})


def test_types_are_told_in_words() -> None:
    """No Python and no JSON Schema is shown to who writes a graph."""
    assert {p.name: (p.type, p.shown_default) for p in params(Kind)} == {
        "word": ("text", "required"),
        "choice": ("a | b", 'default "a"'),
        "either": ("number", ""),
        "many": ("list of (whole number or text)", ""),
        "table": ("mapping of name to (x | y)", "required"),
        "rules": ("mapping of name to {low: number, names: list of text}", "required"),
        "flag": ("true or false", "default false"),
        "anything": ("anything", ""),
    }
