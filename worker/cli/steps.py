"""The nodes that only a notebook has, such as `Split`: what they take, and a call of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from worker.cli.kinds import params_of
from worker.graph.json_schema import description, summary

if TYPE_CHECKING:
    from worker.authoring.node import Node

Steps = Mapping[str, "type[Node]"]


def steps() -> Steps:
    """By name; no graph has them."""
    from worker.authoring.factory import AUTHORING

    return AUTHORING


def call(name: str, step: type[Node]) -> str:
    """The example as Python, as ruff would write it."""
    return f"msg = {name}(\n    params={_python(step.EXAMPLE, '    ')}\n).process(msg)"


def _python(value: Any, before: str) -> str:
    if not isinstance(value, Mapping):
        return json.dumps(value)
    inner = f"{before}    "
    items = (f'{inner}"{key}": {_python(item, inner)},\n' for key, item in value.items())
    return "{\n" + "".join(items) + before + "}"


def models(name: str) -> dict[str, list[str]]:
    """What a step can train: kind of model -> import paths; empty for one that trains nothing."""
    if name != "ScikitLearn":
        return {}
    from worker.authoring.estimators import ESTIMATORS

    found: dict[str, list[str]] = {}
    for path, task in ESTIMATORS.items():
        found.setdefault(str(task), []).append(path)
    return found


def report(name: str, step: type[Node]) -> dict[str, Any]:
    """Everything about a step, for ``--output json``."""
    return {
        "kind": name,
        "summary": summary(step),
        "description": description(step),
        "module": step.__module__,
        "notebook_only": True,
        "params": [asdict(param) for param in params_of(step.Params)],
        "models": models(name),
        "example": {"params": step.EXAMPLE},
    }
