"""Which features a model was trained on, as its metadata says."""

from __future__ import annotations

import json

KEY = "feature_names"
"""The format has no standard key for them."""


def feature_names(said: str) -> tuple[str, ...]:
    """A JSON list of texts; empty where it is none."""
    try:
        names = json.loads(said)
    except (ValueError, RecursionError):
        return ()
    texts = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return tuple(names) if texts else ()
