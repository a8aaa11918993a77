"""A progress bar on stderr, for what takes longer than a second and is watched."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from worker.cli.console import err

_QUIET_SECONDS = 1.0


class Meter:
    """Counts events, or something else; draws nothing off a terminal, nor in the first second."""

    def __init__(self, *, shown: bool, noun: str = "events") -> None:
        """Starts the clock.

        Args:
            shown: False where the terminal is used for something else.
            noun: what is counted.
        """
        self._shown = shown and err.is_terminal
        self._noun = noun
        self._start = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._start

    def update(self, done: int, fraction: float | None) -> None:
        """So many are done, this part of the whole if that is known."""
        if not self._shown or self.seconds < _QUIET_SECONDS:
            return
        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TimeRemainingColumn(),
                console=err,
                transient=True,
            )
            self._task = self._bar.add_task("", total=None if fraction is None else 1.0)
            self._bar.start()
        if self._task is not None:
            rate = done / max(self.seconds, 1e-9)
            text = f"{done:,} {self._noun}, {rate:,.0f}/s"
            self._bar.update(self._task, description=text, completed=fraction or 0.0)
