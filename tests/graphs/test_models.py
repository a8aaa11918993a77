"""The models of the example graphs, through plain ONNX Runtime, against scikit-learn."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from graphs.making import FOLDER, MODEL_LIMIT_BYTES, load

NAMES = ["breast-cancer", "car-insurance", "digits"]
Floats = npt.NDArray[np.floating[Any]]


@functools.cache
def session(name: str) -> onnxruntime.InferenceSession:
    """Return a session of the graph's model with one thread.

    With two, an ensemble of 80 trees or more adds them up in another order where the batch has 50
    rows or fewer: 280 of 1,024 scores of the car insurance model differed in their last bits.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(FOLDER / name / "model.onnx", options)


def probabilities(name: str, rows: Floats) -> Floats:
    """Return the class probabilities (n, k) of `model.onnx`, a single row padded to two."""
    model = session(name)
    n = len(rows)
    padded = np.concatenate([rows, rows]) if n == 1 else rows
    feed = {model.get_inputs()[0].name: padded.astype(np.float32)}
    _, values, *_ = model.run(None, feed)
    if isinstance(values, list):  # ZipMap: a map of class to probability per row
        values = np.array([[row[key] for key in sorted(row)] for row in values])
    return np.asarray(values)[:n]


@pytest.mark.parametrize("name", NAMES)
def test_scores_equal_scikit_learn_on_every_held_out_row(name: str) -> None:
    """The committed model gives what scikit-learn, trained anew, gives: no row is beyond."""
    make = load(name, "make")
    rows, _ = make.held_out()
    expected = make.train().predict_proba(rows)
    np.testing.assert_allclose(probabilities(name, rows), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_training_is_deterministic(name: str) -> None:
    """A second training comes to the same model, byte for byte."""
    make = load(name, "make")
    first = make.export().SerializeToString(deterministic=True)
    make.train.cache_clear()
    assert make.export().SerializeToString(deterministic=True) == first


@pytest.mark.parametrize("n", [1, 7, 64])
@pytest.mark.parametrize("name", NAMES)
def test_a_score_does_not_depend_on_the_batch(name: str, n: int) -> None:
    """Batches of 1 (padded to 2), 7 and 64 rows give bit for bit the scores of all at once."""
    rows = load(name, "make").held_out()[0][: 2 * 64]
    together = probabilities(name, rows)
    apart = np.concatenate([probabilities(name, rows[i : i + n]) for i in range(0, len(rows), n)])
    np.testing.assert_array_equal(apart, together)


@pytest.mark.parametrize("name", NAMES)
def test_model_stands_alone(name: str) -> None:
    """A model is below 1 MB and keeps all its data in its one file."""
    path = FOLDER / name / "model.onnx"
    model = onnx.load(path, load_external_data=False)
    outside = [t.name for t in model.graph.initializer if t.external_data]
    assert (path.stat().st_size < MODEL_LIMIT_BYTES, outside) == (True, [])


@pytest.mark.parametrize("name", NAMES)
def test_readme_tells_the_measured_quality(name: str) -> None:
    """The README's line on how good the model is, is the one that is measured."""
    readme = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    assert f"{name}: {load(name, 'make').quality()}" in readme


def test_one_model_keeps_zipmap() -> None:
    """The breast cancer model gives a map per row, the other two give a tensor."""
    kinds = {name: session(name).get_outputs()[1].type for name in NAMES}
    assert kinds == {
        "breast-cancer": "seq(map(int64,tensor(float)))",
        "car-insurance": "tensor(float)",
        "digits": "tensor(float)",
    }


def test_digits_confidence_is_the_largest_probability() -> None:
    """The output that is not scikit-learn's own equals the maximum over its probabilities."""
    rows = load("digits", "make").held_out()[0].astype(np.float32)
    vectors, confidence = session("digits").run(["probabilities", "confidence"], {"image": rows})
    np.testing.assert_array_equal(confidence, np.asarray(vectors).max(axis=1))
