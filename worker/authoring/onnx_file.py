"""A fitted estimator as an ONNX file, with the names of its features."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worker.authoring.extras import need
from worker.errors import ConfigError, Problem
from worker.files import write_whole

INPUT = "features"
_OPSET = 17


def write(
    estimator: Any, features: Sequence[str], label: str | None, width: int, path: Path
) -> None:
    """Writes the model: one float32 input of shape (n, width), probabilities as a matrix.

    The file appears whole or not at all.

    Raises:
        ConfigError: the model has no ONNX form, or the file cannot be written.
    """
    try:
        model = _converted(estimator, width)
    except (RuntimeError, NameError, NotImplementedError, ValueError, TypeError) as error:
        reason = str(error).strip().splitlines()[0]
        message = f"{type(estimator).__name__} as it is trained has no ONNX form: {reason}"
        raise ConfigError(Problem("params", message)) from error
    for key, value in (("feature_names", json.dumps(list(features))), ("label", label or "")):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, model.SerializeToString(deterministic=True))
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise ConfigError(Problem("model_path", message, str(path))) from error


def _converted(estimator: Any, width: int) -> Any:
    skl2onnx, types = need("skl2onnx"), need("skl2onnx.common.data_types")
    # LinearSVC has no probabilities, and refuses to be told how to give them.
    matrix = hasattr(estimator, "classes_") and type(estimator).__name__ != "LinearSVC"
    with warnings.catch_warnings():  # about its own use of protobuf and numpy
        warnings.simplefilter("ignore")
        return skl2onnx.to_onnx(
            estimator,
            initial_types=[(INPUT, types.FloatTensorType([None, width]))],
            options={id(estimator): {"zipmap": False}} if matrix else None,
            target_opset=_OPSET,
        )
