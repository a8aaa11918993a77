"""Writes events to a file: JSON lines as they are, CSV and Parquet as flat tables.

A table's columns are known only when the last event was seen, so its events wait in a temporary
file. The file itself appears when it is whole.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

import msgspec

from worker.dataset.layout import Column, flatten, layout
from worker.dataset.profile import Profile
from worker.dataset.read import Format
from worker.dataset.shape import Shape
from worker.errors import ConfigError, Problem

BATCH = 2_000


class TableFile(Protocol):
    """A file of rows."""

    def write(self, rows: list[list[Any]]) -> None:
        """Adds rows, a value for each column."""

    def close(self) -> None:
        """Finishes the file."""


class Output:
    """A file of events that is being written; gone again unless it is finished."""

    def __init__(self, path: Path, format_: Format, shape: Shape | None = None) -> None:
        """Opens the temporary file.

        Args:
            path: of the file; what stands there is replaced at the end.
            format_: of the file.
            shape: of the events, for the types of a table's columns.

        Raises:
            ConfigError: it cannot be written, or pyarrow is missing.
        """
        self._path, self._format, self._shape = path, format_, shape
        self._profile = Profile(str(path))
        self._direct = path.exists() and not path.is_file()  # a device, or a pipe
        self._table = format_ is not Format.JSONL
        self._names: dict[BinaryIO, str] = {}
        self.events = 0
        if format_ is Format.PARQUET:
            from worker.dataset.parquet_events import pyarrow

            pyarrow(str(path))
        self._stack = ExitStack()
        try:
            if self._direct:
                path.open("wb").close()
            self._lines = self._stack.enter_context(self._temporary())
        except OSError as error:
            raise self._unwritable(error) from error

    @contextmanager
    def _temporary(self) -> Iterator[BinaryIO]:
        """A file beside the one that is written, or where there is room for such files."""
        folder = None if self._direct else self._path.parent
        number, name = tempfile.mkstemp(dir=folder, prefix=f".{self._path.name}.")
        try:
            with open(number, "w+b") as file:
                self._names[file] = name
                yield file
        finally:
            Path(name).unlink(missing_ok=True)

    def add(self, event: dict[str, Any], value: bytes) -> None:
        """Takes an event; ``value``: its JSON.

        Raises:
            ConfigError: it cannot be written, or names too many fields.
        """
        self.events += 1
        if self._table:
            self._profile.add(event)
        # Outside of strings a line's end is a blank in JSON; within strings it cannot stand.
        line = value.replace(b"\r", b" ").replace(b"\n", b" ")
        try:
            self._lines.write(line + b"\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self, progress: Callable[[int, float], None] = lambda *_: None) -> list[Column]:
        """Makes the file; the columns of a table.

        Args:
            progress: told how many events are in the table, and which part of all that is.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            if not self._table:
                self._place(self._lines)
                return []
            columns = layout(self._profile, self._shape)
            with self._temporary() as made:
                self._fill(made, columns, progress)
                self._place(made)
            return columns
        except OSError as error:
            raise self._unwritable(error) from error

    def _fill(
        self, file: BinaryIO, columns: list[Column], progress: Callable[[int, float], None]
    ) -> None:
        table = _table(file, self._format, columns)
        done = 0
        for events in self._batches():
            table.write([flatten(event, columns) for event in events])
            done += len(events)
            progress(done, done / max(self.events, 1))
        table.close()

    def _batches(self) -> Iterator[list[dict[str, Any]]]:
        self._lines.seek(0)
        batch: list[dict[str, Any]] = []
        for line in self._lines:
            batch.append(msgspec.json.decode(line))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _place(self, made: BinaryIO) -> None:
        """Puts a temporary file where it belongs; a device gets its bytes."""
        made.flush()
        if self._direct:
            made.seek(0)
            with self._path.open("wb") as target:
                shutil.copyfileobj(made, target)
            return
        mask = os.umask(0)
        os.umask(mask)
        name = self._names[made]
        Path(name).chmod(0o666 & ~mask)  # as any other new file; temporary ones are private
        Path(name).replace(self._path)

    def _unwritable(self, error: OSError) -> ConfigError:
        message = f"cannot be written: {error.strerror or error}"
        return ConfigError(Problem("", message, str(self._path)))

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # a full disk was told before
            self._stack.close()


def _table(file: BinaryIO, format_: Format, columns: list[Column]) -> TableFile:
    if format_ is Format.CSV:
        from worker.dataset.csv_table import CsvTable

        return CsvTable(file, columns)
    from worker.dataset.parquet_table import ParquetTable

    return ParquetTable(file, columns)
