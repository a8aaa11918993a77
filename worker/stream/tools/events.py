"""Events from files: lines as they are, their keys, samples of a graph, and a rate."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from worker.dataset.simulate import simulate
from worker.errors import ConfigError, Problem
from worker.files import open_file
from worker.graph.event_schema import event_schema
from worker.graph.spec import load
from worker.schema import column_name, path_of, value_at

SAMPLES = "events.jsonl"
"""Sample events beside a graph file."""

_SIMULATED = 1_000
"""Events that are made up where there are no samples; they are repeated."""

Event = tuple[bytes, bytes | None]
"""Value and key."""


def read(stream: BinaryIO, name: str, key_field: str | None) -> Iterator[Event]:
    """The lines of a stream as events: their bytes as they are, without the line's end.

    Args:
        stream: JSON lines; only lines that give the key are parsed.
        name: of the file, for messages.
        key_field: dotted path, or JSON Pointer, of the field that becomes the key; None for none.

    Raises:
        ConfigError: an empty line, or one without a key, by its number.
    """
    path = None if key_field is None else path_of(key_field)
    for number, line in enumerate(stream, start=1):
        value = line.removesuffix(b"\n").removesuffix(b"\r")
        try:
            if not value.strip():
                raise ValueError("an empty line is no event")
            yield value, None if path is None else _key(value, path)
        except ValueError as error:
            raise ConfigError(Problem("", str(error), name, number)) from error


def samples(graph: Path, key_field: str | None = None) -> list[Event]:
    """The sample events beside a graph file, at least one; without them, made-up ones.

    Raises:
        ConfigError: there are none, or one has no key; the graph file cannot be read.
    """
    path = graph.parent / SAMPLES
    if not path.exists():
        return _simulated(graph, key_field)
    try:
        with open_file(path) as stream:
            found = list(read(stream, str(path), key_field))
    except OSError as error:
        message = f"sample events cannot be read: {error.strerror or error}"
        raise ConfigError(Problem("", message, str(path))) from error
    if not found:
        raise ConfigError(Problem("", "holds no event", str(path)))
    return found


def _simulated(graph: Path, key_field: str | None) -> list[Event]:
    """Events that keep the graph's schema."""
    spec, _ = load(graph)
    schema, _ = event_schema(spec, graph.parent)
    made = itertools.islice(simulate(schema), _SIMULATED)
    lines = b"".join(msgspec.json.encode(event) + b"\n" for event in made)
    return list(read(io.BytesIO(lines), f"an event made up for {graph}", key_field))


def cycle(events: Sequence[Event], n: int | None) -> Iterator[Event]:
    """The events over and over, ``n`` in all; without end for None."""
    return itertools.islice(itertools.cycle(events), n)


class Pace:
    """An open-loop rate: event i is due at i / rate, however long the others took."""

    def __init__(self, per_second: float | None) -> None:
        """Starts the clock; None is as fast as it goes."""
        self._per_second, self._start_s = per_second, time.monotonic()

    def due_in_s(self, i: int) -> float:
        """Seconds until event i, counted from 0, is due; 0 if it is."""
        if self._per_second is None:
            return 0.0
        return max(self._start_s + i / self._per_second - time.monotonic(), 0.0)


def key_of(event: object, path: tuple[str, ...]) -> bytes:
    """The key that a field of the event gives: text as it is, anything else as JSON.

    Raises:
        ValueError: there is nothing.
    """
    found = value_at(event, path)
    if found is None:
        raise ValueError(f"no '{column_name(path)}' to take the key from")
    return found.encode() if isinstance(found, str) else msgspec.json.encode(found)


def _key(value: bytes, path: tuple[str, ...]) -> bytes:
    """The key of a line.

    Raises:
        ValueError: no JSON, or nothing there.
    """
    try:
        event: Any = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"no JSON to take the key from: {error}") from error
    return key_of(event, path)
