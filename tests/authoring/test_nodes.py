"""Nodes of the notebook: params, data in and out, and that the stream's own code runs."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import worker.authoring
from tests.authoring.support import DATA, message, problems
from tests.nodes.support import columns_of, run
from worker.authoring import (
    DataMsg,
    JsonToDataframe,
    Node,
    NodeFactory,
    ONNXNode,
    Pandas,
    Processor,
    Receiver,
)
from worker.authoring.frames import series_of, to_batch
from worker.batch import Batch, ColumnType
from worker.errors import ConfigError
from worker.nodes.registry import kinds


def frame_of(batch: Batch) -> pd.DataFrame:
    """The batch as a table."""
    index = pd.RangeIndex(len(batch))
    return pd.DataFrame({n: series_of(c, n, index) for n, c in batch.columns.items()})


ALIKE = [kind for kind in kinds() if kind not in ("ONNXNode", "JsonToDataframe")]
"""ONNXNode needs its model at hand, and JsonToDataframe takes its payload for the data."""


@pytest.mark.parametrize("kind", ALIKE)
def test_a_node_gives_what_the_worker_gives(kind: str) -> None:
    """The EXAMPLE of every kind: the same columns, the same rows, as the core node has them."""
    example = kinds()[kind].EXAMPLE
    batch = columns_of(example.types, example.given)
    frame = frame_of(batch)
    msg = NodeFactory.create(kind, example.params).process(DataMsg(frame), 1)
    core = run(kind, example.params, example.types, example.given)
    live = np.ones(len(batch), dtype=bool)
    for mark in core.marks:
        live &= ~mark.rows
    expected = core.take(live)
    found, unfit = to_batch(msg.frame)
    assert unfit == {}
    assert {n: c.to_list() for n, c in found.columns.items()} == {
        n: c.to_list() for n, c in expected.columns.items()
    }
    assert len(msg.left) == int((~live).sum())


def test_a_model_beside_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNXNode finds a file by its path from the working directory."""
    monkeypatch.chdir(DATA)
    node = ONNXNode(params={"model": "lr.onnx", "features": ["f0", "f1"]})
    msg = node.process(message(f0=[2.0, -2.0], f1=[1.0, -1.0]))
    assert msg.frame["label"].tolist() == [1, 0]
    assert [len(row) for row in msg.frame["probabilities"]] == [2, 2]


def test_every_kind_is_a_name_of_the_module() -> None:
    """What `discover_nodes` lists can be imported from there, and is of that kind."""
    listed = NodeFactory.discover_nodes()
    assert listed["Pandas"] == "worker.authoring.Pandas"
    assert {"Split", "ScikitLearn", "ModelUpload", "Simulator", *kinds()} == set(listed)
    for name in listed:
        found = getattr(worker.authoring, name)
        assert issubclass(found, Node)
        assert found.kind == name
    assert set(listed) <= set(dir(worker.authoring))


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    """A misspelt node is no attribute, and the message has the right one."""
    with pytest.raises(AttributeError, match="did you mean 'Pandas'"):
        _ = worker.authoring.Pandsa  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("node", "params", "told"),
    [
        (Pandas, {"import": "mapp"}, "import: no operation 'mapp'; did you mean 'map'?"),
        (Pandas, {"importt": "map"}, "importt: is no known key; did you mean 'import'?"),
        (ONNXNode, {"features": ["a"]}, "model: is required"),
        (Processor, {"kind": "Clipp"}, "did you mean 'Clip'"),
        (Receiver, {"fields": 3}, "fields"),
    ],
)
def test_wrong_params(node: Any, params: dict[str, Any], told: str) -> None:
    """A node with wrong params is not made: the param, and the nearest known."""
    with pytest.raises(ConfigError) as caught:
        node(params=params)
    assert any(told in text for text in problems(caught.value)), problems(caught.value)


SGD = "sklearn.linear_model.SGDClassifier"


@pytest.mark.parametrize(
    ("kind", "params", "told"),
    [
        (
            "Pandas",
            {"import": "fillna", "kwargs": {"valeu": 0}, "colz": "a"},
            [
                "colz: is no known key; did you mean 'cols'?",
                "kwargs.valeu: is no known key; did you mean 'value'?",
            ],
        ),
        (
            "Pandas",
            {"import": "map", "kwargs": {"arg": len, "na_acton": 0}, "into": "b", "inplace": True},
            [
                "kwargs.arg: a function cannot be written",
                "into: inplace puts results into their own",
                "kwargs.na_acton: is no known key; did you mean 'na_action'?",
            ],
        ),
        (
            "Pandas",
            {"import": "cut", "cols": "a", "kwargs": {"bins": [1, 0], "labels": ["x", "y"]}},
            ["kwargs.bins[1]: edges must ascend", "kwargs.labels: 2 labels, but 1 intervals"],
        ),
        (
            "Pandas",
            {"import": "get_dummies", "kwargs": {"prefx": "b"}},
            ["kwargs.prefx: is no known key; did you mean 'prefix'?"],
        ),
        ("FieldOps", {}, ["select: give select, drop, rename or copy"]),
        ("FieldOps", {"rname": {"a": "b"}}, ["rname: is no known key; did you mean 'rename'?"]),
        (
            "FieldOps",
            {"rename": {"a": "x", "b": "x"}},
            ["rename.b: column 'x' is named twice, first at rename.a"],
        ),
        (
            "OneHotEncoder",
            {"columns": {"x": ["a", "a"]}, "kep": True},
            [
                "kep: is no known key; did you mean 'keep'?",
                "columns.x[1]: the same value as columns.x[0]",
            ],
        ),
        (
            "Derive",
            {"into": "x", "expression": "coalesc(a, 0) > 1"},
            ["expression: character 1: no function 'coalesc'; did you mean 'coalesce'?"],
        ),
        (
            "Processor",
            {"kind": "Clip", "params": {"columns": ["a"], "lower": 3, "upper": 1}},
            ["params.lower: lower 3 is above upper 1"],
        ),
        (
            "ScikitLearn",
            {
                "features": ["a"],
                "label": "y",
                "mode": "train",
                "model_path": "m.onnx",
                "params": {"model": SGD, "model_params": {"los": "hinge"}},
            },
            ["params.model_params.los: is no param of SGDClassifier; did you mean 'loss'?"],
        ),
        ("Simulator", {"schema": {"type": "objekt"}}, ["schema.type: must be one of object"]),
        ("Split", {"train_size": 0.7, "test_size": 0.7}, ["train_size and test_size are more"]),
        ("ModelUpload", {"model_path": "m", "alias": "a/b"}, ["alias: 'a/b' names no alias"]),
        ("Pandas", "map", ["params: must be a mapping, params={...}, not str"]),
    ],
)
def test_every_problem_is_told_where_the_node_is_made(
    kind: str, params: Any, told: list[str]
) -> None:
    """Keywords, operations and functions need no data to be wrong; all are told at once."""
    with pytest.raises(ConfigError) as caught:
        NodeFactory.create(kind, params)
    found = problems(caught.value)
    assert [text[: len(start)] for text, start in zip(found, told, strict=True)] == told


@pytest.mark.parametrize("kind", kinds())
def test_what_only_data_can_tell_waits_for_them(kind: str) -> None:
    """A node of valid params is made before anything is known of its columns."""
    assert NodeFactory.create(kind, kinds()[kind].EXAMPLE.params).kind == kind


@pytest.mark.parametrize(
    "params",
    [
        *({"import": operation} for operation in ("get_dummies", "abs", "str.lower", "isna")),
        {"import": "abs", "into": ["x", "y"]},
    ],
)
def test_an_operation_on_the_whole_frame_waits_for_it(params: dict[str, Any]) -> None:
    """Without columns and categories nothing is wrong before the table is there."""
    assert Pandas(params=params).params == params


def test_wrong_columns_are_told_with_those_that_cannot_be_used() -> None:
    """A column that no event can hold is named beside the problem it makes."""
    frame = pd.DataFrame({"gap": pd.to_timedelta([1], unit="h"), "age": [3]})
    with pytest.raises(ConfigError) as caught:
        Pandas(params={"import": "abs", "cols": "gap"}).process(DataMsg(frame))
    first, second = problems(caught.value)
    assert first.startswith("cols: no column 'gap' reaches this node")
    assert second.startswith("data.gap: timedelta64")


def test_a_node_needs_a_message() -> None:
    """Nothing, or a table without its message, is refused with what to give."""
    with pytest.raises(ConfigError, match=r"msg: is nothing; give the DataMsg"):
        Pandas(params={"import": "abs"}).process()
    with pytest.raises(ConfigError, match=r"msg: is DataFrame; give the DataMsg"):
        Pandas(params={"import": "abs"}).process(pd.DataFrame({"a": [1]}))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="msg: has no data"):
        Pandas(params={"import": "abs"}).process(DataMsg())


def test_rows_that_the_stream_would_reject_leave_the_table() -> None:
    """A row with a value that cannot be cast is gone, and noted by its label in the index."""
    msg = DataMsg(pd.DataFrame({"age": ["31", "old", "44"]}, index=["x", "y", "z"]))
    after = Pandas(
        params={"import": "astype", "kwargs": {"dtype": "int"}, "inplace": True, "cols": "age"}
    ).process(msg)
    assert after.frame["age"].to_dict() == {"x": 31, "z": 44}
    assert [(o.row, o.what, o.reason) for o in after.left] == [("y", "rejected", "CastError")]
    assert "1 rejected" in repr(after)


def test_columns_that_a_node_does_not_touch_stay_as_they_are() -> None:
    """The very values, their dtype and the index; the given table is not changed."""
    frame = pd.DataFrame({"a": [1.0, 2.0], "gap": pd.to_timedelta([1, 2], unit="h")}, index=[7, 9])
    before = frame.copy(deep=True)
    after = Pandas(params={"import": "abs", "cols": "a"}).process(DataMsg(frame)).frame
    pd.testing.assert_frame_equal(after[["a", "gap"]], before)
    pd.testing.assert_frame_equal(frame, before)
    frame.loc[7, "a"] = 5.0  # still writable


RENAMED = {"b": "x", "c": "y"}


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("Pandas", {"import": "rename", "kwargs": {"columns": RENAMED}}),
        ("Rename", {"columns": RENAMED}),
        ("FieldOps", {"rename": RENAMED}),
    ],
)
def test_a_renamed_column_keeps_its_place(kind: str, params: dict[str, Any]) -> None:
    """The table is the one that pandas gives: its order, its dtypes, its index."""
    frame = pd.DataFrame({"a": [1], "b": pd.Categorical(["u"]), "c": [2.5], "d": ["v"]}, index=[7])
    found = NodeFactory.create(kind, params).process(DataMsg(frame)).frame
    pd.testing.assert_frame_equal(found, frame.rename(columns=RENAMED))


def test_dummies_of_a_table_are_those_of_pandas() -> None:
    """Without categories `get_dummies` takes the table's own, in order."""
    msg = message(gender=["m", "f", None], n=[1, 2, 3])
    found = Pandas(params={"import": "get_dummies"}).process(msg).frame
    pd.testing.assert_frame_equal(
        found[["gender_f", "gender_m"]], pd.get_dummies(msg.frame)[["gender_f", "gender_m"]]
    )


PAYLOADS: list[Any] = [
    {"age": {0: 31, 1: 58}, "gender": {0: "f", 1: None}},
    {"age": {"0": 31, "1": 58}, "gender": {"0": "f", "1": None}},
    {"age": [31, 58], "gender": ["f", None]},
    {"age": {0: 31, 1: 58}, "gender": {0: "f"}},
    [{"age": 31, "gender": "f"}, {"age": 58}],
]


@pytest.mark.parametrize("data", PAYLOADS)
@pytest.mark.parametrize("as_text", [True, False])
def test_json_to_dataframe(data: Any, as_text: bool) -> None:
    """Columns by row, columns as lists, and events, as JSON text or data: one table."""
    node = JsonToDataframe(params={"json_payload": json.dumps(data) if as_text else data})
    frame = node.process().frame
    assert frame["age"].tolist() == [31, 58]
    assert [None if pd.isna(cell) else cell for cell in frame["gender"]] == ["f", None]


def test_nested_events_become_dotted_columns() -> None:
    """An event's objects are columns by their paths, as a schema names them."""
    event = {"_tenant": {"identification": {"ecid": "7"}, "age": 3}, "type": "view"}
    frame = JsonToDataframe(params={"json_payload": json.dumps(event)}).process(None, 1).frame
    assert frame.to_dict("records") == [
        {"_tenant.identification.ecid": "7", "_tenant.age": 3, "type": "view"}
    ]


def test_dotted_names_are_columns_as_nested_ones_are() -> None:
    """A flat event of a notebook gives the same table as a nested one, also half and half."""
    flat = {"_tenant.user.age": 3, "_tenant.brand": "vw"}
    half = {"_tenant.user": {"age": 3}, "_tenant": {"brand": "vw"}}
    frame = JsonToDataframe(params={"json_payload": [flat, half]}).process().frame
    assert frame.to_dict("records") == [flat, flat]


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("{", "json_payload: is no JSON"),
        ("3", "json_payload: is neither a list of events nor columns"),
        ("[3]", "json_payload: has an event that is no object"),
        ({"a": [1], "b": []}, "json_payload: has columns of several lengths: 'a' has 1 rows, 'b'"),
        ([{"a.b": 1, "a": {"b": 2}}], "json_payload: has an event with two values of 'a.b'"),
        (None, "json_payload: gives no events"),
    ],
)
def test_payloads_that_are_none(payload: Any, told: str) -> None:
    """What is neither events nor columns is refused with the reason."""
    with pytest.raises(ConfigError, match="json_payload") as caught:
        JsonToDataframe(params={"json_payload": payload}).process()
    assert problems(caught.value)[0].startswith(told)


@pytest.mark.parametrize(
    ("series", "kind", "cells"),
    [
        (pd.Series([1, None], dtype="Int64"), "int64", [1, None]),
        (pd.Series([1, 2], dtype="uint8"), "int64", [1, 2]),
        (pd.Series([True, None], dtype="boolean"), "bool", [True, None]),
        (pd.Series([True, None], dtype=object), "bool", [True, None]),
        (pd.Series([1.5, None], dtype="Float32"), "float64", [1.5, None]),
        (pd.Series([1.5, None], dtype="float32"), "float32", [1.5, None]),
        (pd.Series([3, None], dtype=object), "int64", [3, None]),
        (pd.Series([3, 0.5], dtype=object), "float64", [3.0, 0.5]),
        (pd.Series(["a", pd.NA], dtype="string"), "text", ["a", None]),
        (pd.Series(["a", None], dtype="category"), "text", ["a", None]),
        (pd.Series([None, None], dtype=object), "text", [None, None]),
        (pd.Series([[1, 2], None]), "float64[2]", [[1.0, 2.0], None]),
        (
            pd.to_datetime(pd.Series(["2026-01-01T01:00+01:00"])),
            "datetime",
            ["2026-01-01T00:00:00.000Z"],
        ),
        (
            pd.Series([datetime.date(2026, 1, 2)], dtype=object),
            "datetime",
            ["2026-01-02T00:00:00.000Z"],
        ),
    ],
)
def test_what_a_series_becomes(series: Any, kind: str, cells: list[Any]) -> None:
    """Each dtype of pandas has one of the worker's; what is missing stays missing."""
    batch, unfit = to_batch(series.to_frame("x"))
    assert unfit == {}
    assert str(batch["x"].type) == kind
    missing = batch["x"].missing
    shown = [
        None if gone else item for gone, item in zip(missing, batch["x"].to_list(), strict=True)
    ]
    assert shown == cells


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        (pd.Series([2**63], dtype="uint64"), "a number is outside int64"),
        (pd.Series([1j]), "complex128 is nothing that an event can hold"),
        (pd.Series([1, "a"], dtype=object), "holds int, str; a column has text"),
        (pd.Series([True, 1], dtype=object), "holds true and false beside other values"),
        (pd.Series([[1], [1, 2]]), "holds lists of several lengths"),
        (pd.Series([{"a": 1}, None]), "holds objects; JsonToDataframe makes columns of them"),
    ],
)
def test_what_no_column_can_hold(series: Any, reason: str) -> None:
    """Such a column is left out with its reason."""
    batch, unfit = to_batch(series.to_frame("x"))
    assert "x" not in batch.columns
    assert unfit["x"].startswith(reason)


def test_two_columns_of_one_name_are_refused() -> None:
    """A table in which a name is not clear is no message's data."""
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ConfigError, match="data: has several columns named a"):
        to_batch(frame)


@pytest.mark.parametrize("text", ["<b>", 'a"b'])
def test_messages_and_nodes_draw_themselves(text: str) -> None:
    """HTML without scripts, links or what the data could smuggle in."""
    msg = DataMsg(pd.DataFrame({"c": [text]}), features=["c"], model={"model_id": text})
    node = Pandas(params={"import": "fillna", "kwargs": {"value": text}})
    for html in (msg._repr_html_(), node._repr_html_()):
        assert "<b>DataMsg" in html or "<b>Pandas" in html
        assert "<b></" not in html
        assert "<script" not in html
        assert "http" not in html
    assert "1 rows, 1 columns, 1 features" in repr(msg)


def test_typed_columns_survive_a_table() -> None:
    """A column with gaps comes back as the type it had: int64 stays int64, bool bool."""
    types = {"n": "int64", "b": "bool", "t": "text", "d": "datetime"}
    given: dict[str, list[Any]] = {
        "n": [1, None],
        "b": [None, True],
        "t": [None, None],
        "d": ["2026-01-01", None],
    }
    batch = columns_of({n: ColumnType(k) for n, k in types.items()}, given)  # type: ignore[arg-type]
    again, _ = to_batch(frame_of(batch))
    assert {n: (str(c.type), c.to_list()) for n, c in again.columns.items()} == {
        n: (str(c.type), c.to_list()) for n, c in batch.columns.items()
    }
