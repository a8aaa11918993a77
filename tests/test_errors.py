"""The error tree, and how problems read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import (
    ConfigError,
    Fault,
    ModelError,
    ModelTimeoutError,
    Problem,
    RtmlError,
    Stage,
    TransportError,
    nearest,
)


@pytest.mark.parametrize("error", [ConfigError, ModelError, ModelTimeoutError, TransportError])
def test_one_root(error: type[RtmlError]) -> None:
    """Whoever catches RtmlError catches everything that is raised on purpose."""
    assert issubclass(error, RtmlError)
    assert error.__doc__


@pytest.mark.parametrize(
    ("path", "prefix", "whole"),
    [
        ("column", "params", "params.column"),
        ("[2].id", "nodes", "nodes[2].id"),
        ("", "nodes[2]", "nodes[2]"),
    ],
)
def test_paths_join(path: str, prefix: str, whole: str) -> None:
    """A problem seen from outside has the path a reader of the file would write."""
    assert Problem(path, "wrong").within(prefix) == Problem(whole, "wrong")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("", "empty"), "empty"),
        (Problem("name", "missing"), "name: missing"),
        (Problem("name", "missing", "graph.yaml"), "graph.yaml name: missing"),
        (Problem("name", "missing", "graph.yaml", 3), "graph.yaml:3 name: missing"),
        (Problem("", "no YAML", "graph.yaml", 3), "graph.yaml:3 no YAML"),
    ],
)
def test_a_problem_reads_place_path_message(problem: Problem, text: str) -> None:
    """Place first, as compilers write it, then the path, then what is wrong."""
    assert str(problem) == text


def test_within_keeps_the_place() -> None:
    """File and line stay when the path grows."""
    inner = Problem("a", "wrong", "graph.yaml", 7)
    assert inner.within("b") == Problem("b.a", "wrong", "graph.yaml", 7)


def test_a_config_error_carries_every_problem() -> None:
    """All problems are kept, in order, and each has its line in the text."""
    problems = [Problem("a", "one"), Problem("b", "two")]
    error = ConfigError(iter(problems))
    assert error.problems == tuple(problems)
    assert str(error) == "a: one\nb: two"


def test_a_config_error_of_one_problem() -> None:
    """A single problem needs no list."""
    assert ConfigError(Problem("a", "one")).problems == (Problem("a", "one"),)


@pytest.mark.parametrize("retriable", [True, False])
def test_a_transport_error_says_whether_waiting_helps(retriable: bool) -> None:
    """The loop decides by this flag alone."""
    assert TransportError("away", retriable=retriable).retriable is retriable


def test_stages_are_the_header_values() -> None:
    """Stages read as the rtml-dlq-stage header does; a fault outside the graph has no node."""
    expected = ["decode", "validate", "node", "score", "encode", "produce"]
    assert [str(stage) for stage in Stage] == expected
    assert Fault(0, Stage.DECODE, "DecodeError", "no JSON").node == ""


def test_the_nearest_name_is_offered() -> None:
    """A slip of the key or of case finds the name that was meant."""
    assert nearest("gendre", ["age", "gender"]) == "; did you mean 'gender'?"
    assert nearest("GENDER", ["age", "gender"]) == "; did you mean 'gender'?"


def test_far_names_are_listed() -> None:
    """Where none is near, the known ones are listed in order, and at most so many."""
    assert nearest("zzz", ["b", "a"]) == "; known: a, b"
    assert nearest("zzz", ["d", "c", "b", "a"], limit=2) == "; known: a, b, ..."


def test_nothing_known_adds_nothing() -> None:
    """Without known names there is nothing to offer."""
    assert nearest("zzz", []) == ""


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.data())
def test_a_known_name_is_nearest_to_itself(names: list[str], data: st.DataObject) -> None:
    """Whatever the names are, an exact one is offered, or one that differs only in case."""
    name = data.draw(st.sampled_from(names))
    offered = nearest(name, names).removeprefix("; did you mean '").removesuffix("'?")
    assert offered.casefold() == name.casefold()
