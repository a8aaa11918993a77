"""ONNXNode: columns into the model, its outputs into columns, unfit events into dead letters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from pydantic import ValidationError

from tests.models.makers import FLOAT, TEXT, identity, matmul, model, saved, tensor
from tests.nodes.support import DATA, build, columns_of, run
from worker.batch import Batch, Column, ColumnType, DType
from worker.errors import ConfigError, Stage
from worker.models.file import ModelFile
from worker.models.session import Session
from worker.nodes._onnx_feed import matrix
from worker.nodes.base import Columns, Context
from worker.nodes.onnx_node import ONNXNode, ONNXNodeParams

TWO = {"f0": DType.FLOAT64, "f1": DType.FLOAT64}
LR: dict[str, Any] = {
    "model": "lr.onnx",
    "features": ["f0", "f1"],
    "outputs": {"score": "probabilities[1]"},
}


def typed(types: Mapping[str, ColumnType | DType]) -> dict[str, ColumnType]:
    """Scalars may be given by their dtype alone."""
    return {n: t if isinstance(t, ColumnType) else ColumnType(t) for n, t in types.items()}


def made(folder: Path, params: dict[str, Any], types: Mapping[str, ColumnType | DType]) -> ONNXNode:
    """The node of a graph in ``folder``."""
    node = ONNXNode(ONNXNodeParams.model_validate(params), Columns(typed(types)), Context(folder))
    assert isinstance(node, ONNXNode)
    return node


def problems(
    params: dict[str, Any],
    types: Mapping[str, ColumnType | DType] | None = None,
    folder: Path = DATA,
) -> list[str]:
    """``path: message`` of everything that does not fit."""
    with pytest.raises(ConfigError) as caught:
        made(folder, params, TWO if types is None else types)
    return [str(problem) for problem in caught.value.problems]


def rejected(batch: Batch) -> dict[int, tuple[str, str, str]]:
    """Row -> stage, error and message; each row once."""
    found: dict[int, tuple[str, str, str]] = {}
    for mark in batch.marks:
        for i, row in enumerate(np.flatnonzero(mark.rows).tolist()):
            assert row not in found
            found[row] = (str(mark.stage), mark.reason, mark.message(i))
    return found


def test_a_number_beyond_the_models_type_is_told_as_one() -> None:
    """Infinite only as float32: filling it is no way out, unlike where there is no number."""
    given = {"f0": [1e39, None, 1e39], "f1": [1.0, 1.0, None]}
    found = rejected(run("ONNXNode", LR, TWO, given))
    beyond = "beyond what the model's float32 can hold: f0; Clip it"
    missing = "no value that the model can take for {}; FillNa it, or set missing: nan if the "
    missing += "model takes NaN"
    assert [found[row][2] for row in range(3)] == [
        beyond,
        missing.format("f0"),
        f"{missing.format('f1')}; {beyond}",
    ]


def test_only_an_output_that_is_wanted_must_be_usable(tmp_path: Path) -> None:
    """One without a row per event holds up who asks for it, by name or for all of them."""
    nodes = [helper.make_node("Identity", ["x"], ["y"]), helper.make_node("Shape", ["x"], ["n"])]
    outputs = {"y": (FLOAT, [None, 2]), "n": (TensorProto.INT64, [2])}
    saved(tmp_path, model(nodes, {"x": (FLOAT, [None, 2])}, outputs))
    params = {"model": "m.onnx", "features": ["f0", "f1"]}
    node = made(tmp_path, {**params, "outputs": {"a": "y[0]"}}, TWO)
    assert list(node.signature.writes) == ["a"]
    for wanted in ({"outputs": {"b": "n"}}, {"outputs": {"b": "n[0]"}}, {}):
        (problem,) = problems({**params, **wanted}, folder=tmp_path)
        assert "output 'n' has shape (2,) for 3 events; its first axis must be" in problem


def test_scores_are_the_models_own() -> None:
    """Columns in the order of ``features`` give what the session gives, bit for bit."""
    x = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
    given = {"f0": x[:, 0].astype(float).tolist(), "f1": x[:, 1].astype(float).tolist()}
    outputs = {"score": "probabilities[1]", "label": "label", "both": "probabilities"}
    batch = run("ONNXNode", {**LR, "outputs": outputs}, TWO, given)
    label, both = Session(DATA / "lr.onnx", "lr").run({"X": x}, ["label", "probabilities"])
    assert batch["score"].values.tobytes() == both[:, 1].tobytes()
    assert batch["both"].values.tobytes() == both.tobytes()
    assert batch["label"].to_list() == label.tolist()
    assert {name: str(batch[name].type) for name in outputs} == {
        "score": "float32",
        "label": "int64",
        "both": "float32[2]",
    }


def test_the_order_of_features_is_the_models() -> None:
    """The first column named is the model's first feature, wherever it stands in the event."""
    given = {"f0": [3.0], "f1": [-1.0]}
    turned = run("ONNXNode", {**LR, "features": ["f1", "f0"]}, TWO, given)
    straight = run("ONNXNode", LR, TWO, {"f0": [-1.0], "f1": [3.0]})
    assert turned["score"].to_list() == straight["score"].to_list()


def test_scalars_and_vectors_stand_side_by_side() -> None:
    """An input is filled with scalars, vectors, ints and bools in the order given."""
    types = typed({"n": DType.INT64, "v": ColumnType(DType.FLOAT32, 2), "b": DType.BOOL})
    given: dict[str, list[Any]] = {"n": [3], "v": [[0.5, 0.25]], "b": [True]}
    params = {"model": "trees.onnx", "features": ["n", "v", "b"], "outputs": {"p": "probabilities"}}
    x = np.array([[3, 0.5, 0.25, 1]], dtype=np.float32)
    (expected,) = Session(DATA / "trees.onnx", "t").run({"X": x}, ["probabilities"])
    assert run("ONNXNode", params, types, given)["p"].to_list() == expected.tolist()


@pytest.mark.parametrize("features", [["a", "b"], {"a": "a", "b": "b"}, {"b": ["b"], "a": ["a"]}])
def test_several_inputs_by_name(features: Any) -> None:
    """Columns named like the inputs, or a mapping of input to columns."""
    types = {"a": ColumnType(DType.FLOAT64, 2), "b": ColumnType(DType.FLOAT64, 3)}
    given = {"a": [[1.0, 2.0]], "b": [[3.0, 4.0, 5.0]]}
    params = {
        "model": "two_inputs.onnx",
        "features": features,
        "outputs": {"sum": "sum", "both": "both", "last": "both[4]"},
    }
    batch = run("ONNXNode", params, types, given)
    assert batch["sum"].to_list() == [15.0]
    assert batch["both"].to_list() == [[1.0, 2.0, 3.0, 4.0, 5.0]]
    assert batch["last"].to_list() == [5.0]


def test_several_inputs_from_scalars() -> None:
    """An input of several values may be put together from columns, one of them twice."""
    params = {
        "model": "two_inputs.onnx",
        "features": {"a": ["f0", "f1"], "b": ["f1", "f1", "f0"]},
        "outputs": {"both": "both"},
    }
    batch = run("ONNXNode", params, TWO, {"f0": [1.0], "f1": [2.0]})
    assert batch["both"].to_list() == [[1.0, 2.0, 2.0, 2.0, 1.0]]


def test_text_and_numbers() -> None:
    """A text input is fed by a text column; missing text is rejected, empty text is not."""
    params = {
        "model": "text_input.onnx",
        "features": ["brand", "age"],
        "outputs": {"p": "probabilities[1]"},
    }
    types = {"brand": DType.TEXT, "age": DType.FLOAT64}
    given: dict[str, list[Any]] = {
        "brand": ["skoda", None, "", "ß"],
        "age": [30.0, 30.0, 30.0, 30.0],
    }
    batch = run("ONNXNode", params, types, given)
    assert list(rejected(batch)) == [1]
    feeds = {
        "brand": np.array([["skoda"], [""], ["ß"]], dtype=object),
        "age": np.full((3, 1), 30, dtype=np.float32),
    }
    (expected,) = Session(DATA / "text_input.onnx", "t").run(feeds, ["probabilities"])
    assert batch["p"].values[[0, 2, 3]].tobytes() == expected[:, 1].tobytes()


def test_an_image_is_a_vector_in_its_shape() -> None:
    """A flat vector is laid out over the input's axes, row by row."""
    x = np.random.default_rng(2).normal(size=(3, 64)).astype(np.float32)
    params = {"model": "image.onnx", "features": ["pixels"], "outputs": {"scores": "scores"}}
    types = {"pixels": ColumnType(DType.FLOAT32, 64)}
    batch = run("ONNXNode", params, types, {"pixels": x.tolist()})
    feeds = {"image": x.reshape(3, 1, 8, 8)}
    (expected,) = Session(DATA / "image.onnx", "i").run(feeds, ["scores"])
    assert batch["scores"].values.tobytes() == expected.tobytes()


def test_int_double_and_bool_tensors() -> None:
    """int64 and float64 are fed without a loss, and come back with their types."""
    params = {
        "model": "int_double.onnx",
        "features": ["count", "amount"],
        "outputs": {"product": "product", "twice": "twice", "positive": "positive"},
    }
    types = {"count": DType.INT64, "amount": DType.FLOAT64}
    given: dict[str, list[Any]] = {"count": [2**53 + 1, 3], "amount": [1e-9, -0.1]}
    batch = run("ONNXNode", params, types, given)
    assert batch["twice"].to_list() == [2**54 + 2, 6]
    assert batch["product"].to_list() == [float(2**53 + 1) * 1e-9, 3 * -0.1]
    assert batch["positive"].to_list() == [True, False]
    assert [str(batch[name].type) for name in params["outputs"]] == ["float64", "int64", "bool"]


def test_a_fixed_batch_size() -> None:
    """Any number of events through a model that takes four."""
    params = {"model": "fixed_batch.onnx", "features": ["f0", "f1"], "outputs": {"y": "Y"}}
    given = {"f0": [float(i) for i in range(9)], "f1": [0.0] * 9}
    assert run("ONNXNode", params, TWO, given)["y"].to_list() == [i / 2 for i in range(9)]


def test_zipmap_is_a_vector() -> None:
    """Classes of a ZipMap are picked by position."""
    params = {**LR, "model": "lr_zipmap.onnx", "outputs": {"score": "output_probability[1]"}}
    given = {"f0": [1.0, -2.0], "f1": [0.5, 0.25]}
    plain = run("ONNXNode", LR, TWO, given)["score"].to_list()
    assert run("ONNXNode", params, TWO, given)["score"].to_list() == plain


def test_missing_features_are_rejected() -> None:
    """Each event without a value is a dead letter that names its fields; the others are scored."""
    given = {"f0": [1.0, None, 1.0, None], "f1": [1.0, 1.0, None, None]}
    batch = run("ONNXNode", LR, TWO, given)
    found = rejected(batch)
    assert {row: told[:2] for row, told in found.items()} == dict.fromkeys(
        (1, 2, 3), (Stage.SCORE, "MissingFeature")
    )
    assert [
        message.partition(";")[0].rpartition("for ")[2] for _, _, message in found.values()
    ] == [
        "f0",
        "f1",
        "f0, f1",
    ]
    alone = run("ONNXNode", LR, TWO, {"f0": [1.0], "f1": [1.0]})
    assert batch["score"].values[0] == alone["score"].values[0]


@pytest.mark.parametrize("dtype", [DType.INT64, DType.BOOL])
@pytest.mark.parametrize("missing", ["reject", "nan"])
def test_a_missing_int_or_bool_is_no_zero(dtype: DType, missing: str, tmp_path: Path) -> None:
    """Its place in the array is filled, but it counts as missing: rejected, or NaN."""
    saved(tmp_path, identity({"x": (FLOAT, [None, 2])}))
    params = {
        "model": "m.onnx",
        "features": ["k", "f0"],
        "outputs": {"f0_again": "y[1]"},
        "missing": missing,
    }
    types = typed({"k": dtype, "f0": DType.FLOAT64})
    node = made(tmp_path, params, types)
    batch = columns_of(types, {"k": [1, None], "f0": [5.0, 6.0]})
    feed = node._feeds[0]
    found = node.process(batch)
    assert list(rejected(found)) == ([1] if missing == "reject" else [])
    assert found["f0_again"].to_list()[0] == 5.0
    if missing == "nan":
        assert np.isnan(matrix(feed, batch, node.params.missing, {})[1, 0])


def test_missing_nan_lets_the_model_decide() -> None:
    """NaN reaches the model, and what it makes of it is what counts."""
    params: dict[str, Any] = {
        "model": "nan.onnx",
        "features": ["f0"],
        "outputs": {"y": "Y"},
        "missing": "nan",
    }
    batch = run("ONNXNode", params, {"f0": DType.FLOAT64}, {"f0": [2.0, None]})
    assert rejected(batch)[1][:2] == (Stage.SCORE, "NotFinite")
    assert batch["y"].to_list()[0] == 1.0


@pytest.mark.parametrize("missing", ["reject", "nan"])
def test_overflow_of_float32_is_rejected(missing: str) -> None:
    """A double that float32 cannot hold is no infinity; nor is an infinite value."""
    given = {"f0": [1e39, -1e39, 1.0, 3e38], "f1": [0.0, 0.0, 0.0, 0.0]}
    batch = run("ONNXNode", {**LR, "missing": missing}, TWO, given)
    assert {row: told[1] for row, told in rejected(batch).items()} == {
        0: "MissingFeature",
        1: "MissingFeature",
    }
    assert "f0" in rejected(batch)[0][2]
    infinite = Batch.of({"f0": Column(np.array([np.inf])), "f1": Column(np.array([0.0]))})
    node = build("ONNXNode", {**LR, "missing": missing}, TWO)
    assert list(rejected(node.process(infinite))) == [0]


def test_overflow_of_int32_is_rejected(tmp_path: Path) -> None:
    """A count that int32 cannot hold does not wrap around."""
    value = (TensorProto.INT32, [None, 2])
    saved(tmp_path, identity({"x": value}))
    params = {"model": "m.onnx", "features": ["n", "m"], "outputs": {"y": "y"}}
    types = typed({"n": DType.INT64, "m": DType.INT64})
    given = {"n": [2**31 - 1, 2**31, 5], "m": [-(2**31), 0, -(2**31) - 1]}
    batch = made(tmp_path, params, types).process(columns_of(types, given))
    assert {row: told[1] for row, told in rejected(batch).items()} == {
        1: "MissingFeature",
        2: "MissingFeature",
    }
    assert "int32 can hold: n;" in rejected(batch)[1][2]
    assert "int32 can hold: m;" in rejected(batch)[2][2]
    assert batch["y"].to_list()[0] == [2**31 - 1, -(2**31)]


def test_a_vector_with_a_missing_component_is_rejected() -> None:
    """One NaN in a vector is a missing feature."""
    types = {"v": ColumnType(DType.FLOAT64, 2)}
    given = {"v": [[1.0, 2.0], [1.0, float("nan")], None]}
    batch = run("ONNXNode", {**LR, "features": ["v"]}, types, given)
    assert list(rejected(batch)) == [1, 2]


def test_an_output_that_is_not_finite_is_rejected() -> None:
    """NaN is an error, not a score; an event that lacks a feature is told that instead."""
    params = {"model": "nan.onnx", "features": ["f0"], "outputs": {"y": "Y", "again": "Y[0]"}}
    batch = run("ONNXNode", params, {"f0": DType.FLOAT64}, {"f0": [0.0, 2.0, None]})
    marks = [(mark.reason, mark.rows.tolist()) for mark in batch.marks]
    assert marks[0] == ("MissingFeature", [False, False, True])
    assert ("NotFinite", [True, False, False]) in marks
    assert batch["y"].to_list()[1] == 1.0


def test_a_rejected_event_does_not_reach_the_model() -> None:
    """It is zeros there, so that its values cannot change or break its neighbours'."""
    node = build("ONNXNode", LR, TWO)
    assert isinstance(node, ONNXNode)
    batch = columns_of(typed(TWO), {"f0": [1.0, None, 1e300], "f1": [2.0, 7.0, 8.0]})
    fed = matrix(node._feeds[0], batch, node.params.missing, {})
    assert fed.tolist() == [[1.0, 2.0], [0.0, 7.0], [0.0, 8.0]]
    assert (fed.flags.c_contiguous, str(fed.dtype)) == (True, "float32")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "none.onnx"}, "params.model: model 'none.onnx' cannot be read"),
        ({"model": "make_models.py"}, "params.model: model 'make_models.py' does not load"),
        ({"model": "external.onnx"}, "params.model: model 'external.onnx' does not load"),
        ({"model": "../data/../../x"}, "params.model: '../data/../../x' must lie in the graph's"),
        ({"model": "/etc/passwd"}, "params.model: '/etc/passwd' must lie in the graph's own"),
        ({"model": "a\0b"}, "params.model: 'a\0b' must lie in the graph's own folder"),
        ({"model": "."}, "params.model: model '.' cannot be read: Is a directory"),
        (
            {"features": ["f0", "F1"]},
            "params.features[1]: no column 'F1' reaches this node; did you mean 'f1'?",
        ),
        ({"features": ["f0"]}, "params.features: 1 values per event do not fit model input 'X'"),
        (
            {"features": ["f0", "f1", "f1"]},
            "params.features: 3 values per event do not fit model input 'X' float32[n, 2]",
        ),
        ({"features": {"x": ["f0", "f1"]}}, "params.features.x: no such model input; did you mean"),
        ({"features": {"X": "f0"}}, "params.features: 1 values per event do not fit"),
        ({"outputs": {"s": "probabilties[1]"}}, "params.outputs.s: the model has no output"),
        ({"outputs": {"s": "probabilities[2]"}}, "params.outputs.s: output 'probabilities' is"),
        ({"outputs": {"s": "label[1]"}}, "params.outputs.s: output 'label' is int64[n]"),
        ({"outputs": {"s": "probabilities[" + "9" * 5000 + "]"}}, "params.outputs.s: the model"),
        ({"outputs": {"s": "probabilities[-1]"}}, "params.outputs.s: the model has no output"),
    ],
)
def test_what_does_not_fit_is_told_before_the_first_event(
    change: dict[str, Any], expected: str
) -> None:
    """Model, features and outputs are proven against the file; the problem names the place."""
    (problem,) = problems({**LR, **change})
    assert problem.startswith(expected)


def test_a_feature_of_the_wrong_type() -> None:
    """Text cannot feed numbers, nor a double an int64 tensor; each column is told."""
    types = {"f0": DType.TEXT, "f1": DType.DATETIME}
    assert [problem.partition(":")[0] for problem in problems(LR, types)] == [
        "params.features[0]",
        "params.features[1]",
    ]
    params = {
        "model": "int_double.onnx",
        "features": {"count": "f0", "amount": "f1"},
        "outputs": {"y": "product"},
    }
    (problem,) = problems(params)
    assert problem.startswith("params.features.count: column 'f0' is float64")


def test_several_inputs_need_a_mapping() -> None:
    """A list that is not the inputs' names cannot be shared out; each input is fed."""
    params: dict[str, Any] = {
        "model": "two_inputs.onnx",
        "features": ["f0", "f1"],
        "outputs": {"s": "sum"},
    }
    (problem,) = problems(params)
    assert problem.startswith("params.features: the model has several inputs (a float32[n, 2], b")
    (problem,) = problems({**params, "features": {"a": ["f0", "f1"]}})
    assert problem == "params.features: model input 'b' float32[n, 3] is fed by nothing"


def test_every_problem_at_once() -> None:
    """Columns and outputs are told together."""
    change = {"features": ["g0", "g1"], "outputs": {"s": "probs", "t": "label[7]"}}
    assert sorted(problem.partition(":")[0] for problem in problems({**LR, **change})) == [
        "params.features[0]",
        "params.features[1]",
        "params.outputs.s",
        "params.outputs.t",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"features": []},
        {"features": {}},
        {"features": {"X": []}},
        {"outputs": {}},
        {"outputs": {"@topic": "label"}},
        {"model": ""},
        {"missing": "zero"},
        {"batch": 3},
    ],
)
def test_params_that_mean_nothing_are_refused(change: dict[str, Any]) -> None:
    """Nothing to read, nothing to write, a reserved name, an unknown word."""
    with pytest.raises(ValueError, match="validation error"):
        ONNXNodeParams.model_validate({**LR, **change})


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A symbolic link does not make another's file the graph's own, nor does a loop of links."""
    (tmp_path / "outside.onnx").symlink_to(DATA / "lr.onnx")
    (tmp_path / "loop.onnx").symlink_to(tmp_path / "loop.onnx")
    for name in ("outside.onnx", "loop.onnx"):
        (problem,) = problems({**LR, "model": name}, folder=tmp_path)
        assert problem.startswith("params.model: ")
    assert os.path.islink(tmp_path / "outside.onnx")


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    """Where it leads is what counts."""
    (tmp_path / "real.onnx").write_bytes((DATA / "lr.onnx").read_bytes())
    (tmp_path / "link.onnx").symlink_to("real.onnx")
    node = made(tmp_path, {**LR, "model": "link.onnx"}, TWO)
    assert node.models == {"link.onnx": Session(DATA / "lr.onnx", "").sha256}


def test_an_open_axis_takes_what_the_graph_feeds(tmp_path: Path) -> None:
    """A model that leaves its width open is tried with the graph's columns when it is loaded."""
    saved(tmp_path, matmul([None, None], tensor("w", [2, 3], range(6))))
    params = {"model": "m.onnx", "features": ["f0", "f1"], "outputs": {"y": "y", "last": "y[2]"}}
    node = made(tmp_path, params, TWO)
    assert {name: str(kind) for name, kind in node.signature.writes.items()} == {
        "y": "float32[3]",
        "last": "float32",
    }
    batch = node.process(columns_of(typed(TWO), {"f0": [1.0], "f1": [2.0]}))
    assert batch["y"].to_list() == [[6.0, 9.0, 12.0]]
    (problem,) = problems({**params, "features": ["f0"]}, folder=tmp_path)
    assert problem.startswith("params.features: model 'm.onnx' does not run")
    (problem,) = problems({**params, "outputs": {"y": "y[3]"}}, folder=tmp_path)
    assert problem.startswith("params.outputs.y: output 'y' is float32[n, 3]")


def test_a_width_that_cannot_fill_the_axes(tmp_path: Path) -> None:
    """An open axis takes any multiple; two open axes could mean anything."""
    saved(tmp_path, identity({"x": (FLOAT, [None, None, 2])}))
    saved(tmp_path, identity({"x": (FLOAT, [None, None, None])}), "two.onnx")
    params: dict[str, Any] = {"model": "m.onnx", "features": ["v"], "outputs": {"y": "y"}}
    four, three = ({"v": ColumnType(DType.FLOAT32, n)} for n in (4, 3))
    assert made(tmp_path, params, four).signature.writes == {"y": ColumnType(DType.FLOAT32, 4)}
    assert "3 values per event do not fit" in problems(params, three, tmp_path)[0]
    assert "do not fit" in problems({**params, "model": "two.onnx"}, four, tmp_path)[0]


def test_an_output_that_no_column_can_hold(tmp_path: Path) -> None:
    """Half floats and the like have to be cast inside the model."""
    cast = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16)
    half = model([cast], {"x": (FLOAT, [None, 2])}, {"y": (TensorProto.FLOAT16, [None, 2])})
    saved(tmp_path, half)
    params = {"model": "m.onnx", "features": ["f0", "f1"], "outputs": {"y": "y"}}
    (problem,) = problems(params, folder=tmp_path)
    assert problem == "params.outputs.y: output 'y' is float16[n, 2], which no column can hold"


def test_text_comes_out_as_text(tmp_path: Path) -> None:
    """A model may give labels in words, also several per event."""
    saved(tmp_path, identity({"x": (TEXT, [None, 2])}))
    params = {"model": "m.onnx", "features": ["a", "b"], "outputs": {"y": "y", "second": "y[1]"}}
    types = typed({"a": DType.TEXT, "b": DType.TEXT})
    batch = made(tmp_path, params, types).process(columns_of(types, {"a": ["x"], "b": ["ü"]}))
    assert (batch["y"].to_list(), batch["second"].to_list()) == ([["x", "ü"]], ["ü"])


def test_an_output_may_be_called_like_a_selector(tmp_path: Path) -> None:
    """A name with brackets is the whole output, if the model has one of that name."""
    made_ = model(
        [helper.make_node("Identity", ["x"], ["y[1]"])],
        {"x": (FLOAT, [None, 2])},
        {"y[1]": (FLOAT, [None, 2])},
    )
    saved(tmp_path, made_)
    params = {
        "model": "m.onnx",
        "features": ["f0", "f1"],
        "outputs": {"whole": "y[1]", "second": "y[1][1]"},
    }
    node = made(tmp_path, params, TWO)
    batch = node.process(columns_of(typed(TWO), {"f0": [1.0], "f1": [2.0]}))
    assert (batch["whole"].to_list(), batch["second"].to_list()) == ([[1.0, 2.0]], [2.0])


def test_a_model_may_be_named_by_its_id() -> None:
    """``model_id`` is ``model``, as the notebook of Real-time Machine Learning writes it."""
    params = {"model_id": "lr.onnx", "features": ["f0", "f1"], "outputs": {"label": "label"}}
    assert (
        made(DATA, params, TWO).params
        == made(DATA, {**LR, "outputs": params["outputs"]}, TWO).params
    )


def test_a_model_has_one_name() -> None:
    """``model`` and ``model_id`` together are refused, and none of them too."""
    with pytest.raises(ValidationError, match=r"model_id\n.*not permitted"):
        ONNXNodeParams.model_validate({**LR, "model_id": "lr.onnx"})
    with pytest.raises(ValidationError, match=r"model\n.*required"):
        ONNXNodeParams.model_validate({"features": ["f0"]})


def test_without_outputs_each_is_a_column_of_its_name() -> None:
    """A node that names no outputs gives all that the model has, scalars and vectors."""
    params = {"model": "lr.onnx", "features": ["f0", "f1"]}
    batch = run("ONNXNode", params, TWO, {"f0": [2.0], "f1": [1.0]})
    assert {name: str(batch[name].type) for name in ("label", "probabilities")} == {
        "label": "int64",
        "probabilities": "float32[2]",
    }
    named = {**params, "outputs": {"label": "label", "probabilities": "probabilities"}}
    same = run("ONNXNode", named, TWO, {"f0": [2.0], "f1": [1.0]})
    assert batch["probabilities"].to_list() == same["probabilities"].to_list()


def trained_on(folder: Path, names: str) -> dict[str, Any]:
    """Params with the linear model, whose metadata say on which features it was trained."""
    content = onnx.load(DATA / "lr.onnx")
    content.metadata_props.add(key="feature_names", value=names)
    onnx.save(content, folder / "named.onnx")
    return {**LR, "model": "named.onnx"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ('["f1", "f0"]', "params.features: the model's order is f1, f0; or set"),
        ('["f0", "f9"]', "params.features[1]: 'f1' stands where the model has 'f9'; or set"),
    ],
)
def test_features_are_the_model_s_own(tmp_path: Path, names: str, told: str) -> None:
    """In another order, or under another name, they would fit the shape and score wrong."""
    params = trained_on(tmp_path, names)
    (problem,) = problems(params, folder=tmp_path)
    assert problem.startswith(told)
    assert made(tmp_path, {**params, "feature_names": "ignore"}, TWO).session.feature_names


@pytest.mark.parametrize("names", ['["f0", "f1"]', '["x"]', "no JSON", '{"f0": 1}', "[1, 2]", ""])
def test_features_that_fit_or_are_not_known(tmp_path: Path, names: str) -> None:
    """The names that the model has, and whatever is no name for each of the columns."""
    assert made(tmp_path, trained_on(tmp_path, names), TWO).signature.reads == ("f0", "f1")


MEAN: dict[str, Any] = {"model": "mean_coupled.onnx", "features": ["f0"], "outputs": {"y": "Y"}}


def test_a_model_that_mixes_its_events_is_refused() -> None:
    """A score is the event's own, and not that of what Kafka put beside it."""
    [told] = problems(MEAN)
    assert "params.model: an event's result depends on the events beside it: it differs" in told
    assert told.endswith("or allow it with rows: coupled")


def test_rows_may_be_coupled_where_the_graph_says_so() -> None:
    """Then an event alone has another score than beside others."""
    params = {**MEAN, "rows": "coupled"}
    given = {"f0": [1.0, 9.0]}
    beside = run("ONNXNode", params, {"f0": DType.FLOAT64}, given)["y"].to_list()
    alone = run("ONNXNode", params, {"f0": DType.FLOAT64}, {"f0": [1.0]})["y"].to_list()
    assert (beside[0], alone) == (-4.0, [0.0])


def test_an_open_model_that_mixes_its_events_is_refused(tmp_path: Path) -> None:
    """It can only be tried when its features are known, so no inspection did."""
    mean = helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)
    less = helper.make_node("Sub", ["x", "m"], ["y"])
    saved(tmp_path, model([mean, less], {"x": (FLOAT, [None, None])}, {"y": (FLOAT, [None, None])}))
    params = {"model": "m.onnx", "features": ["f0", "f1"], "outputs": {"y": "y[0]"}}
    [told] = problems(params, folder=tmp_path)
    assert "the events beside it" in told
    assert made(tmp_path, {**params, "rows": "coupled"}, TWO).params.rows == "coupled"


def test_what_was_measured_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that loads a model of the store runs it no more often than before."""
    monkeypatch.setattr("worker.nodes.onnx_node.coupling", None)
    known = {"m@1": ModelFile("m@1", DATA / "mean_coupled.onnx", difference=0.0)}
    params = ONNXNodeParams.model_validate({**MEAN, "model": "m@1"})
    assert ONNXNode(params, Columns(typed(TWO)), Context(None, known)).models
