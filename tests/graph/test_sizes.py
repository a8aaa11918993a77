"""How large a graph may be: each limit to the entry, told with the setting that holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.graph.support import graph, node, planned
from worker.errors import ConfigError, Problem
from worker.schema import parse

SetBounds = Callable[..., None]


def told(data: dict[str, Any]) -> list[Problem]:
    """What is wrong with a graph; empty where it is planned."""
    try:
        planned(data)
    except ConfigError as error:
        return [*error.problems]
    return []


def copies(count: int) -> list[dict[str, Any]]:
    """Nodes that each add a column."""
    return [node(f"n{i}", "Copy", columns={"a": f"c{i}"}) for i in range(count)]


@pytest.mark.parametrize(("count", "wrong"), [(4, False), (5, False), (6, True)])
def test_nodes(bounded: SetBounds, count: int, wrong: bool) -> None:
    """So many and no more; the others of its problems need not be looked for."""
    bounded(max_nodes=5)
    expected = [Problem("nodes", "are 6; at most 5 (RTML_MAX_NODES)")]
    assert told(graph(*copies(count))) == expected[: int(wrong)]


@pytest.mark.parametrize(("count", "wrong"), [(4, False), (5, False), (6, True)])
@pytest.mark.parametrize(
    ("path", "made"),
    [
        (
            "nodes[0].params.labels",
            lambda keys: node("x", "Label", column="n", labels=keys, into="l"),
        ),
        (
            "nodes[0].params.mapping",
            lambda keys: node(
                "x", "Map", column="t", mapping=dict.fromkeys(keys, "v"), default="w"
            ),
        ),
        (
            "nodes[0].params.columns.t",
            lambda keys: node("x", "OneHotEncoder", columns={"t": keys}),
        ),
    ],
)
def test_categories(
    bounded: SetBounds,
    path: str,
    made: Callable[[list[str]], dict[str, Any]],
    count: int,
    wrong: bool,
) -> None:
    """Of a list, a mapping, and one inside another."""
    bounded(max_categories=5)
    expected = [Problem(path, "has 6 entries; at most 5 (RTML_MAX_CATEGORIES)")]
    assert told(graph(made([f"k{i}" for i in range(count)]))) == expected[: int(wrong)]


@pytest.mark.parametrize(("count", "wrong"), [(1, False), (2, False), (3, True)])
def test_columns_behind_a_node(bounded: SetBounds, count: int, wrong: bool) -> None:
    """Those of the event and those that were added, where they become too many."""
    bounded(max_columns=7)  # an event has five
    expected = [Problem("nodes[2]", "8 columns leave it; at most 7 (RTML_MAX_COLUMNS)")]
    assert told(graph(*copies(count))) == expected[: int(wrong)]


@pytest.mark.parametrize(("count", "wrong"), [(4, False), (5, False), (6, True)])
def test_fields_of_an_event(bounded: SetBounds, count: int, wrong: bool) -> None:
    """Nested ones count as well."""
    bounded(max_columns=5)
    inner = {f"f{i}": {"type": "number"} for i in range(count)}
    schema = {"type": "object", "properties": {"in": {"type": "object", "properties": inner}}}
    if not wrong:
        assert len(parse(schema).columns) == count
        return
    with pytest.raises(ConfigError, match=r"declares 6 fields; at most 5 \(RTML_MAX_COLUMNS\)"):
        parse(schema)


@pytest.mark.parametrize(("length", "wrong"), [(4, False), (5, False), (6, True)])
def test_a_vector_of_an_event(bounded: SetBounds, length: int, wrong: bool) -> None:
    """Its fixed length."""
    bounded(max_vector_length=5)
    array = {"type": "array", "items": {"type": "number"}, "minItems": length, "maxItems": length}
    schema = {"type": "object", "properties": {"v": array}}
    if not wrong:
        assert parse(schema).columns["v"].length == length
        return
    with pytest.raises(ConfigError, match="from 1 to 5"):
        parse(schema)


@pytest.mark.parametrize(("length", "wrong"), [(4, False), (5, False), (6, True)])
def test_a_vector_of_a_node(bounded: SetBounds, length: int, wrong: bool) -> None:
    """Whatever kind of node makes it."""
    bounded(max_vector_length=5)
    message = "vector 'into' has 6 numbers; at most 5 (RTML_MAX_VECTOR_LENGTH)"
    made = node("x", "ParseVector", column="t", length=length, into="into")
    assert told(graph(made)) == [Problem("nodes[0]", message)][: int(wrong)]
