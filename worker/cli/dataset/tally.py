"""What became of the rows of a data set: counted, and the rejected ones kept with their reasons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, BinaryIO

from worker.cli.console import count, err, print_rows, printable
from worker.dataset.check import Reason, reject_line
from worker.errors import ConfigError, Problem

_MOST_SHOWN = 20
_MESSAGE_LENGTH = 100
_INDEX = re.compile(r"\[[0-9]+\]")


class Tally:
    """Counts rows, and the reasons for which some were rejected.

    Attributes:
        rows: that were read.
        rejected: rows that do not fit.
        unreadable: those of them that are no events at all.
    """

    def __init__(self, rejects: BinaryIO | None) -> None:
        """``rejects``: where rejected rows go."""
        self.rows = self.rejected = self.unreadable = 0
        self._rejects = rejects
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], tuple[str, str]] = {}

    @property
    def fit(self) -> int:
        """Rows that were not rejected."""
        return self.rows - self.rejected

    def reject(
        self, place: dict[str, int], reasons: Sequence[Reason], value: bytes, *, no_event: bool
    ) -> None:
        """A row that does not fit; it was counted in `rows` before.

        Args:
            place: where it stands, as `reject_line` has it.
            reasons: why, at least one.
            value: the row.
            no_event: it cannot even be read.
        """
        self.rejected += 1
        self.unreadable += no_event
        # The items of a list have one path, and a row counts once for it.
        for path, rule in {(_INDEX.sub("[*]", one.path), one.rule) for one in reasons}:
            self._reasons[path, rule] += 1
        for one in reasons:
            where = " ".join(f"{name} {n:,}" for name, n in place.items())
            self._examples.setdefault((_INDEX.sub("[*]", one.path), one.rule), (where, one.message))
        if self._rejects is not None:
            self._rejects.write(reject_line(place, reasons, value))

    def need_rows(self, name: str) -> None:
        """Refuses what holds no event at all.

        Raises:
            ConfigError: there was no row, or none that could be read.
        """
        if not self.rows:
            raise ConfigError(Problem("", "holds no row", name))
        if self.unreadable == self.rows:
            where, message = next(iter(self._examples.values()))
            raise ConfigError(
                Problem("", f"none of its rows can be read; {where}: {message}", name)
            )

    def reasons(self) -> list[dict[str, Any]]:
        """Each reason with its number of rows, the first of them, and its message."""
        return [
            {
                "path": path,
                "rule": rule,
                "rows": n,
                "first": self._examples[path, rule][0],
                "message": self._examples[path, rule][1],
            }
            for (path, rule), n in self._reasons.most_common()
        ]

    def print_reasons(self) -> None:
        """A table of them on stderr."""
        rows = [("rows", "path", "rule", "first", "message")]
        reasons = self.reasons()
        for one in reasons[:_MOST_SHOWN]:
            message = one["message"]
            if len(message) > _MESSAGE_LENGTH:
                message = message[: _MESSAGE_LENGTH - 3] + "..."
            rows.append((f"{one['rows']:,}", one["path"], one["rule"], one["first"], message))
        if reasons:
            print_rows(rows, ("bold", "cyan", "", "dim", ""), 2, err)
        if len(reasons) > _MOST_SHOWN:
            err.print(f"  and {count(len(reasons) - _MOST_SHOWN, 'other reason')}")
        if reasons and self._rejects is None:
            err.print(printable("every rejected row with all reasons: --rejects FILE"), style="dim")
