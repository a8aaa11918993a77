"""The live status line of ``rtml run`` on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from worker.cli.console import printable

if TYPE_CHECKING:
    from worker.app import Worker

RATE_WINDOW_S = 1.0


@contextmanager
def status_line(worker: Worker, *, wanted: bool) -> Iterator[Callable[[], None] | None]:
    """A function that redraws the line; None where stderr is no terminal, and logs tell it all.

    Logs are printed above the line. In the end it is replaced by the sums.
    """
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    line = StatusLine(worker)
    # Soft wrap: a log line is the terminal's to break, so that it can be copied whole.
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    live = Live(
        console=console,
        refresh_per_second=5,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # else it is somebody's data
    )
    try:
        with live:
            console.show_cursor()  # it is hidden until an end that SIGKILL would not let come
            yield lambda: live.update(line.text())
    finally:
        console.print(line.sums().append("  stopped"))


class StatusLine:
    """in, scored, dead letters, lag, rate; the rate over the last second."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._since_s, self._before, self._rate = time.monotonic(), 0, 0.0

    def text(self) -> Text:
        """How it is now, cut to the terminal's width."""
        scored = self._worker.fleet.totals()["scored"]
        now_s = time.monotonic()
        if now_s - self._since_s >= RATE_WINDOW_S:
            self._rate = (scored - self._before) / (now_s - self._since_s)
            self._since_s, self._before = now_s, scored
        reasons = self._worker.reasons()
        state = Text(printable(reasons[0]), "yellow") if reasons else Text("serving", "green")
        pace = f"  lag {self._worker.fleet.lag():,}  {self._rate:,.0f}/s  "
        # The state comes last, for a long reason is cut; no markup: reasons hold brackets.
        line = Text.assemble(self.sums(), pace, state)
        line.no_wrap, line.overflow = True, "ellipsis"
        return line

    def sums(self) -> Text:
        """What was counted since the start."""
        totals = self._worker.fleet.totals()
        return Text.assemble(
            *("in ", (f"{totals['received']:,}", "bold")),
            *("  scored ", (f"{totals['scored']:,}", "bold")),
            f"  dropped {totals['dropped']:,}  dead letters {totals['dead']:,}",
        )
