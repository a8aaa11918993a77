"""The plots of ``docs/performance.md``: SVG, and the same file from the same figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.overload import Overload
from bench.results import FLOOR_NAME, PRODUCT_NAME, Result
from bench.stages import Stages

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "rtml", "svg.fonttype": "none", "font.size": 9})

COLORS = {PRODUCT_NAME: "#c0392b", FLOOR_NAME: "#7f8c8d"}
OTHERS = "#5b7fa6"
LABELS = {PRODUCT_NAME: "rtml", FLOOR_NAME: "floor"}
SCALING = {
    "partitions": "partitions",
    "columns": "numbers per event",
    "sizes": "size of an event",
    "replicas": "replicas",
}


def write(
    folder: Path, results: Mapping[str, Result], overload: Overload | None, stages: Stages | None
) -> list[Path]:
    """Draws what there are results for; the files."""
    made: list[Path] = []
    for name, draw in {"peers": _rates, "workloads": _rates, "curve": _curve}.items():
        if name in results:
            made.append(_save(folder / f"{name}.svg", draw(results[name])))
    if any(name in results for name in SCALING):
        made.append(_save(folder / "scaling.svg", _scaling(results)))
    if stages is not None:
        made.append(_save(folder / "stages.svg", _stages(stages)))
    if overload is not None:
        made.append(_save(folder / "overload.svg", _overload(overload)))
    return made


def _save(path: Path, figure: Figure) -> Path:
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    return path


def _rates(result: Result) -> Figure:
    """A bar for each contender, its rounds as dots."""
    rows = [
        (row, row.title if len(result.points) == 1 else f"{point.at}: {row.title}")
        for point in reversed(result.points)
        for row in sorted(point.rows, key=lambda row: row.median("events_per_s") if row.done else 0)
        if row.done
    ]
    figure = Figure(figsize=(8, 0.4 + 0.34 * len(rows)))
    axes = figure.subplots()
    for i, (row, _) in enumerate(rows):
        median = row.median("events_per_s")
        axes.barh(i, median, color=COLORS.get(row.name, OTHERS), height=0.7)
        axes.plot([run.events_per_s for run in row.done], [i] * len(row.done), "k.", markersize=3)
        axes.annotate(f"   {median:,.0f}", (median, i), va="center")
    axes.set_yticks(range(len(rows)), [title for _, title in rows])
    axes.set_xlabel("events per second, one process; dots are rounds")
    axes.margins(x=0.15)
    _plain(axes)
    return figure


def _stages(found: Stages) -> Figure:
    """Two bars for each stage: the worker's, and its floor."""
    rows = found.rows()[::-1]
    figure = Figure(figsize=(8, 0.6 + 0.5 * len(rows)))
    axes = figure.subplots()
    places = range(len(rows))
    for name, shift, costs in (
        (PRODUCT_NAME, 0.2, [one.us for one in rows]),
        (FLOOR_NAME, -0.2, [one.floor_us for one in rows]),
    ):
        ends = axes.barh(
            [i + shift for i in places], costs, 0.38, color=COLORS[name], label=LABELS[name]
        )
        axes.bar_label(ends, fmt=" %.2f")
    axes.set_yticks(places, [one.name for one in rows])
    axes.set_xlabel("µs of processor time per event")
    axes.margins(x=0.15)
    axes.legend(frameon=False, loc="lower right")
    _plain(axes)
    return figure


def _curve(result: Result) -> Figure:
    figure = Figure(figsize=(8, 3.6))
    axes = figure.subplots()
    for name in (FLOOR_NAME, PRODUCT_NAME):
        found = [
            (point.at, row.latency)
            for point in result.points
            if (row := point.row(name)) and row.latency
        ]
        rates = [at for at, _ in found]
        for field, style in (("p50_ms", "o-"), ("p99_ms", "o--")):
            label = f"{LABELS[name]}, {field[:3]}"
            values = [getattr(one, field) for _, one in found]
            axes.plot(rates, values, style, color=COLORS[name], label=label, markersize=3)
    axes.set(xscale="log", yscale="log", xlabel="events per second", ylabel="milliseconds")
    axes.legend(frameon=False)
    _plain(axes)
    return figure


def _scaling(results: Mapping[str, Result]) -> Figure:
    """Processor time for an event as the work grows, and the rate of replicas."""
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    for axes, (name, heading) in zip(figure.subplots(2, 2).flat, SCALING.items(), strict=True):
        is_rate = name == "replicas"
        axes.set(xlabel=heading, ylabel="events per second" if is_rate else "CPU, µs per event")
        if name in results:
            _lines(axes, results[name], "events_per_s" if is_rate else "cpu_us_per_event")
        axes.set_yscale("log" if name == "sizes" else "linear")
        if name != "sizes":
            axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
        _plain(axes)
    return figure


def _lines(axes: Axes, result: Result, field: str) -> None:
    """A line for each contender, conditions at even distances."""
    for name, color in COLORS.items():
        found = [
            (str(point.at), row.median(field))
            for point in result.points
            if (row := point.row(name)) and row.done
        ]
        if found:
            axes.plot(*zip(*found, strict=True), "o-", color=color, label=LABELS[name])
    axes.legend(frameon=False, loc="lower right")


def _overload(result: Overload) -> Figure:
    figure = Figure(figsize=(8, 3.6))
    axes = figure.subplots()
    at = [one.at_s for one in result.samples]
    axes.fill_between(at, [one.lag for one in result.samples], color=OTHERS, alpha=0.5)
    axes.axvline(result.seconds, color="k", linewidth=0.8, linestyle=":")
    axes.set(xlabel="seconds; the overload ends at the dotted line", ylabel="events waiting")
    memory = axes.twinx()
    memory.plot(at, [one.rss_mb for one in result.samples], color=COLORS[PRODUCT_NAME])
    memory.set_ylabel("memory, MB (line)")
    memory.set_ylim(0, 1.2 * max(one.rss_mb for one in result.samples))
    axes.set_ylim(bottom=0)
    return figure


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
