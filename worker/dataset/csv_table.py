"""A CSV file of flat rows: UTF-8, a header line, and an empty cell where there is nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, BinaryIO

from worker.dataset.layout import Column, text_cell


class CsvTable:
    """Rows of values as CSV; lists and objects are JSON within their cell."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column]) -> None:
        """Writes the header."""
        self._text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        self._plain = csv.writer(self._text, lineterminator="\n")
        # The plain writer leaves a lone carriage return bare, which readers take for a line's end.
        self._quoted = csv.writer(self._text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._write([column.name for column in columns])

    def write(self, rows: list[list[Any]]) -> None:
        """Adds rows, a value for each column."""
        for row in rows:
            self._write([text_cell(value) for value in row])

    def _write(self, cells: Sequence[str]) -> None:
        bare = any("\r" in cell for cell in cells)
        (self._quoted if bare else self._plain).writerow(cells)

    def close(self) -> None:
        """Finishes the file, and leaves it open."""
        self._text.detach()
