"""An update from the notebook: its events are those of the present version, or new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from worker.authoring import EdgeUtils
from worker.errors import ConfigError
from worker.graph.asked import widened

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


def test_new_fields_are_added_to_the_schema(tmp_path: Path) -> None:
    """What was declared of the others stays."""
    source = updated(tmp_path, "income")
    known = PRESENT["source"]["schema"]["properties"]
    assert source.topic == "visits"
    assert source.event_schema["properties"] == {**known, "income": {"type": "number"}}


def test_a_new_field_inside_a_known_one() -> None:
    """Nested objects are widened, too; a value stays a value."""
    inner = {"type": "object", "required": ["age"], "properties": {"age": {"type": "integer"}}}
    known = {"type": "object", "properties": {"user": inner, "km": {"type": "number"}}}
    number = {"type": "number"}
    asked = {"properties": {"user": {"properties": {"age": number, "income": number}},
                            "km": {"properties": {"x": number}}}}  # fmt: skip
    wider = widened(known, asked)
    assert wider["properties"]["km"] == number
    assert wider["properties"]["user"] == {
        **inner,
        "properties": {"age": {"type": "integer"}, "income": number},
    }


def test_a_field_of_another_type_makes_a_new_schema(tmp_path: Path) -> None:
    """It is derived, as for a new service."""
    source = updated(tmp_path, "brand")
    assert source.event_schema["properties"] == {"brand": {"type": "number"}}


def test_a_misspelt_column_is_no_new_field(tmp_path: Path) -> None:
    """Every event would miss it: the nearest known name is told."""
    with pytest.raises(ConfigError, match="did you mean 'age'"):
        updated(tmp_path, "agee")
