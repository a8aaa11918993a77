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

from worker.dataset.rows import MAX_ROW_BYTES, Events, Row
from worker.errors import ConfigError, Fault, Problem, Stage
from worker.files import open_stream

if TYPE_CHECKING:
    from worker.dataset.shape import Shape

_UTF8_MARK = b"\xef\xbb\xbf"
_SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
_SHOWN_BYTES = 1_000


class Format(StrEnum):
    """Of a file of events."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def format_of(path: Path | None) -> Format:
    """The format that a file's name tells; JSON lines by default."""
    return Format(_SUFFIXES.get(path.suffix.lower() if path else "", "jsonl"))


@contextmanager
def open_events(path: Path | None, format_: Format, shape: Shape | None) -> Iterator[Events]:
    """The events of a file, or of stdin.

    Args:
        path: of the file; None is stdin.
        format_: of the file.
        shape: of an event, for the cells of a table; None to guess by their looks.

    Raises:
        ConfigError: the file cannot be read, or its columns do not fit the schema.
    """
    name = "stdin" if path is None else str(path)
    try:
        file = sys.stdin.buffer if path is None else open_stream(path)
    except OSError as error:
        raise ConfigError(
            Problem("", f"cannot be read: {error.strerror or error}", name)
        ) from error
    try:
        position = _position(file, 0 if path is None else os.fstat(file.fileno()).st_size)
        if format_ is Format.JSONL:
            yield Events(_lines(file), position)
        elif format_ is Format.CSV:
            from worker.dataset.csv_events import read_csv

            # Bytes that are no UTF-8 survive as surrogates: they cost their own row only.
            text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
            yield read_csv(text, name, shape, position)
            text.detach()
        else:
            from worker.dataset.parquet_events import read_parquet

            yield read_parquet(file, name, shape)
    finally:
        if path is not None:
            file.close()


def _position(file: BinaryIO, size: int) -> Callable[[], float | None]:
    """How much of a file of ``size`` bytes was read; a pipe has none."""
    return lambda: file.tell() / size if size else None


def _lines(file: BinaryIO) -> Iterator[Row]:
    """JSON lines; blank ones are no events, and one that is too long costs only itself."""
    number = 0
    while line := file.readline(MAX_ROW_BYTES + 1):
        number += 1
        if len(line) > MAX_ROW_BYTES and not line.endswith(b"\n"):
            message = f"a line of more than {MAX_ROW_BYTES:,} bytes"
            yield Row(number, line[:_SHOWN_BYTES], Fault(0, Stage.DECODE, "TooLong", message))
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_ROW_BYTES)
            continue
        value = (line.removeprefix(_UTF8_MARK) if number == 1 else line).rstrip(b"\r\n")
        if value.strip():
            yield Row(number, value)
