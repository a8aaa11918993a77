"""The live status line of ``rtml run`` on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.app import Worker

RATE_WINDOW_S = 1.0


@contextmanager
def status_line(worker: Worker) -> Iterator[Callable[[], None] | None]:
    """A function that redraws the line; None where stderr is no terminal, and logs tell it all."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=5, transient=False) as live:
        line = _Line(worker)
        yield lambda: live.update(line.text())


class _Line:
    """in, scored, dead letters, lag, rate; the rate over the last second."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._since_s, self._before, self._rate = time.monotonic(), 0, 0.0

    def text(self) -> str:
        totals = self._worker.totals()
        now_s = time.monotonic()
        if now_s - self._since_s >= RATE_WINDOW_S:
            self._rate = (totals["scored"] - self._before) / (now_s - self._since_s)
            self._since_s, self._before = now_s, totals["scored"]
        reasons = self._worker.reasons()
        state = "[green]serving[/]" if not reasons else f"[yellow]{reasons[0]}[/]"
        lag = self._worker.lag()
        return (
            f"{state}  in [bold]{totals['received']:,}[/]  scored [bold]{totals['scored']:,}[/]  "
            f"dropped {totals['dropped']:,}  dead letters {totals['dead']:,}  "
            f"lag {lag:,}  {self._rate:,.0f}/s"
        )
