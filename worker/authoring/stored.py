"""The model store, as the settings of this process name it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from worker.errors import ConfigError, Problem
from worker.models.file import ModelFile
from worker.models.store.names import is_reference
from worker.models.store.store import Store
from worker.places import cache_folder, store_url
from worker.settings import Settings, load


def settings(**flags: Any) -> Settings:
    """Flags, else ``RTML_*`` variables, else defaults.

    Raises:
        ConfigError: every setting that is wrong.
    """
    try:
        return load(os.environ, flags)[0]
    except ConfigError as error:
        raise ConfigError(map(as_argument, error.problems), error.warnings) from error


def as_argument(problem: Problem) -> Problem:
    """The problem at the argument; elsewhere it is told at the command line's flag."""
    if not problem.path.startswith("--"):
        return problem
    flag = problem.path.removeprefix("--").replace("-", "_")
    return replace(problem, path={"id": "name"}.get(flag, flag))


def open_store(url: str | None = None) -> Store:
    """The store behind a URL, else that of the settings.

    Raises:
        ConfigError: settings that are wrong, or a URL that cannot be used.
    """
    return Store(store_url(settings(model_store=url), os.environ), cache_folder(os.environ))


def models_for(kind: str, params: Mapping[str, Any]) -> dict[str, ModelFile]:
    """The model of the store that a node's params name, fetched and verified; empty for a file.

    Raises:
        ConfigError: there is no such model.
        StoreError: the store cannot be reached, or its bytes are damaged.
    """
    name = params.get("model", params.get("model_id"))
    if kind != "ONNXNode" or not isinstance(name, str) or not is_reference(name):
        return {}
    store = open_store()
    return {name: store.fetch(store.find(name))}
