"""Order: each node after those that feed it, cycles found, mistakes told."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from worker.graph.order import predecessors, topological


def test_predecessors_keep_the_files_order() -> None:
    """Each node's feeders as the edges list them."""
    before, problems = predecessors(["a", "b", "c"], [("b", "c"), ("a", "c"), ("a", "b")])
    assert (before, problems) == ({"a": (), "b": ("a",), "c": ("b", "a")}, [])


def test_every_mistake_of_ids_and_edges() -> None:
    """Repeated ids, unknown ends with the nearest name, repeated edges; each at its place."""
    links = [("first", "secnd"), ("first", "second"), ("first", "second"), ("x", "y")]
    _, problems = predecessors(["first", "second", "first"], links)
    assert [(problem.path, problem.message.partition(";")[0]) for problem in problems] == [
        ("nodes[2].id", "'first' is used twice"),
        ("edges[0][1]", "no node 'secnd'"),
        ("edges[2]", "'first' to 'second' is given twice"),
        ("edges[3][0]", "no node 'x'"),
        ("edges[3][1]", "no node 'y'"),
    ]
    assert "did you mean 'second'?" in problems[1].message


def test_nodes_without_edges_stay_in_file_order() -> None:
    """Order is the file's where nothing else decides."""
    assert topological({"b": (), "a": (), "c": ("b",)}) == (["b", "a", "c"], [])


def test_a_cycle_is_told_without_what_hangs_on_it() -> None:
    """Only the nodes that wait for each other, not those behind them."""
    before = {"a": (), "b": ("a", "d"), "c": ("b",), "d": ("c",), "e": ("d",), "f": ("e",)}
    assert topological(before) == (["a"], ["b", "c", "d"])


def test_a_node_can_be_its_own_cycle() -> None:
    """An edge from a node to itself."""
    assert topological({"a": ("a",), "b": ("a",)}) == ([], ["a"])


def test_a_long_tail_behind_a_cycle() -> None:
    """A thousand nodes behind a cycle are looked through without recursion."""
    before = {"a": ("b",), "b": ("a",), "n0": ("a",)}
    before |= {f"n{i}": (f"n{i - 1}",) for i in range(1, 1000)}
    assert topological(before) == ([], ["a", "b"])


@st.composite
def dags(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """A mapping to predecessors without cycles, in any order."""
    names = [f"n{i}" for i in range(draw(st.integers(0, 12)))]
    before = {
        name: tuple(draw(st.lists(st.sampled_from(names[:i]), unique=True))) if i else ()
        for i, name in enumerate(names)
    }
    return {name: before[name] for name in draw(st.permutations(names))}


@settings(max_examples=50)
@given(dags())
def test_each_node_follows_its_feeders(before: dict[str, tuple[str, ...]]) -> None:
    """For any DAG: all nodes, each once, and none before one that feeds it."""
    order, cycle = topological(before)
    assert (sorted(order), cycle) == (sorted(before), [])
    for name, feeders in before.items():
        assert all(order.index(feeder) < order.index(name) for feeder in feeders)


@settings(max_examples=50)
@given(dags(), st.data())
def test_an_edge_back_is_a_cycle(before: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    """Whoever closes a path gets both its ends told."""
    edges = [(feeder, name) for name, feeders in before.items() for feeder in feeders]
    if not edges:
        return
    left, right = data.draw(st.sampled_from(edges))
    _, cycle = topological({**before, left: (*before[left], right)})
    assert {left, right} <= set(cycle)
