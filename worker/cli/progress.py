"""A progress bar on stderr, for what takes longer than a second and is watched."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from worker.cli.console import err

_QUIET_SECONDS = 1.0
_SHOWN_SECONDS = 0.2


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


class Line:
    """What goes on, on one line of stderr that is written over; draws nothing off a terminal.

    So cheap that it may be told a thousand times a second while something is measured.
    """

    def __init__(self) -> None:
        self._shown_s, self._topic = 0.0, ""

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write("")

    def __call__(self, text: str) -> None:
        """Shows the text: a few times a second, but at once where the words before its ':' change.

        Args:
            text: what goes on, such as ``load: 3 of 5 events``.
        """
        topic, now_s = text.partition(":")[0], time.monotonic()
        if topic != self._topic or now_s - self._shown_s > _SHOWN_SECONDS:
            self._topic, self._shown_s = topic, now_s
            self._write(text)

    def _write(self, text: str) -> None:
        if err.is_terminal and not err.is_dumb_terminal:
            err.file.write(f"\r\x1b[2K{text[: err.width - 1]}")
            err.file.flush()
