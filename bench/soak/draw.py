"""The plot of a long run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.soak.course import Course

RED, BLUE, GREY = "#c0392b", "#5b7fa6", "#7f8c8d"


def write(path: Path, course: Course) -> None:
    """Draws memory, what is held, latency and lag, one below the other."""
    figure = Figure(figsize=(8, 8), layout="constrained")
    memory, held, pace, lag = figure.subplots(4, 1, sharex=True)
    at_min = [one.at_s / 60 for one in course.samples]
    memory.plot(at_min, [one.rss_mb for one in course.samples], color=RED)
    memory.axvline(course.warm[0].at_s / 60, color="k", linewidth=0.8, linestyle=":")
    memory.set(ylabel="memory, MB", ylim=(0, 1.2 * max(one.rss_mb for one in course.samples)))
    for name, color in (("files", BLUE), ("threads", GREY), ("tasks", RED)):
        values = [getattr(one, name) for one in course.samples]
        held.plot(at_min, values, color=color, label="open files" if name == "files" else name)
    held.set(ylabel="held", ylim=(0, None))
    held.legend(frameon=False, ncols=3, loc="lower right")
    _pace(pace, course)
    lag.fill_between(at_min, [one.lag for one in course.samples], color=BLUE, alpha=0.5)
    lag.set(ylabel="lag, events", xlabel="minutes; the warm-up ends at the dotted line")
    lag.set_ylim(bottom=0)
    _plain([memory, held, pace, lag])
    FigureCanvasAgg(figure).print_png(path, metadata={"Software": None})


def _pace(axes: Axes, course: Course) -> None:
    middle = [one.minute + 0.5 for one in course.minutes]
    for name, style in (("p50_ms", "-"), ("p99_ms", "--")):
        values = [getattr(one, name) for one in course.minutes]
        axes.plot(middle, values, style, color=RED, label=name[:3], marker=".", markersize=3)
    axes.set(yscale="log", ylabel="latency, ms")
    axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)


def _plain(every: Sequence[Axes]) -> None:
    for axes in every:
        axes.spines[["top", "right"]].set_visible(False)
