"""Problems: pydantic's findings with the file's own paths and the nearest known key."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from worker.problems import dotted, problems_of


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("Must be even")
    return value


class Inner(BaseModel):
    """A part of `Model`."""

    model_config = ConfigDict(extra="forbid")
    size: int
    colour: Literal["red", "blue"] = "red"


class Model(BaseModel):
    """What the tests validate."""

    model_config = ConfigDict(extra="forbid")
    name: str
    schema_: dict[str, Any] | str = Field(default="", alias="schema")
    parts: list[Inner] = []
    named: dict[str, Inner] = {}
    maybe: Inner | None = None
    pairs: list[tuple[str, str]] = []
    value: StrictBool | StrictInt | StrictStr | list[StrictInt] = 0
    start: Literal["earliest"] | datetime.datetime = "earliest"
    either: list[str] | dict[str, str | list[str]] = []
    even: Annotated[int, AfterValidator(_even)] = 0


def told(data: object) -> list[str]:
    """``path: message`` of everything that is wrong with ``data``."""
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(data)
    return [str(problem) for problem in problems_of(caught.value, Model, data)]


def test_nothing_is_wrong_with_what_fits() -> None:
    """The model of these tests takes a full example."""
    part = {"size": 1}
    data = {"name": "n", "schema": {}, "parts": [part], "named": {"x": part}, "either": {"a": "b"}}
    assert Model.model_validate(data).parts == [Inner(size=1)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, ["name: is required"]),
        ({"nme": "n"}, ["nme: is no known key; did you mean 'name'?"]),
        ({"title": 1}, ["name: is required", "title: is no known key; known: "]),
        ({"name": "n", "shema": 1}, ["shema: is no known key; did you mean 'schema'?"]),
        ({"name": "n", "parts": [{}]}, ["parts[0].size: is required"]),
        (
            {"name": "n", "parts": [{"size": 1}, {"size": 1, "color": "red"}]},
            ["parts[1].color: is no known key; did you mean 'colour'?"],
        ),
        (
            {"name": "n", "maybe": {"size": 1, "sise": 1}},
            ["maybe.sise: is no known key; did you mean 'size'?"],
        ),
        ({"name": "n", "named": {"x": {}}}, ["named.x.size: is required"]),
        ({"name": "n", "even": 3}, ["even: must be even, not 3"]),
        (
            {"name": "n", "parts": [{"size": 1, "colour": "Redd"}]},
            ["parts[0].colour: must be 'red' or 'blue', not 'Redd'; did you mean 'red'?"],
        ),
        (
            {"name": "n", "parts": [{"size": 1, "colour": "mauve"}]},
            ["parts[0].colour: must be 'red' or 'blue', not 'mauve'"],
        ),
    ],
)
def test_each_mistake_is_one_line(data: object, expected: list[str]) -> None:
    """What is missing, unknown or unfit, with the way out."""
    assert [problem.partition("known: ")[0] for problem in told(data)] == [
        problem.partition("known: ")[0] for problem in expected
    ]


@pytest.mark.parametrize(
    ("data", "path", "given_value"),
    [
        ({"name": 3}, "name", "not 3"),
        ({"name": "n", "parts": [{"size": "x"}]}, "parts[0].size", "not 'x'"),
        ({"name": "n", "pairs": [["a", 1]]}, "pairs[0][1]", "not 1"),
        ({"name": "n", "parts": [{"size": 1, "colour": "g"}]}, "parts[0].colour", "not 'g'"),
        ({"name": "n", "name2": "x" * 500}, "name2", ""),
        ({"name": "n", "even": "x" * 500}, "even", "..."),
    ],
)
def test_what_was_given_is_shown_shortly(data: object, path: str, given_value: str) -> None:
    """A scalar that does not fit is quoted, cut off where it is long."""
    (problem,) = told(data)
    assert problem.startswith(f"{path}: ")
    assert given_value in problem
    assert len(problem) < 250


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "n", "maybe": 3}, "maybe: must be a mapping, not 3; its keys: size, colour"),
        ({"name": "n", "maybe": []}, "maybe: must be a mapping; its keys: size, colour"),
        ({"name": "n", "parts": 1}, "parts: must be a list, not 1"),
        ({"name": "n", "pairs": [["a"] * 3]}, "pairs[0]: must have at most 2 items, not 3"),
        ({"name": ["x"]}, "name: must be text"),
    ],
)
def test_shapes_are_told_in_words_of_the_file(data: object, expected: str) -> None:
    """No class of Python and no dictionary, instance, tuple or validation."""
    assert told(data) == [expected]


def _known(value: str) -> str:
    if value != "fillna":
        raise ValueError(f"no operation {value!r}")
    return value


class Named(BaseModel):
    """A model whose own check tells the value."""

    name: Annotated[str, AfterValidator(_known)]


def test_a_value_is_told_once() -> None:
    """A message that has the value already does not end with it too."""
    with pytest.raises(ValidationError) as caught:
        Named.model_validate({"name": "filna"})
    (problem,) = problems_of(caught.value, Named, {"name": "filna"})
    assert str(problem) == "name: no operation 'filna'"


def test_a_union_is_one_problem() -> None:
    """Each member's complaint at one place is told in one line, without pydantic's own names."""
    (problem,) = told({"name": "n", "value": 1.5})
    assert problem.startswith("value: ")
    assert ", or " in problem
    assert "StrictInt" not in problem


@pytest.mark.parametrize("place", ["value", "start"])
def test_a_mapping_in_place_of_a_union_is_told_at_the_union(place: str) -> None:
    """No member's name is taken for a key that is missing."""
    (problem,) = told({"name": "n", place: {"x": 1}})
    assert problem.startswith(f"{place}: ")


def test_a_place_inside_a_union_has_its_own_path() -> None:
    """A list's bad item is told at the item."""
    assert any(
        problem.startswith("value[1]: ") for problem in told({"name": "n", "value": [1, "x"]})
    )


def test_a_key_that_looks_like_pydantics_is_the_files() -> None:
    """Keys called like members of a union stay in the path."""
    (problem,) = told({"name": "n", "named": {"str": {"size": "x"}}})
    assert problem.startswith("named.str.size: ")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ((), ""),
        (("a",), "a"),
        (("nodes", 2, "params", "x", 0), "nodes[2].params.x[0]"),
        ((0, 1), "[0][1]"),
        ((0, "a"), "[0].a"),
    ],
)
def test_dotted(location: tuple[str | int, ...], expected: str) -> None:
    """Names with dots between them, positions in brackets."""
    assert dotted(location) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "schema", "parts", "size", "value", "x", "str", "dict[str,any]"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_every_problem_is_in_the_data_or_just_below(data: Any) -> None:
    """For any data, each path leads to a value of the data, or to one missing key of it."""
    try:
        Model.model_validate(data)
    except ValidationError as error:
        found = problems_of(error, Model, data)
        assert found
        assert len({problem.path for problem in found}) == len(found)
        assert all(problem.message for problem in found)
