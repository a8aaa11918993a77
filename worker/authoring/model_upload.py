"""ModelUpload: an ONNX model into the model store."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, StrictBool, StrictStr

from worker.authoring.message import DataMsg
from worker.authoring.node import Node
from worker.authoring.stored import open_store
from worker.errors import ConfigError, Problem
from worker.models.store.names import wrong_push
from worker.nodes.base import Params

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


class ModelUploadParams(Params):
    """The file, and the names under which it is kept; by default the file's own name."""

    model_path: Annotated[StrictStr, Field(min_length=1)]
    name: StrictStr | None = None
    version: StrictStr | None = None
    alias: StrictStr | None = None
    metrics: dict[str, float] | None = None
    store: StrictStr | None = None
    coupled: StrictBool = False


class ModelUpload(Node):
    """Inspects a model and keeps it; ``msg.model["model_id"]`` is its ``name@version``.

    The same bytes again are no new version. The store is ``store``, else ``RTML_MODEL_STORE``, else
    that of the command line. Metrics are those of the params, else those that ScikitLearn measured.
    ``coupled`` keeps a model for which an event's result depends on the events beside it.
    """

    kind = "ModelUpload"
    Params = ModelUploadParams
    EXAMPLE: ClassVar = {"model_path": "resources/quote.onnx", "alias": "champion"}

    def _problems(self, params: Any) -> Sequence[Problem]:
        name = params.name or _name_of(Path(params.model_path))
        return [_own(p) for p in wrong_push(name, params.version, params.alias)]

    def _process(self, msg: DataMsg | None) -> DataMsg:
        params, before = self.checked(), msg or DataMsg()
        path = Path(params.model_path)
        known = (before.model or {}).get("metrics") or {}
        try:
            pushed = open_store(params.store).push(
                path,
                params.name or _name_of(path),
                version=params.version,
                alias=params.alias,
                metrics=params.metrics or {name: float(value) for name, value in known.items()},
                coupled=params.coupled,
            )
        except ConfigError as error:
            raise ConfigError(_own(problem) for problem in error.problems) from error
        return before.with_model(_told(pushed.entry), list(pushed.entry.features) or None)


def _own(problem: Problem) -> Problem:
    """The problem in the words of the params; the store tells it in those of the command line."""
    message = problem.message.replace("--coupled", "coupled=True")
    return dataclasses.replace(problem, path=problem.path.lstrip("-"), message=message)


def _name_of(path: Path) -> str:
    """The file's name without its ending, as the store can hold it."""
    return _NOT_IN_NAMES.sub("_", path.stem).lstrip("-.")[:128] or "model"


def _told(entry: Any) -> dict[str, Any]:
    return {
        "model_id": entry.model_id,
        "name": entry.name,
        "version": entry.version,
        "sha256": entry.sha256,
        "inputs": list(entry.inputs),
        "outputs": list(entry.outputs),
    }
