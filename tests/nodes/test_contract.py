"""What holds for every node kind, also for one that is installed tomorrow."""

from __future__ import annotations

import inspect
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.nodes.support import build, columns_of
from worker.batch import Batch, Column, ColumnType, DType
from worker.nodes.base import TOPIC_COLUMN, Node
from worker.nodes.registry import kinds

every_kind = pytest.mark.parametrize("kind", list(kinds()))

BYSTANDER = "bystander"


def example_node(kind: str) -> tuple[Node[Any], dict[str, ColumnType]]:
    """The node of the EXAMPLE, and the types that reach it: its own and a bystander's."""
    example = kinds()[kind].EXAMPLE
    types = {**example.types, BYSTANDER: ColumnType(DType.TEXT)}
    return build(kind, example.params, types), types


def given(kind: str, filling: str, n: int) -> Batch:
    """A batch of n rows made of the EXAMPLE's, at positions with gaps.

    ``as shown`` repeats its rows, ``nothing`` has only missing values, ``complete`` repeats each
    column's values that are not missing.
    """
    example = kinds()[kind].EXAMPLE
    types = {**example.types, BYSTANDER: ColumnType(DType.TEXT)}
    columns = {}
    for name, column_type in types.items():
        items = example.given.get(name, ["b", None, "c"])
        if filling == "complete":
            items = [item for item in items if item is not None]
        if filling == "nothing":
            columns[name] = nothing(column_type, n)
        else:
            repeated = [items[i % len(items)] for i in range(n)]
            columns[name] = columns_of({name: column_type}, {name: repeated})[name]
    return Batch({}, np.arange(n, dtype=np.int64) * 3 + 5).with_columns(columns)


def nothing(column_type: ColumnType, n: int) -> Column:
    """A column of missing values only."""
    shape = (n,) if column_type.length is None else (n, column_type.length)
    return Column(np.zeros(shape, dtype=column_type.numpy), np.zeros(n, dtype=np.bool_))


def decisions(batch: Batch) -> list[list[tuple[Any, ...]]]:
    """For each row, what the node decided about it."""
    told: list[list[tuple[Any, ...]]] = [[] for _ in range(len(batch))]
    for mark in batch.marks:
        for i, row in enumerate(np.flatnonzero(mark.rows)):
            told[row].append((mark.stage, mark.reason, mark.message(i)))
    return told


def outcome(batch: Batch, names: Mapping[str, ColumnType]) -> list[Any]:
    """For each row, the decision about it, or its values of those columns."""
    values = {name: batch[name].to_list() for name in names}
    return [
        decided or {name: values[name][row] for name in names}
        for row, decided in enumerate(decisions(batch))
    ]


def staying(batch: Batch) -> Batch:
    """The rows without a mark, as the runner leaves them."""
    return batch.take(np.array([not told for told in decisions(batch)], dtype=np.bool_))


def alike(actual: Any, expected: Any) -> bool:
    """Equal, floats to the seven digits that an EXAMPLE in float32 can show."""
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(map(alike, actual, expected))
    if isinstance(actual, float) and isinstance(expected, float):
        return math.isclose(actual, expected, rel_tol=1e-6, abs_tol=1e-9)
    return type(actual) is type(expected) and actual == expected


FILLINGS = ("as shown", "complete", "nothing")


def batches(kind: str, *sizes: int) -> Iterator[Batch]:
    """A batch of each filling and size."""
    for filling in FILLINGS:
        for n in sizes:
            yield given(kind, filling, n)


@every_kind
def test_documented(kind: str) -> None:
    """The class and its params say what they are; params are refused where unknown."""
    node = kinds()[kind]
    assert inspect.cleandoc(node.__doc__ or "")
    assert inspect.cleandoc(node.Params.__doc__ or "")
    assert node.Params.model_config.get("extra") == "forbid"
    assert node.Params.model_config.get("frozen") is True


@every_kind
def test_params_are_json(kind: str) -> None:
    """The EXAMPLE's params survive JSON, validate, and give a JSON Schema for editors."""
    node = kinds()[kind]
    decoded = json.loads(json.dumps(dict(node.EXAMPLE.params), allow_nan=False))
    assert decoded == node.EXAMPLE.params
    assert node.Params.model_validate(decoded)
    assert json.dumps(node.Params.model_json_schema())


@every_kind
def test_unknown_param_refused(kind: str) -> None:
    """A misspelt param is an error, not ignored."""
    node = kinds()[kind]
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        node.Params.model_validate({**node.EXAMPLE.params, "surprise": 1})


@every_kind
def test_example(kind: str) -> None:
    """The EXAMPLE gives what it says, for every column the node writes, and shows a row."""
    example = kinds()[kind].EXAMPLE
    node = build(kind, example.params, example.types)
    assert set(node.signature.writes) <= set(example.gives)
    after = staying(node.process(columns_of(example.types, example.given)))
    gives = {name: after[name].to_list() for name in example.gives}
    for name, expected in example.gives.items():
        assert alike(gives[name], list(expected)), f"{name}: {gives[name]} != {expected}"
    assert len(after) >= 1


@every_kind
def test_signature_is_true(kind: str) -> None:
    """What the signature says is written and removed is; nothing else is touched."""
    node, types = example_node(kind)
    writes, removes = node.signature.writes, set(node.signature.removes)
    assert removes.isdisjoint(writes)
    assert set(node.signature.reads) <= set(types)
    made_of = node.signature.made_of
    assert set(made_of) in (set(), set(writes))
    assert {name for names in made_of.values() for name in names} <= set(node.signature.reads)
    for before in batches(kind, 0, 1, 7):
        after = node.process(before)
        assert set(after.columns) == (set(types) - removes) | set(writes)
        assert {name: after[name].type for name in writes} == dict(writes)
        untouched = set(types) - removes - set(writes)
        assert all(after[name] is before[name] for name in untouched)


@every_kind
def test_rows_stay_in_place(kind: str) -> None:
    """A node marks rows; it neither takes them out nor moves them."""
    node, _ = example_node(kind)
    for before in batches(kind, 0, 1, 7):
        after = node.process(before)
        assert after.rows.tolist() == before.rows.tolist()
        assert all(len(column) == len(before) for column in after.columns.values())
        for mark in after.marks:
            assert mark.rows.shape == (len(before),)
            assert mark.rows.dtype == np.bool_
            assert mark.rows.any()
            assert mark.reason
            assert isinstance(mark.messages, str) or len(mark.messages) == mark.rows.sum()


@every_kind
def test_one_decision_about_a_row(kind: str) -> None:
    """A row is marked once, and a rejection says why in words."""
    node, _ = example_node(kind)
    for batch in batches(kind, 7):
        for told in decisions(node.process(batch)):
            assert len(told) <= 1
            assert all(stage is None or message for stage, _, message in told)


@every_kind
def test_input_unchanged(kind: str) -> None:
    """A node cannot harm its sibling: what it was given stays, what it gives is read-only."""
    node, _ = example_node(kind)
    for before in batches(kind, 7):
        copies = {name: column.to_list() for name, column in before.columns.items()}
        after = node.process(before)
        assert {name: column.to_list() for name, column in before.columns.items()} == copies
        assert not before.marks
        assert not any(column.values.flags.writeable for column in after.columns.values())


@every_kind
def test_rows_are_independent(kind: str) -> None:
    """A batch of n gives what n batches of one give, bit for bit, and counts the same."""
    node, _ = example_node(kind)
    if not node.row_independent:
        pytest.skip("says that its rows depend on each other")
    for batch in batches(kind, 7):
        alone = [node.process(batch.take(np.array([row]))) for row in range(len(batch))]
        together, writes = node.process(batch), node.signature.writes
        assert outcome(together, writes) == [outcome(one, writes)[0] for one in alone]
        assert together.unknown == sum((Counter(one.unknown) for one in alone), Counter[str]())


@every_kind
def test_reads_is_complete(kind: str) -> None:
    """A batch with only the columns of ``reads`` gives the same."""
    node, types = example_node(kind)
    for batch in batches(kind, 7):
        bare = batch.without(set(types) - set(node.signature.reads))
        whole = outcome(node.process(batch), node.signature.writes)
        assert outcome(node.process(bare), node.signature.writes) == whole


@every_kind
def test_missing_is_canonical(kind: str) -> None:
    """What is written holds no value where it is missing: None and nothing else in text."""
    node, _ = example_node(kind)
    texts = [name for name, kind in node.signature.writes.items() if kind.dtype is DType.TEXT]
    for batch in batches(kind, 7):
        after = node.process(batch)
        for column in map(after.columns.__getitem__, texts):
            items = column.values.reshape(len(column), -1).tolist()
            gone = column.missing.tolist()
            assert [any(item is None for item in row) for row in items] == gone
            assert all(isinstance(item, str) or item is None for row in items for item in row)


@every_kind
def test_only_route_names_topics(kind: str) -> None:
    """No kind but `Route` writes the reserved column, so a graph's topics are a declared list."""
    writes = example_node(kind)[0].signature.writes
    assert (TOPIC_COLUMN in writes) == (kind == "Route")
