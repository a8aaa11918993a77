"""Throughput: what one process did with a waiting load, timed by the broker's own append times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worker.errors import ConfigError, Problem
from worker.stream.tools.bench.watch import Watch

WARM_UP = 0.1
"""The first tenth of the output is not timed, by default."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """One run of one process.

    Attributes:
        events_per_s: events per second, after the warm-up.
        cpu_us_per_event: of the process and its children, in the same span; NaN where it is not
            known.
        peak_rss_mb: of the process and its children, in 10^6 bytes.
    """

    events_per_s: float
    cpu_us_per_event: float
    peak_rss_mb: float


def throughput(
    stamps_ms: npt.NDArray[np.int64],
    watch: Watch,
    warm_up: float = WARM_UP,
    *,
    events: int | None = None,
    ahead_s: float = 0.0,
) -> Throughput:
    """Of a process that is over, or has nothing to do any more.

    Args:
        stamps_ms: ``(n,)``, when the broker appended each record of the output.
        watch: on the process.
        warm_up: the part of the output that is not timed.
        events: that the output stands for, where some of them gave no record; n by default.
        ahead_s: how far the broker's clock is ahead of that of the watch.

    Raises:
        ConfigError: everything came at once, so that there is nothing to be timed.
    """
    stamps_ms = np.sort(stamps_ms)
    start_ms, end_ms = stamps_ms[int(len(stamps_ms) * warm_up)], stamps_ms[-1]
    if start_ms == end_ms:
        raise ConfigError(Problem("", "the events came out at once: more of them can be timed"))
    each = 1.0 if events is None else events / len(stamps_ms)
    timed = each * int((stamps_ms > start_ms).sum())
    seconds = float(end_ms - start_ms) / 1_000
    cpu_s = watch.cpu_s(start_ms / 1_000 - ahead_s, end_ms / 1_000 - ahead_s)
    return Throughput(timed / seconds, 1e6 * cpu_s / timed, watch.peak_rss_bytes / 1e6)
