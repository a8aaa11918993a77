"""Where a user's models and their copies are kept: the XDG base directories, unless told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from worker.settings import Settings


def store_url(settings: Settings, environ: Mapping[str, str]) -> str:
    """Where models are kept.

    By default in the user's own data (XDG base directories): a folder of the working directory
    would be another store in each of them.
    """
    return settings.model_store or str(_folder(environ, "XDG_DATA_HOME", ".local/share") / "models")


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where copies of models are kept that lie elsewhere."""
    return _folder(environ, "XDG_CACHE_HOME", ".cache") / "models"


def accepted_folder(environ: Mapping[str, str]) -> Path:
    """Where it is written down which models were found sound, so that each is tried once."""
    return _folder(environ, "XDG_CACHE_HOME", ".cache") / "accepted"


def _folder(environ: Mapping[str, str], variable: str, default: str) -> Path:
    base = environ.get(variable, "")
    return (Path(base) if base.startswith("/") else Path.home() / default) / "rtml"
