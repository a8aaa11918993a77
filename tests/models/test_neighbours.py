"""Neighbours: rounding is told from results that depend on the events beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from tests.graph.support import DATA
from tests.models.makers import FLOAT, model, saved, tensor
from worker.models.neighbours import ROUNDING, Coupling, coupling
from worker.models.session import Session


def found(path: Path, n: int = 8) -> Coupling:
    """What ``n`` made-up rows show."""
    return coupling(Session(path, "m"), n, (3,))


def of_column(folder: Path, *nodes: Any, element: int = FLOAT) -> Coupling:
    """What a model from x ``(n, 1)`` to y shows; c is the column [1e-30]."""
    value = (FLOAT, [None, 1])
    made = model(nodes, {"x": value}, {"y": (element, [None, 1])}, [tensor("c", [1], [1e-30])])
    return found(saved(folder, made))


@pytest.mark.parametrize("name", ["lr.onnx", "trees.onnx", "text_input.onnx", "fixed_batch.onnx"])
def test_models_of_single_events_do_not_differ(name: str) -> None:
    """Not in a bit, whatever they take."""
    assert found(DATA / name) == Coupling(invariant=True, difference=0.0)


def test_rounding_is_below_the_limit(tmp_path: Path) -> None:
    """A sum of a thousand numbers in another order, and a result that is nearly nothing."""
    two = found(DATA / "two_inputs.onnx")
    assert (two.invariant, two.difference < ROUNDING) == (False, True)
    mean = helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)
    tiny = of_column(tmp_path, mean, helper.make_node("Mul", ["m", "c"], ["s"]), _plus("s"))
    assert tiny.difference < ROUNDING


def _plus(other: str) -> Any:
    return helper.make_node("Add", ["x", other], ["y"])


def test_a_mean_over_the_batch_is_far_above_it() -> None:
    """Whether the model takes any number of events or only four."""
    assert found(DATA / "mean_coupled.onnx").difference > 0.3


def test_dynamic_quantization_is_above_it(tmp_path: Path) -> None:
    """Its steps are those of the batch's range."""
    quantized = of_column(
        tmp_path,
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    )
    assert quantized.difference > ROUNDING


def test_another_label_is_a_whole_difference(tmp_path: Path) -> None:
    """A truth value has no digits to round."""
    mean = helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)
    above = helper.make_node("Greater", ["x", "m"], ["y"])
    assert of_column(tmp_path, mean, above, element=TensorProto.BOOL).difference == 1.0


def test_another_row_that_is_not_finite_is_a_whole_difference(tmp_path: Path) -> None:
    """Where a number alone is none among others, no difference can be measured."""
    mean = helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)
    root = helper.make_node("Sqrt", ["d"], ["y"])
    less = helper.make_node("Sub", ["x", "m"], ["d"])
    assert of_column(tmp_path, mean, less, root).difference == 1.0
