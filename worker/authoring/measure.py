"""How good a model file is on rows that it has not seen: run as the stream runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.authoring.estimators import Task
from worker.authoring.extras import need
from worker.authoring.training import Table
from worker.errors import ConfigError, ModelError, Problem
from worker.models.session import Session


def outputs(path: Path, features: NDArray[np.float32]) -> list[NDArray[Any]]:
    """Every output of the model for these rows.

    Raises:
        ConfigError: the model cannot be loaded, or takes other features.
    """
    try:
        session = Session(path, str(path))
        (name,) = session.inputs
        return list(session.run({name: features}, list(session.outputs)))
    except ModelError as error:
        raise ConfigError(Problem("model_path", str(error))) from error
    except ValueError as error:
        message = "has several inputs; it was not made by ScikitLearn"
        raise ConfigError(Problem("model_path", message)) from error


def metrics(path: Path, table: Table, task: Task) -> dict[str, float]:
    """Accuracy, F1 and, of two classes, ROC AUC; for a regressor R2, MAE and RMSE."""
    found = need("sklearn.metrics")
    told, *rest = outputs(path, table.features)
    truth: Any = table.label
    if task is Task.REGRESSOR:
        values = told.reshape(-1)
        return {
            "r2": float(found.r2_score(truth, values)),
            "mae": float(found.mean_absolute_error(truth, values)),
            "rmse": float(np.sqrt(found.mean_squared_error(truth, values))),
        }
    classes = told.astype(str) if told.dtype == object else told
    measured = {
        "accuracy": float(found.accuracy_score(truth, classes)),
        "f1": float(found.f1_score(truth, classes, average="macro", zero_division=0)),
    }
    if rest and rest[0].ndim == 2 and rest[0].shape[1] == 2 and len(np.unique(truth)) == 2:
        measured["roc_auc"] = float(found.roc_auc_score(truth, rest[0][:, 1]))
    return measured
