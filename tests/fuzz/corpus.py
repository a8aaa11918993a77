"""Inputs that were found, one for each thing that can become of them; beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load(name: str) -> list[dict[str, Any]]:
    """The found inputs of a target, each with its outcome."""
    path = FOLDER / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def save(name: str, entries: list[dict[str, Any]]) -> None:
    """Writes them, by outcome."""
    ordered = sorted(entries, key=lambda entry: entry["outcome"])
    lines = [json.dumps(entry) + "\n" for entry in ordered]
    (FOLDER / f"{name}.jsonl").write_text("".join(lines))
