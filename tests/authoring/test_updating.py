"""An update from the notebook: its events are those of the present version, or new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from worker.authoring import EdgeUtils
from worker.errors import ConfigError

PRESENT = {
    "source": {
        "topic": "visits",
        "schema": {
            "type": "object",
            "properties": {"age": {"type": "number"}, "brand": {"type": "string"}},
        },
    },
    "sink": {"topic": "visits-scored"},
}


def updated(tmp_path: Path, column: str) -> Any:
    """The graph of an update whose only node asks for a column."""
    node = {"id": "n", "type": "Log1p", "params": {"columns": [column]}}
    edges = EdgeUtils(model_store=str(tmp_path))
    spec, _ = edges._changed({"nodes": [node], "edges": []}, "s", PRESENT, None, None, None)
    return spec.source


def test_the_same_fields_keep_topic_and_schema(tmp_path: Path) -> None:
    """Nobody has to name them again."""
    source = updated(tmp_path, "age")
    assert (source.topic, source.event_schema) == ("visits", PRESENT["source"]["schema"])


def test_new_fields_make_a_new_schema(tmp_path: Path) -> None:
    """It is derived, as for a new service."""
    source = updated(tmp_path, "income")
    assert (source.topic, list(source.event_schema["properties"])) == ("visits", ["income"])


def test_a_misspelt_column_is_no_new_field(tmp_path: Path) -> None:
    """Every event would miss it: the nearest known name is told."""
    with pytest.raises(ConfigError, match="did you mean 'age'"):
        updated(tmp_path, "agee")
