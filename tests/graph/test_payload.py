"""Samples in a notebook's graph."""

from __future__ import annotations

from worker.graph.payload import without_payload


def test_samples_are_not_published() -> None:
    """Only the sample goes: other params, other kinds and the rest of the graph stay."""
    sample = {"type": "JsonToDataframe", "params": {"json_payload": "[]", "other": 1}}
    keep = {"type": "Select", "params": {"json_payload": "kept"}}
    found = without_payload({"name": "g", "nodes": [sample, keep]})
    assert found == {
        "name": "g",
        "nodes": [{"type": "JsonToDataframe", "params": {"other": 1}}, keep],
    }
