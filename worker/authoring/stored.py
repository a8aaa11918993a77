"""The model store, as the settings of this process name it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from worker.models.file import ModelFile
from worker.models.store.names import is_reference
from worker.models.store.store import Store
from worker.settings import Settings, cache_folder, load, store_url


def settings(**flags: Any) -> Settings:
    """Flags, else ``RTML_*`` variables, else defaults.

    Raises:
        ConfigError: every setting that is wrong.
    """
    return load(os.environ, flags)[0]


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
