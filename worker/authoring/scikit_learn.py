"""ScikitLearn: trains a model, writes it as ONNX, and tests the ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictStr, field_validator, model_validator

from worker.authoring import measure, onnx_file
from worker.authoring.estimators import ESTIMATORS, Task, known, made, param_problems
from worker.authoring.message import DataMsg
from worker.authoring.node import Node, need_message
from worker.authoring.split import PARTS
from worker.authoring.training import Table, table_of
from worker.errors import ConfigError, Problem
from worker.nodes.base import Params


class ModelParams(Params):
    """The class by its import path, and its hyperparameters."""

    model: StrictStr
    model_params: dict[str, Any] = Field(default_factory=dict)

    @field_validator("model")
    @classmethod
    def _known(cls, path: str) -> str:
        return known(path)


class ScikitLearnParams(Params):
    """What is learnt from which columns, and where the model is written."""

    features: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    label: StrictStr | None = None
    mode: Literal["train", "test"]
    model_path: Annotated[StrictStr, Field(min_length=1)]
    params: ModelParams

    @model_validator(mode="after")
    def _labelled(self) -> ScikitLearnParams:
        task = ESTIMATORS[self.params.model]
        if self.label is None and task is not Task.SCALER:
            raise ValueError(f"label is required: what the {task} is to tell")
        return self


class ScikitLearn(Node):
    """``train`` fits the model and writes it to ``model_path``; ``test`` measures what is there.

    Behind `Split` each mode takes its own part of the rows. Features are float32, in training too:
    what was learnt is what is scored. ``test`` runs the ONNX file as the stream does, and gives
    ``msg.model["metrics"]``. A scaler has no label; its features are replaced by the scaled ones.
    """

    kind = "ScikitLearn"
    Params = ScikitLearnParams
    EXAMPLE: ClassVar = {
        "features": ["age", "brand_bmw", "brand_vw"],
        "label": "quote",
        "mode": "train",
        "model_path": "resources/quote.onnx",
        "params": {
            "model": "sklearn.ensemble.GradientBoostingClassifier",
            "model_params": {"n_estimators": 80, "max_depth": 5},
        },
    }

    def _problems(self, params: Any) -> Sequence[Problem]:
        return param_problems(params.params.model, params.params.model_params)

    def _process(self, msg: DataMsg | None) -> DataMsg:
        params: ScikitLearnParams = self.checked()
        message = need_message(msg)
        task = ESTIMATORS[params.params.model]
        part = _part(message, params.mode)
        table = table_of(part.frame, params.features, params.label, task)
        path = Path(params.model_path)
        told: dict[str, Any] = {
            "model": params.params.model,
            "model_path": params.model_path,
            "label": params.label,
        }
        if params.mode == "train":
            _train(params, table, path, part.frame)
        elif task is not Task.SCALER:
            told["metrics"] = measure.metrics(path, table, task)
        if task is Task.SCALER:
            part = part.with_data(_scaled(part.frame, params.features, path, table))
            return part.with_model(told, params.features)
        return message.with_model(told, params.features)


def _part(message: DataMsg, mode: str) -> DataMsg:
    """Behind `Split`, the rows of the mode; otherwise all of them."""
    frame = message.frame
    if frame.index.nlevels > 1 and set(frame.index.get_level_values(0)) <= set(PARTS):
        part: Any = frame.xs(mode)
        return message.with_data(part)
    return message


def _train(params: ScikitLearnParams, table: Table, path: Path, frame: Any) -> None:
    estimator = made(params.params.model, params.params.model_params)
    try:
        estimator.fit(table.features, table.label)
    except (ValueError, TypeError) as error:  # scikit-learn's own refusals of data and params
        message = f"{type(estimator).__name__}: {str(error).strip().splitlines()[0]}"
        gaps = _gaps(frame, params.features) if "contains NaN" in message else []
        raise ConfigError(gaps or [Problem("params", message)]) from error
    onnx_file.write(estimator, params.features, params.label, table.features.shape[1], path)


def _gaps(frame: Any, features: Sequence[str]) -> list[Problem]:
    """A problem for each feature that is missing in some rows."""
    counts = {name: int(frame[name].isna().sum()) for name in features}
    advice = "fill them (fillna), or train a model that takes gaps (HistGradientBoosting...)"
    return [
        Problem(f"features[{i}]", f"'{name}' is missing in {count} rows; {advice}")
        for i, (name, count) in enumerate(counts.items())
        if count
    ]


def _scaled(frame: Any, features: list[str], path: Path, table: Table) -> Any:
    """The table with the features as the scaler gives them."""
    if table.features.shape[1] != len(features):
        message = "a scaler takes numbers, one per column; vectors stay as the model has them"
        raise ConfigError(Problem("features", message))
    found: NDArray[Any] = measure.outputs(path, table.features)[0]
    frame = frame.copy()
    for i, name in enumerate(features):
        frame[name] = np.array(found[:, i])
    return frame
