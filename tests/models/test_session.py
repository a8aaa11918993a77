"""Session: models are what they turn out to be, and a row's result is its own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests.graph.support import DATA
from tests.models.makers import FLOAT, TEXT, identity, matmul, model, saved, tensor
from worker.errors import ModelError
from worker.models.session import Session


def session(name: str) -> Session:
    """One of the shared models."""
    return Session(DATA / name, name)


def shown(tensors: dict[str, Any]) -> dict[str, str]:
    """Name -> type and shape, in words."""
    return {name: str(found) for name, found in tensors.items()}


def rows(n: int, width: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Seeded float32 rows."""
    return np.random.default_rng(n).normal(size=(n, width)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("lr", {"X": "float32[n, 2]"}, {"label": "int64[n]", "probabilities": "float32[n, 2]"}),
        (
            "lr_zipmap",
            {"X": "float32[n, 2]"},
            {"output_label": "int64[n]", "output_probability": "float32[n, 2]"},
        ),
        (
            "two_inputs",
            {"a": "float32[n, 2]", "b": "float32[n, 3]"},
            {"sum": "float32[n, 1]", "both": "float32[n, 5]"},
        ),
        (
            "int_double",
            {"count": "int64[n, 1]", "amount": "float64[n, 1]"},
            {"product": "float64[n, 1]", "twice": "int64[n, 1]", "positive": "bool[n, 1]"},
        ),
        (
            "text_input",
            {"brand": "text[n, 1]", "age": "float32[n, 1]"},
            {"label": "int64[n]", "probabilities": "float32[n, 2]"},
        ),
        ("image", {"image": "float32[n, 1, 8, 8]"}, {"scores": "float32[n, 10]"}),
        ("fixed_batch", {"X": "float32[n, 2]"}, {"Y": "float32[n, 1]"}),
    ],
)
def test_inputs_and_outputs_are_known(
    name: str, inputs: dict[str, str], outputs: dict[str, str]
) -> None:
    """Types and shapes per event, as the model runs and not only as it declares."""
    found = session(f"{name}.onnx")
    assert (shown(found.inputs), shown(found.outputs)) == (inputs, outputs)
    assert found.batch_size == (4 if name == "fixed_batch" else None)


def test_the_digest_is_the_files() -> None:
    """SHA-256 of the bytes that were loaded."""
    content = (DATA / "lr.onnx").read_bytes()
    assert session("lr.onnx").sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("name", "width"), [("lr.onnx", 2), ("trees.onnx", 4)])
def test_a_rows_result_does_not_depend_on_its_batch(name: str, width: int) -> None:
    """Any rows of a batch, alone or in any order, give the same bits; so does one row."""
    loaded, x = session(name), rows(1024, width)
    (whole,) = loaded.run({"X": x}, ["probabilities"])

    @settings(max_examples=30)
    @given(st.lists(st.integers(0, 1023), min_size=1, max_size=200))
    def holds(index: list[int]) -> None:
        (part,) = loaded.run({"X": x[index]}, ["probabilities"])
        assert part.tobytes() == whole[index].tobytes()

    holds()
    for n in (1, 2, 7, 50, 51, 64, 129):
        (part,) = loaded.run({"X": x[:n]}, ["probabilities"])
        assert part.tobytes() == whole[:n].tobytes()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9])
def test_a_fixed_batch_runs_in_chunks(n: int) -> None:
    """Any number of rows through a model of four, the last chunk padded."""
    x = rows(n, 2)
    (found,) = session("fixed_batch.onnx").run({"X": x}, ["Y"])
    assert found.shape == (n, 1)
    np.testing.assert_array_equal(found, x @ np.array([[0.5], [-2.0]], dtype=np.float32))


def test_one_row_is_run_as_two(tmp_path: Path) -> None:
    """The model never sees a batch of one, whose kernels round differently."""
    count = model(
        [
            helper.make_node("Shape", ["x"], ["shape"], start=0, end=1),
            helper.make_node("Expand", ["shape", "shape"], ["y"]),
        ],
        {"x": (FLOAT, [None, 1])},
        {"y": (TensorProto.INT64, [None])},
    )
    loaded = Session(saved(tmp_path, count), "count")
    sizes = [loaded.run({"x": rows(n, 1)}, ["y"])[0].tolist() for n in (1, 2, 3)]
    assert sizes == [[2], [2, 2], [3, 3, 3]]


def test_no_rows_give_no_rows() -> None:
    """Outputs keep their types and shapes."""
    label, matrix = session("lr.onnx").run({"X": rows(0, 2)}, ["label", "probabilities"])
    assert [(label.shape, label.dtype), (matrix.shape, matrix.dtype)] == [
        ((0,), np.dtype(np.int64)),
        ((0, 2), np.dtype(np.float32)),
    ]


def test_only_the_outputs_that_are_asked_for() -> None:
    """In the order in which they are asked for."""
    probabilities, label = session("lr.onnx").run({"X": rows(5, 2)}, ["probabilities", "label"])
    assert (probabilities.shape, label.shape) == ((5, 2), (5,))


def test_zipmap_equals_the_matrix() -> None:
    """A ZipMap's dicts become the matrix that the same model gives without it."""
    x = rows(7, 2)
    (plain,) = session("lr.onnx").run({"X": x}, ["probabilities"])
    (zipped,) = session("lr_zipmap.onnx").run({"X": x}, ["output_probability"])
    assert zipped.tobytes() == plain.tobytes()


def test_zipmap_classes_are_in_ascending_order(tmp_path: Path) -> None:
    """Whatever order the model lists its classes in: a map has none."""
    map_type = helper.make_map_type_proto(TEXT, helper.make_tensor_type_proto(FLOAT, []))
    node = helper.make_node(
        "ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_strings=["b", "a", "c"]
    )
    zipmap = model(
        [node],
        {"x": (FLOAT, [None, 3])},
        {"y": helper.make_value_info("y", helper.make_sequence_type_proto(map_type))},
        opsets={"ai.onnx.ml": 3},
    )
    loaded = Session(saved(tmp_path, zipmap), "zipmap")
    (found,) = loaded.run({"x": np.array([[1, 2, 3]], dtype=np.float32)}, ["y"])
    assert found.tolist() == [[2.0, 1.0, 3.0]]


def test_text_passes_unharmed(tmp_path: Path) -> None:
    """Any characters, empty text and null characters included."""
    path = saved(tmp_path, identity({"x": (TEXT, [None, 1])}))
    x = np.array([["a\0b"], ["é😀"], [""], ["x" * 10_000]], dtype=object)
    (found,) = Session(path, "text").run({"x": x}, ["y"])
    assert found.tolist() == x.tolist()


def test_scores_are_onnx_runtimes_own() -> None:
    """Padding and chunking aside, nothing stands between the model and its result."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    plain = ort.InferenceSession(DATA / "trees.onnx", options, ["CPUExecutionProvider"])
    loaded = session("trees.onnx")
    for n in (2, 7, 64, 1024):
        x = rows(n, 4)
        (expected,) = plain.run(["probabilities"], {"X": x})
        (found,) = loaded.run({"X": x}, ["probabilities"])
        assert found.tobytes() == expected.tobytes()


def test_an_open_axis_is_known_from_what_feeds_it(tmp_path: Path) -> None:
    """A model that leaves its width open has outputs once it is told the width."""
    weights = tensor("w", [4, 3], range(12))
    loaded = Session(saved(tmp_path, matmul([None, None], weights)), "open")
    assert (loaded.is_open, shown(loaded.outputs)) == (True, {})
    loaded.fit({"x": (4,)})
    assert shown(loaded.outputs) == {"y": "float32[n, 3]"}
    assert loaded.run({"x": rows(1, 4)}, ["y"])[0].shape == (1, 3)
    with pytest.raises(ModelError, match="does not run"):
        loaded.fit({"x": (5,)})


def refused(path: Path) -> str:
    """Why a file is no model that can be used."""
    with pytest.raises(ModelError) as caught:
        Session(path, "m")
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "does not load"), (b"hello", "does not load"), (b"\x08\x09" * 99, "does not load")],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    """One line that names the model and the reason."""
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    message = refused(path)
    assert message.startswith(f"model 'm' {told}: ")
    assert "\n" not in message


def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    """Half a file is no model."""
    path = tmp_path / "m.onnx"
    path.write_bytes((DATA / "trees.onnx").read_bytes()[:1000])
    assert "does not load" in refused(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, or a folder."""
    assert refused(tmp_path / "none.onnx") == "model 'm' cannot be read: No such file or directory"
    assert refused(tmp_path) == "model 'm' cannot be read: Is a directory"


def test_weights_outside_the_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where they lie in the working directory: the digest would not cover them."""
    weights = tensor("w", [1, 64], [0] * 64)
    weights.ClearField("float_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="w.bin")
    (tmp_path / "w.bin").write_bytes(bytes(64 * 4))
    add = helper.make_node("Add", ["x", "w"], ["y"])
    made = model([add], {"x": (FLOAT, [None, 64])}, {"y": (FLOAT, [None, 64])}, [weights])
    monkeypatch.chdir(tmp_path)
    assert "does not load" in refused(saved(tmp_path, made))
    assert "does not load" in refused(DATA / "external.onnx")


REDUCED = helper.make_node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=0)
UNUSABLE = {
    "a scalar": model(
        [helper.make_node("ReduceMean", ["x"], ["y"], keepdims=0)],
        {"x": (FLOAT, [None, 3])},
        {"y": (FLOAT, [])},
    ),
    "as many values as the first probe has rows": model(
        [REDUCED], {"x": (FLOAT, [None, 3])}, {"y": (FLOAT, [None])}
    ),
    "as many values as the second probe has rows": model(
        [REDUCED], {"x": (FLOAT, [None, 2])}, {"y": (FLOAT, [None])}
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_output_without_the_batch_is_refused(tmp_path: Path, name: str) -> None:
    """Each event needs its own row, and no coincidence of sizes passes for one."""
    assert "its first axis must be the batch" in refused(saved(tmp_path, UNUSABLE[name]))


def test_other_kinds_of_output_are_refused(tmp_path: Path) -> None:
    """A sequence of tensors is no column."""
    sequence = helper.make_tensor_sequence_value_info("y", FLOAT, None)
    node = helper.make_node("SequenceConstruct", ["x", "x"], ["y"])
    path = saved(tmp_path, model([node], {"x": (FLOAT, [None, 2])}, {"y": sequence}))
    assert refused(path) == "model 'm': output 'y' is no tensor and no ZipMap"


def test_an_output_that_cannot_be_used_is_refused_alone(tmp_path: Path) -> None:
    """The others can be had; why this one cannot is known."""
    made = model(
        [helper.make_node("Identity", ["x"], ["y"]), helper.make_node("Shape", ["x"], ["sizes"])],
        {"x": (FLOAT, [None, 2])},
        {"y": (FLOAT, [None, 2]), "sizes": (TensorProto.INT64, [2])},
    )
    loaded = Session(saved(tmp_path, made), "m")
    assert (list(loaded.outputs), list(loaded.refused)) == (["y"], ["sizes"])
    assert "its first axis must be the batch" in loaded.refused["sizes"]
    (y,) = loaded.run({"x": np.ones((3, 2), np.float32)}, ["y"])
    assert y.tolist() == [[1, 1]] * 3


@pytest.mark.parametrize("shape", [[], [0, 2]])
def test_an_input_without_a_batch_is_refused(tmp_path: Path, shape: list[int]) -> None:
    """A scalar input, or one that takes no events."""
    path = saved(tmp_path, identity({"x": (FLOAT, shape)}))
    assert refused(path) == "model 'm': input 'x' has no batch axis"


def test_an_unknown_input_type_is_refused(tmp_path: Path) -> None:
    """With the types that can be fed."""
    path = saved(tmp_path, identity({"x": (TensorProto.FLOAT16, [None, 2])}))
    assert refused(path).startswith("model 'm': input 'x' is tensor(float16); known: ")


def test_a_model_without_input_is_refused(tmp_path: Path) -> None:
    """It would give every event the same."""
    constant = helper.make_node("Constant", [], ["y"], value=tensor("c", [3, 1], [1, 2, 3]))
    assert refused(saved(tmp_path, model([constant], {}, {"y": (FLOAT, [3, 1])}))) == (
        "model 'm' has no input"
    )


def test_a_batch_that_breaks_the_model_is_an_error() -> None:
    """ONNX Runtime's own types do not leave the session."""
    with pytest.raises(ModelError, match=r"^model 'lr.onnx' does not run: "):
        session("lr.onnx").run({"X": rows(3, 5)}, ["label"])


def test_an_output_that_changes_its_shape_is_an_error(tmp_path: Path) -> None:
    """What was proven when the model was loaded holds for every batch."""
    node = helper.make_node("NonZero", ["x"], ["found"])
    turned = helper.make_node("Transpose", ["found"], ["y"])
    made = model([node, turned], {"x": (FLOAT, [None])}, {"y": (TensorProto.INT64, [None, 1])})
    assert "its first axis must be the batch" in refused(saved(tmp_path, made))
