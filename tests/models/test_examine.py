"""Examine: what the inspection finds, seen from inside its process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from onnx import helper

from tests.graph.support import DATA
from tests.models.makers import FLOAT, matmul, model, saved, tensor
from worker.errors import ModelError
from worker.models.examine import examine


def found(path: Path, *, max_bytes: int = 10**7, depth: int = 16) -> dict[str, Any]:
    """The answer about a file."""
    return examine(path, max_bytes, depth)


def reason(path: Path, **limits: int) -> str:
    """Why a file cannot be used."""
    with pytest.raises(ModelError) as caught:
        found(path, **limits)
    return str(caught.value)


def test_text_and_a_fixed_batch_are_tried() -> None:
    """Whatever a model takes is made up."""
    text = found(DATA / "text_input.onnx")
    assert text["inputs"]["brand"] == ["object", [1]]
    assert text["batch_invariant"] is True
    fixed = found(DATA / "fixed_batch.onnx")
    assert (fixed["batch_size"], fixed["batch_invariant"]) == (4, True)


def test_a_result_that_depends_on_neighbours_is_reported() -> None:
    """With how much of it does; who takes the model decides."""
    report = found(DATA / "mean_coupled.onnx")
    assert (report["batch_invariant"], report["batch_difference"] > 0.3) == (False, True)


def test_nan_is_the_same_as_nan() -> None:
    """A model that gives NaN for every row is invariant."""
    assert found(DATA / "nan.onnx")["batch_invariant"] is True


def test_an_open_model_is_known_as_far_as_it_says(tmp_path: Path) -> None:
    """Its outputs and its invariance depend on sizes that only a graph knows."""
    path = saved(tmp_path, matmul([None, None], tensor("w", [4, 1], range(4))))
    answer = found(path)
    assert answer["inputs"] == {"x": ["float32", [None]]}
    assert (answer["outputs"], answer["batch_invariant"]) == ({}, None)


def test_graphs_nested_too_deep(tmp_path: Path) -> None:
    """By our limit, and by that of the parser."""
    for levels in (20, 60):
        inner = b""
        for _ in range(levels):  # graph.node[0].attribute[0].g
            for tag in (b"\x32", b"\x2a", b"\x0a"):
                inner = tag + _varint(len(inner)) + inner
        graph = b"\x3a" + _varint(len(inner)) + inner
        path = tmp_path / f"{levels}.onnx"
        path.write_bytes(b"\x08\x08\x42\x02\x10\x11" + graph)
        if levels == 20:
            assert found(path) == {"reasons": ["nests graphs 20 deep; at most 16 are allowed"]}
        else:
            assert reason(path) == "is no ONNX model"


def _varint(n: int) -> bytes:
    return bytes([n]) if n < 128 else bytes([n % 128 + 128]) + _varint(n // 128)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello\n" * 50, b"\0" * 50, (DATA / "trees.onnx").read_bytes()[:3000]],
    ids=["empty", "text", "zeros", "truncated"],
)
def test_what_is_no_model(tmp_path: Path, content: bytes) -> None:
    """Anything that does not parse as a whole."""
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert reason(path) == "is no ONNX model"


def test_a_model_that_does_not_run(tmp_path: Path) -> None:
    """It parses, but its parts do not fit, or its output is not one row per event."""
    unknown = model([helper.make_node("Nope", ["x"], ["y"])], {"x": (FLOAT, [None, 1])}, {})
    assert "does not load" in reason(saved(tmp_path, unknown))
    mean = helper.make_node("ReduceMean", ["x"], ["y"], keepdims=0)
    scalar = model([mean], {"x": (FLOAT, [None, 1])}, {"y": (FLOAT, [])})
    assert "its first axis must be the batch" in reason(saved(tmp_path, scalar))


def test_a_file_that_grew_is_refused() -> None:
    """The size counts that is read, not the one that was seen before."""
    assert reason(DATA / "lr.onnx", max_bytes=10) == "has more than 10 bytes"


def test_a_file_that_went_away(tmp_path: Path) -> None:
    """It may happen between the two processes."""
    assert reason(tmp_path / "none.onnx") == "cannot be read: No such file or directory"


def test_static_reasons_come_before_loading() -> None:
    """What names other files is not loaded at all."""
    assert list(found(DATA / "external.onnx")) == ["reasons"]
