"""Where models and their copies are kept."""

from __future__ import annotations

from pathlib import Path

from worker.places import cache_folder, store_url
from worker.settings import Settings


def test_where_models_are_kept() -> None:
    """In the user's data folder, which XDG may move, unless the setting names another place."""
    assert store_url(Settings(), {}) == str(Path.home() / ".local/share/rtml/models")
    assert store_url(Settings(), {"XDG_DATA_HOME": "/data"}) == "/data/rtml/models"
    assert store_url(Settings(model_store="s3://b/m"), {"XDG_DATA_HOME": "/data"}) == "s3://b/m"
    assert cache_folder({}) == Path.home() / ".cache/rtml/models"
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache/rtml/models"
