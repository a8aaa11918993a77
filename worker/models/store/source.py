"""What is pushed: an ONNX file, or an MLflow model folder with the ONNX flavour."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from worker.errors import ConfigError, Problem
from worker.files import open_file
from worker.models.inspect import Report, inspect
from worker.models.limited import Limits, answer

_MLMODEL = "MLmodel"
_MAX_MLMODEL_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """A copy of what is pushed, which nobody else changes.

    Attributes:
        path: the model in one file.
        origin: ``onnx`` or ``mlflow``.
        features: as an MLflow signature names them; empty without.
    """

    path: Path
    origin: str
    features: tuple[str, ...] = ()


def taken(path: Path, workspace: Path, limits: Limits) -> tuple[Source, Report]:
    """The model, copied into ``workspace`` and inspected.

    Raises:
        ConfigError: every reason for which it must not be used.
    """
    source = _taken(path, workspace, limits)
    try:
        return source, inspect(source.path, limits)
    except ConfigError as error:
        own = [dataclasses.replace(problem, file=str(path)) for problem in error.problems]
        raise ConfigError(own) from error


def _taken(path: Path, workspace: Path, limits: Limits) -> Source:
    target = workspace / "model.onnx"
    if path.is_dir():
        return _from_mlflow(path, target, limits)
    try:
        if not path.is_file():
            message = "is no file" if path.exists() else "cannot be read: No such file or directory"
            raise _refused(path, message)
        size = path.stat().st_size
        if size > limits.max_bytes:
            raise _refused(path, f"has {size} bytes; at most {limits.max_bytes} are allowed")
        shutil.copyfile(path, target)
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from error
    return Source(target, "onnx")


def _from_mlflow(folder: Path, target: Path, limits: Limits) -> Source:
    """The model of the ONNX flavour; MLflow keeps weights in files beside it, which are folded."""
    described = _described(folder / _MLMODEL)
    flavors = described.get("flavors")
    names = sorted(map(str, flavors)) if isinstance(flavors, dict) else []
    flavor = flavors.get("onnx") if isinstance(flavors, dict) else None
    data = flavor.get("data") if isinstance(flavor, dict) else None
    if not isinstance(data, str):
        message = f"has no model of the flavour onnx; it has: {', '.join(names) or 'none'}"
        raise _refused(folder / _MLMODEL, message)
    root = folder.resolve()
    path = (root / data.replace("\0", "")).resolve()
    if not path.is_relative_to(root):
        raise _refused(folder / _MLMODEL, f"flavors.onnx.data: '{data}' lies outside the folder")
    found = answer("fold", [path, target], limits)
    if "reasons" in found:
        raise ConfigError(Problem("", reason, str(folder / data)) for reason in found["reasons"])
    return Source(target, "mlflow", _features(described))


def _described(path: Path) -> dict[str, Any]:
    try:
        with open_file(path) as file:
            content = file.read(_MAX_MLMODEL_BYTES + 1)
    except OSError as error:
        message = f"is a folder without {_MLMODEL}; push an .onnx file or an MLflow model folder"
        raise _refused(path.parent, message) from error
    if len(content) > _MAX_MLMODEL_BYTES:
        raise _refused(path, f"has more than {_MAX_MLMODEL_BYTES} bytes")
    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _refused(path, "is no YAML") from error
    if not isinstance(found, dict):
        raise _refused(path, "describes no MLflow model")
    return found


def _features(described: dict[str, Any]) -> tuple[str, ...]:
    """Names of the signature's inputs, JSON inside the YAML; a single tensor has none."""
    signature = described.get("signature")
    try:
        inputs = json.loads(signature["inputs"]) if isinstance(signature, dict) else []
        return tuple(str(item["name"]) for item in inputs if item["type"] != "tensor")
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()


def _refused(path: Path, message: str) -> ConfigError:
    return ConfigError(Problem("", message, str(path)))
