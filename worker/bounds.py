"""How large what comes from outside may be: one object, set once by who starts the process.

The defaults keep a worker below 1 GiB whatever it is sent. Each field is a setting: field ``max_x``
is read from ``RTML_MAX_X``. What graphs may hold can only be made less: who raised it would publish
graphs that others refuse.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Bounds(BaseModel):
    """Limits of records, events, graphs, models and log lines."""

    model_config = ConfigDict(frozen=True)

    max_value_bytes: int = Field(default=10_000_000, ge=100, le=1_000_000_000)
    """Of a record's value; a larger one becomes a dead letter."""
    max_key_bytes: int = Field(default=65_536, ge=1, le=100_000_000)
    """Of a record's key; hashing one of 1 MB would take a third of a second."""
    max_headers: int = Field(default=1_000, ge=0, le=1_000_000)
    """Headers of a record."""
    max_headers_bytes: int = Field(default=262_144, ge=0, le=100_000_000)
    """Of all names and values of a record's headers."""
    max_decompressed_bytes: int = Field(default=33_554_432, ge=1_000, le=2_000_000_000)
    """Of a compressed record batch: 261 KB of gzip may hold 256 MiB, 8 KB of zstd too."""
    max_json_depth: int = Field(default=500, ge=1, le=500)
    """Objects and arrays of an event inside each other; the parser itself ends below thousand."""
    max_text_length: int = Field(default=1_000_000, ge=1, le=100_000_000)
    """Characters of one text field of an event."""
    max_vector_length: int = Field(default=100_000, ge=1, le=100_000)
    """Numbers in one vector of an event."""
    max_columns: int = Field(default=10_000, ge=1, le=10_000)
    """Fields of a schema, and columns at any place of a graph."""
    max_nodes: int = Field(default=1_000, ge=1, le=1_000)
    """Of a graph."""
    max_categories: int = Field(default=10_000, ge=1, le=10_000)
    """Entries of one list or mapping in a node's params."""
    max_model_bytes: int = Field(default=536_870_912, ge=1_000, le=2_000_000_000)
    """Of a model file."""
    max_log_bytes: int = Field(default=16_384, ge=1_000, le=1_000_000)
    """Of a line of the log; the values of a longer one are cut."""


class _Current:
    def __init__(self) -> None:
        self.bounds = Bounds()


_current = _Current()


def bounds() -> Bounds:
    """What holds in this process."""
    return _current.bounds


def use(given: Bounds) -> None:
    """From now on these hold: for plans made, records read and models tried."""
    _current.bounds = given
