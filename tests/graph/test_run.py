"""Run: rows go their ways, and a decision about one is a decision about no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.graph import fragile
from tests.graph.fragile import POISON
from tests.graph.support import graph, node, planned
from worker.batch import Batch, Column, DType
from worker.errors import Stage
from worker.graph.run import MAX_LATE_RUNS, Observer, Run, run
from worker.models.watchdog import limited


@pytest.fixture(autouse=True, scope="module")
def _fragile_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package with nodes that break is installed."""
    folder: Path = tmp_path_factory.mktemp("site")
    with fragile.installed(folder):
        yield


NAN = float("nan")


def batch(rows: list[int] | None = None, **columns: list[Any]) -> Batch:
    """Float columns; rows stand at the given positions."""
    made = {name: Column.of(items, DType.FLOAT64) for name, items in columns.items()}
    whole = Batch.of(made)
    return whole if rows is None else Batch(whole.columns, np.array(rows, dtype=np.int64))


def ran(nodes: list[dict[str, Any]], given: Batch, **rest: Any) -> Run:
    """A batch through a graph whose sink takes column a."""
    return run(planned(graph(*nodes, **{"sink": {"topic": "out", "fields": ["a"]}, **rest})), given)


def keep(id_: str, column: str, above: float) -> dict[str, Any]:
    """A node that drops what is not above a bound."""
    return node(id_, "Filter", column=column, op="gt", value=above, reason=f"low_{column}")


def demand(id_: str, column: str, **rule: Any) -> dict[str, Any]:
    """A node that rejects what breaks a rule."""
    return node(id_, "Validate", rules={column: rule})


def told(done: Run) -> dict[int, str]:
    """Row -> the reason of its drop, or the node and the class of its fault."""
    found = {row: f"{drop.node} {drop.reason}" for row, drop in done.drops.items()}
    return found | {row: f"{fault.node} {fault.error}" for row, fault in done.faults.items()}


def test_rows_keep_their_positions() -> None:
    """Dropped and rejected rows are told by the position at which they were read."""
    given = batch([2, 3, 5, 8], a=[1.0, -1.0, 99.0, 2.0])
    done = ran([keep("low", "a", 0), demand("high", "a", max=50)], given)
    assert told(done) == {3: "low low_a", 5: "high RangeError"}
    assert done.batch.rows.tolist() == [2, 8]
    assert done.batch["a"].to_list() == [1.0, 2.0]
    assert done.faults[5].stage is Stage.VALIDATE


def test_unknown_values_are_summed_up_by_node_and_column() -> None:
    """Each node tells its own, once, for the rows that reach it; a run without has none."""
    encode = {"columns": {"t": ["x"]}, "keep": True}
    nodes = [keep("low", "a", 0), node("first", "OneHotEncoder", **encode)]
    translate = {"columns": {"t": ["x", "y"]}}
    nodes += [node("second", "OrdinalEncoder", **translate), demand("bad", "a", max=50)]
    numbers = Column.of([1.0, 2.0, -1.0, 99.0], DType.FLOAT64)
    words = Column.of(["y", "z", "z", "z"], DType.TEXT)
    done = ran(nodes, Batch.of({"a": numbers, "t": words}))
    assert done.unknown == {("first", "t"): 3, ("second", "t"): 2}
    assert done.batch.unknown == {}
    known = Batch.of({"a": numbers, "t": Column.of(["x"] * 4, DType.TEXT)})
    assert ran(nodes, known).unknown == {}


def test_no_node_sees_a_dead_row() -> None:
    """What one node took out cannot break the next."""
    done = ran(
        [keep("low", "a", 0), node("use", "Fragile", column="b")],
        batch(a=[-1.0, 1.0], b=[POISON, 1.0]),
    )
    assert told(done) == {0: "low low_a"}


@pytest.mark.parametrize("order", [["drop", "reject"], ["reject", "drop"]])
def test_a_rejection_beats_a_drop_whatever_the_order(order: list[str]) -> None:
    """A row that one branch drops and the other rejects is a dead letter."""
    nodes = {"drop": keep("drop", "a", 0), "reject": demand("reject", "a", min=0)}
    given = batch(a=[-1.0, 1.0])
    for edges in ([], [["drop", "join"], ["reject", "join"]]):
        join = [node("join", "Copy", columns={"a": "c"})] if edges else []
        done = ran([*(nodes[name] for name in order), *join], given, edges=edges)
        assert told(done) == {0: "reject RangeError"}
        assert done.batch.rows.tolist() == [1]


def test_one_node_may_do_both() -> None:
    """Rejected beats dropped inside a node, too."""
    done = ran([node("x", "Undecided", column="a")], batch(a=[None, 1.0]))
    assert told(done) == {0: "x Missing"}
    assert done.drops == {}


def test_a_row_is_live_where_all_branches_keep_it() -> None:
    """At a join only rows that every branch has, with the columns of all."""
    nodes = [
        keep("left", "a", 0),
        keep("right", "b", 0),
        node("sum", "Arithmetic", left="a", op="+", right="b", into="s"),
    ]
    given = batch([1, 4, 6, 7], a=[1.0, -1.0, 1.0, -1.0], b=[1.0, 1.0, -1.0, -1.0])
    edges = [["left", "sum"], ["right", "sum"]]
    done = ran(nodes, given, edges=edges, sink={"topic": "out", "fields": ["s"]})
    assert done.batch.rows.tolist() == [1]
    assert done.batch["s"].to_list() == [2.0]
    assert told(done) == {4: "left low_a", 6: "right low_b", 7: "left low_a"}


def test_branches_do_not_see_each_others_columns() -> None:
    """Each branch works on what reached it; where they meet, each writer's column is there."""
    nodes = [
        node("left", "Clip", columns=["a"], upper=0.0),
        node("right", "Copy", columns={"a": "before"}),
        node("forget", "Drop", columns=["a"]),
    ]
    done = ran(
        nodes,
        batch(a=[5.0]),
        edges=[["right", "forget"]],
        sink={"topic": "out", "fields": ["a", "before"]},
    )
    assert (done.batch["a"].to_list(), done.batch["before"].to_list()) == ([0.0], [5.0])


@pytest.mark.parametrize("poisoned", [{0}, {6}, {3}, {0, 1}, {1, 5}, {2, 3, 4}, set(range(7))])
def test_a_node_that_raises_costs_the_guilty_rows_only(poisoned: set[int]) -> None:
    """The others go on as if nothing had been, wherever the guilty ones stand."""
    items = [POISON if i in poisoned else float(i) for i in range(7)]
    done = ran(
        [node("x", "Fragile", column="a"), node("after", "Round", columns=["a"])],
        batch([i * 2 for i in range(7)], a=items),
    )
    assert told(done) == {i * 2: "x NodeError" for i in sorted(poisoned)}
    assert done.batch.rows.tolist() == [i * 2 for i in range(7) if i not in poisoned]
    assert done.batch["a"].to_list() == [item for item in items if item != POISON]


def test_a_row_that_a_node_loses_is_its_fault() -> None:
    """No record is without an outcome, whatever a foreign node does."""
    done = ran([node("x", "Careless", column="a")], batch(a=[1.0, NAN, 3.0]))
    assert told(done) == {1: "x NodeError"}
    assert "lost or moved rows" in done.faults[1].message
    assert done.batch["a"].to_list() == [1.0, 3.0]


def test_the_fault_of_a_node_that_raises_is_short() -> None:
    """The exception's class and the beginning of its text, and only about the one row."""
    done = ran([node("x", "Fragile", column="a")], batch(a=[POISON, 4.0]))
    fault = done.faults[0]
    assert (fault.stage, fault.error, fault.node) == (Stage.NODE, "NodeError", "x")
    assert fault.message.startswith("ValueError: poison in [666.0]")
    assert len(fault.message) <= 300


ENDLESS = node("m", "ONNXNode", model="endless.onnx", features=["a"], outputs={"y": "Y"})
"""Never returns where the feature is above 1,000."""


def endless(items: list[float]) -> tuple[Run, float]:
    """A batch through that model with a limit of 0.4 s, and how long it took."""
    start_s = time.perf_counter()
    with limited(0.4):
        done = ran([ENDLESS], batch(a=items), sink={"topic": "out", "fields": ["y"]})
    return done, time.perf_counter() - start_s


def test_the_row_on_which_a_model_never_returns_is_found() -> None:
    """One of 2,048 is rejected as late, all others are scored."""
    items = [float(i % 7) for i in range(2_048)]
    items[777] = 5_000.0
    done, _ = endless(items)
    assert (told(done), done.unsure) == ({777: "m ModelTimeout"}, False)
    assert done.faults[777].stage is Stage.SCORE
    assert "model 'endless.onnx' took longer than 0.1 s" in done.faults[777].message
    assert done.batch["y"].to_list() == [item for item in items if item < 1_000]


def test_a_model_that_never_returns_costs_a_bounded_time() -> None:
    """Every row is rejected without a run for each, and it is said that not all are guilty."""
    done, took_s = endless([5_000.0] * 2_048)
    assert done.unsure
    assert {fault.error for fault in done.faults.values()} == {"ModelTimeout"}
    assert len(done.faults) == 2_048
    assert done.late <= 2 * MAX_LATE_RUNS
    assert took_s < 30.0


def test_in_a_small_batch_every_late_row_is_found() -> None:
    """Also where all of them are: none is rejected for its neighbour."""
    done, _ = endless([5_000.0] * 3 + [1.0])
    assert (told(done), done.unsure) == (dict.fromkeys(range(3), "m ModelTimeout"), False)


def test_a_row_that_breaks_the_model_is_found() -> None:
    """It is told as the model's failure, with what ONNX Runtime said."""
    index = node("m", "ONNXNode", model="index.onnx", features=["a"], outputs={"y": "Y"})
    done = ran([index], batch(a=[0.0, 9.0, 1.0]), sink={"topic": "out", "fields": ["y"]})
    assert told(done) == {1: "m ModelFailed"}
    assert (done.faults[1].stage, done.batch["y"].to_list()) == (Stage.SCORE, [10.0, 20.0])


def test_halves_are_put_together_as_they_were() -> None:
    """Missing values of every kind, and vectors with one component missing, survive."""
    poison = Column.of([1.0, POISON, 3.0, 4.0], DType.FLOAT64)
    columns = {
        "a": poison,
        "n": Column.of([1, 2, None, 4], DType.INT64),
        "t": Column.of(["x", None, None, "y"], DType.TEXT),
        "v": Column(np.array([[1, NAN, 3], [1, 2, 3], [NAN, NAN, NAN], [4, 5, 6]])),
    }
    fields = {"topic": "out", "fields": list(columns)}
    given = Batch.of(columns)
    done = ran([node("x", "Fragile", column="a")], given, sink=fields)
    expected = given.take(np.array([0, 2, 3]))
    assert {name: repr(column.values.tolist()) for name, column in done.batch.columns.items()} == {
        name: repr(column.values.tolist()) for name, column in expected.columns.items()
    }


def test_what_nobody_reads_is_not_taken_along_where_rows_are_taken_out() -> None:
    """Nor where one half of a batch had rows to take out; who looks on sees everything."""
    plan = planned(graph(node("x", "Fragile", column="a"), sink={"topic": "out", "fields": ["t"]}))
    text = Column.of(["p", "q", "r", "s"], DType.TEXT)

    def left(*values: float, observer: Observer | None = None) -> dict[str, list[Any]]:
        given = batch(a=list(values), b=[1, 2, 3, 4]).with_columns({"t": text})
        done = run(plan, given, observer=observer).batch
        return {name: column.to_list() for name, column in done.columns.items()}

    assert left(1, 2, 3, 4).keys() == {"a", "b", "t"}
    assert left(1, 2, -3, 4) == {"t": ["p", "q", "s"]}
    assert left(POISON, 2, -3, 4) == {"t": ["q", "s"]}
    seen = left(1, 2, -3, 4, observer=lambda *_: None)
    assert seen == {"a": [1.0, 2.0, 4.0], "b": [1.0, 2.0, 4.0], "t": ["p", "q", "s"]}


@pytest.mark.parametrize("values", [[], [-1.0], [-1.0, -2.0]])
def test_where_no_row_is_left_the_sinks_columns_are(values: list[float]) -> None:
    """Nodes behind an empty batch are not run, and their columns exist all the same."""
    nodes = [
        keep("low", "a", 0),
        node(
            "score",
            "ONNXNode",
            model="lr.onnx",
            features=["a", "b"],
            outputs={"p": "probabilities"},
        ),
        node("route", "Route", column="t", topics={"x": "other"}),
        node("less", "Select", columns=["p"]),
    ]
    given = batch(a=list(values), b=list(values)).with_columns(
        {"t": Column.of(["x"] * len(values), DType.TEXT)}
    )
    done = ran(nodes, given, sink={"topic": "out", "fields": ["p"]})
    assert set(done.batch.columns) == {"p", "@topic"}
    assert [len(done.batch), done.batch["p"].type.length] == [0, 2]
    assert len(done.drops) == len(values)


def test_time_is_taken_per_node() -> None:
    """A clock gives seconds for each node's id; without one nothing is measured."""
    ticks = iter(range(100))
    made = planned(graph(keep("x", "a", 0), node("y", "Copy", columns={"a": "c"})))
    assert run(made, batch(a=[1.0]), lambda: float(next(ticks))).seconds == {"x": 1.0, "y": 1.0}
    assert run(made, batch(a=[1.0])).seconds == {}
