"""Opens a file or stdin as a stream of events, whatever its format."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from worker.cli.events.rows import Events, Row
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.schema import Schema

_UTF8_MARK = b"\xef\xbb\xbf"
_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}


class Format(StrEnum):
    """Of a file of events."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def format_of(path: Path | None) -> Format:
    """The format that a file's name tells; JSON lines by default."""
    return Format(_SUFFIXES.get(path.suffix.lower() if path else "", "jsonl"))


@contextmanager
def open_events(path: Path | None, format_: Format, schema: Schema) -> Iterator[Events]:
    """The events of a file, or of stdin.

    Raises:
        ConfigError: the file cannot be read, or its columns do not fit the schema.
    """
    name = "stdin" if path is None else str(path)
    try:
        file = sys.stdin.buffer if path is None else path.open("rb")
    except OSError as error:
        raise ConfigError(
            Problem("", f"cannot be read: {error.strerror or error}", name)
        ) from error
    try:
        position = _position(file, 0 if path is None else os.fstat(file.fileno()).st_size)
        if format_ is Format.JSONL:
            yield Events(_lines(file), position)
        elif format_ is Format.CSV:
            from worker.cli.events.csv_events import read_csv

            # Bytes that are no UTF-8 survive as surrogates: they cost their own row only.
            text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
            yield read_csv(text, name, schema, position)
            text.detach()
        else:
            from worker.cli.events.parquet_events import read_parquet

            yield read_parquet(file, name, schema)
    finally:
        if path is not None:
            file.close()


def _position(file: BinaryIO, size: int) -> Callable[[], float | None]:
    """How much of a file of ``size`` bytes was read; a pipe has none."""
    return lambda: file.tell() / size if size else None


def _lines(file: BinaryIO) -> Iterator[Row]:
    """JSON lines; blank ones are no events."""
    for number, line in enumerate(file, 1):
        value = (line.removeprefix(_UTF8_MARK) if number == 1 else line).rstrip(b"\r\n")
        if value.strip():
            yield Row(number, value)
