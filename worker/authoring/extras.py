"""Libraries of the extra ``authoring``: imported when they are first needed."""

from __future__ import annotations

import importlib
from typing import Any

from worker.errors import ConfigError, Problem

_INSTALL = "pip install 'rtml-worker[authoring]'"


def need(module: str) -> Any:
    """The module.

    Raises:
        ConfigError: it is not installed; the message says how to get it.
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != package:
            raise
        message = f"a notebook needs the package {package}: {_INSTALL}"
        raise ConfigError(Problem("", message)) from error
