"""The cases of a graph: what a file may say, and what counts as the expected answer."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from tests.graph.planning import planned
from tests.graph.support import node
from worker.errors import ConfigError
from worker.graph import cases
from worker.graph.compare import Tolerance, differences
from worker.graph.plan import Plan
from worker.score import score


@pytest.fixture
def graph() -> Plan:
    """A graph that adds a and b, drops sums below 0 and rejects sums above 100."""
    return planned(
        [
            node("sum", "Arithmetic", left="a", op="+", right="b", into="sum"),
            node("positive", "Filter", column="sum", op="ge", value=0, reason="negative"),
            node("small", "Validate", rules={"sum": {"max": 100}}),
        ],
        fields=["sum"],
    )


def results(graph: Plan, folder: Path, text: str) -> list[cases.Result]:
    """The results of the cases in ``text``."""
    path = folder / "cases.yaml"
    path.write_text(text)
    return cases.run(cases.load(path), functools.partial(score, graph), graph.topics[0])


def problems(folder: Path, text: str) -> list[str]:
    """Line, path and message of everything wrong with a cases file."""
    path = folder / "cases.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        cases.load(path)
    return [f"{p.line} {p.path}: {p.message}" for p in caught.value.problems]


def test_expected_answers_pass(graph: Plan, tmp_path: Path) -> None:
    """Scored, dropped and rejected events, raw text and tombstones can be expected."""
    text = """
cases:
  - name: one event
    event: {a: 1, b: 2}
    expect: {scored: {sum: 3}}
  - name: several events, one expectation each
    events: [{a: 1, b: 2.5}, {a: -1, b: 0}, {a: 99, b: 2}, {raw: "{broken"}, null]
    expect:
      - scored: {sum: 3.5, a: 1}
      - dropped: negative
      - rejected: {stage: validate, node: small, error: RangeError, message: above max 100}
      - rejected: {stage: decode, error: MalformedJson}
      - dropped: tombstone
"""
    found = results(graph, tmp_path, text)
    assert [(r.case.name, r.case.line, r.passed) for r in found] == [
        ("one event", 3, True),
        ("several events, one expectation each", 6, True),
    ]


@pytest.mark.parametrize(
    ("event", "expect", "difference"),
    [
        ("{a: 1, b: 2}", "{scored: {sum: 4}}", "sum: expected 4, got 3.0"),
        (
            "{a: 1, b: 2}",
            "{scored: {sun: 3}}",
            "sun: expected 3, got no such field; did you mean 'sum'?",
        ),
        (
            "{a: 1, b: 2}",
            "{scored: {}, topic: other}",
            'topic: expected "other", got "out"',
        ),
        (
            "{a: 1, b: 2}",
            "{dropped: negative}",
            'expected dropped: negative, got scored: {"a": 1, ',
        ),
        ("{a: -1, b: 0}", "{dropped: other}", 'dropped: expected "other", got "negative"'),
        ("{a: -1, b: 0}", "{scored: {}}", "expected scored, got dropped: negative"),
        (
            "{a: 99, b: 2}",
            "{scored: {}}",
            "expected scored, got rejected (validate, node small): RangeError: column 'sum': 101",
        ),
        (
            "{a: 99, b: 2}",
            "{rejected: {stage: decode}}",
            'rejected.stage: expected "decode", got "validate"',
        ),
        (
            "{a: 99, b: 2}",
            "{rejected: {message: below}}",
            'rejected.message: expected "below", got "column \'sum\': ',
        ),
    ],
)
def test_other_answers_are_told(
    graph: Plan, tmp_path: Path, event: str, expect: str, difference: str
) -> None:
    """A difference names the field, what was expected and what came."""
    text = f"cases: [{{name: n, event: {event}, expect: {expect}}}]"
    [result] = results(graph, tmp_path, text)
    [found] = [str(found) for found in result.differences]
    assert found[: len(difference)] == difference


def test_a_topic_can_be_expected(tmp_path: Path) -> None:
    """Where a Route sends an event is part of its answer, and that it goes to the sink too."""
    graph = planned(
        [
            node("level", "Cut", column="a", bins=[0, 1, 2], labels=["low", "high"], into="level"),
            node("desk", "Route", column="level", topics={"high": "review"}),
        ]
    )
    text = """
cases:
  - name: routed
    events: [{a: 2}, {a: 2}, {a: 1}, {a: 1}]
    expect:
      - {scored: {level: high}, topic: review}
      - {scored: {}, topic: out}
      - {scored: {level: low}, topic: out}
      - {scored: {}, topic: review}
"""
    [result] = results(graph, tmp_path, text)
    assert [(d.event, d.path, d.expected, d.actual) for d in result.differences] == [
        (1, "topic", "out", "review"),
        (3, "topic", "review", "out"),
    ]


@pytest.mark.parametrize(
    ("tolerance", "passed"),
    [("{}", False), ("{relative: 0.01}", True), ("{absolute: 0.02}", True)],
)
def test_a_case_has_its_tolerance(
    graph: Plan, tmp_path: Path, tolerance: str, passed: bool
) -> None:
    """Floats are compared with the case's own tolerance."""
    case = "name: n, event: {a: 1, b: 0}, expect: {scored: {sum: 1.009}}"
    [result] = results(graph, tmp_path, f"cases: [{{{case}, tolerance: {tolerance}}}]")
    assert result.passed == passed


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        (0.5, 0.500004, True),
        (0.5, 0.50001, False),
        (0.0, 9e-7, True),
        (1, 1.0, True),
        (1, 2, False),
        (2**60, 2**60 + 1, False),
        (True, 1, False),
        (True, True, True),
        (None, None, True),
        (None, 0, False),
        ("1", 1, False),
        ([1.0, 2.0], [1.0, 2.000001], True),
        ([1.0], [1.0, 2.0], False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, True),
        ({"a": {"b": 1}}, {"a": 1}, False),
    ],
)
def test_values_are_compared_by_type_and_tolerance(
    expected: object, actual: object, same: bool
) -> None:
    """Only floats have a tolerance; true is not 1, and a mapping may hold more."""
    assert (list(differences(0, expected, actual, Tolerance())) == []) == same


def test_a_difference_in_a_vector_names_the_place() -> None:
    """Of a vector only the components that differ are told."""
    found = differences(0, {"v": [1, 2, 3]}, {"v": [1, 9, 3]}, Tolerance())
    assert [str(difference) for difference in found] == ["v[1]: expected 2, got 9"]


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    """Unknown keys, missing and misfit values: each with its line and path."""
    text = """
cases:
  - name: no outcome
    event: {a: 1}
    expect: {}
  - name: two outcomes
    event: {a: 1}
    expect: {dropped: x, scored: {}}
  - nam: misspelt
    event: {a: 1}
    expect: {scored: {}}
  - name: too few
    events: [{a: 1}, {a: 2}]
    expect: [{scored: {}}]
  - name: neither
    expect: []
  - name: unknown stage
    event: {a: 1}
    expect: {rejected: {stage: decod}}
  - name: topic of nothing
    event: {a: 1}
    expect: {dropped: x, topic: t}
"""
    assert problems(tmp_path, text) == [
        "5 cases[0].expect: expect one of scored, dropped and rejected",
        "8 cases[1].expect: expect one of scored, dropped and rejected",
        "9 cases[2].nam: is no known key; did you mean 'name'?",
        "12 cases[3]: expect has 1 entries for 2 events; give one for each",
        "15 cases[4]: give either event or events",
        "19 cases[5].expect.rejected.stage: must be 'decode', 'validate', 'node', 'score', "
        "'encode' or 'produce', not 'decod'; did you mean 'decode'?",
        "22 cases[6].expect: only a scored event has a topic",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "None : a cases file is a mapping with the key cases"),
        ("- 1", "1 : a cases file is a mapping with the key cases"),
        ("cases: []", "1 cases: must have at least 1 item, not 0"),
        ("cases: [", "1 : expected the node content, but found '<stream end>', in column 9"),
        ("case: []", "1 case: is no known key; did you mean 'cases'?"),
    ],
)
def test_files_that_hold_no_cases(tmp_path: Path, text: str, problem: str) -> None:
    """What is no cases file is refused."""
    assert problems(tmp_path, text)[0] == problem


def test_all_events_of_a_case_are_one_batch(tmp_path: Path) -> None:
    """The events of a case are scored together: neighbours are part of what is tested."""
    sizes = []

    def watched(values: object) -> object:
        sizes.append(len(values))  # type: ignore[arg-type]
        return score(planned([node("c", "Copy", columns={"a": "d"})]), values)  # type: ignore[arg-type]

    path = tmp_path / "cases.yaml"
    path.write_text(
        "cases: [{name: n, events: [{a: 1}, {a: 2}], expect: [{scored: {}}, {scored: {}}]}]"
    )
    cases.run(cases.load(path), watched, "out")  # type: ignore[arg-type]
    assert sizes == [2]
