"""What the parts of the benchmark found, kept as JSON: for the tables and for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.latency import Latency
from bench.report import OUT
from worker.stream.tools.bench.throughput import Throughput

FLOOR_NAME, PRODUCT_NAME = "floor", "product"


@dataclass(slots=True)
class Row:
    """One contender at one point.

    Attributes:
        runs: one for each round, in the order of the rounds; None where it failed.
        latency: at one fixed rate, where it was measured.
        note: why something is not there.
    """

    name: str
    title: str
    runs: list[Throughput | None] = field(default_factory=list)
    latency: Latency | None = None
    note: str = ""

    @property
    def done(self) -> list[Throughput]:
        """The runs that count."""
        return [run for run in self.runs if run is not None]

    def median(self, name: str) -> float:
        """Of a field of its runs."""
        return float(statistics.median(getattr(run, name) for run in self.done))

    def ratios(self, other: Row) -> list[float]:
        """Its rates over the other's, round by round: both met the same machine."""
        return [
            mine.events_per_s / theirs.events_per_s
            for mine, theirs in zip(self.runs, other.runs, strict=False)
            if mine is not None and theirs is not None
        ]


@dataclass(frozen=True, slots=True)
class Point:
    """All contenders under one condition.

    Attributes:
        at: the condition: the name of a workload, or a number.
        about: what tables call it.
        rows: one for each contender.
    """

    at: str | int
    about: str
    rows: list[Row]

    def row(self, name: str) -> Row | None:
        """Of one contender, if it took part."""
        return next((row for row in self.rows if row.name == name), None)


@dataclass(frozen=True, slots=True)
class Result:
    """One part of the benchmark.

    Attributes:
        part: its name, and that of its file.
        machine: where it ran, and with what.
        setup: under which settings.
        points: in order.
    """

    part: str
    machine: dict[str, str]
    setup: dict[str, str]
    points: Sequence[Point]

    def write(self) -> Path:
        """Keeps it where `read` finds it."""
        return keep(self.part, asdict(self))

    def show(self, console: Console) -> None:
        """Prints the table."""
        table = Table(title=self.part, title_justify="left")
        for heading in ("", "", "ev/s", "of the floor", "CPU µs/ev", "RSS MB", "p50 / p99 ms", ""):
            table.add_column(heading)
        for point in self.points:
            for row in point.rows:
                table.add_row(str(point.at), row.title, *texts(row, point), row.note)
            table.add_section()
        console.print(table)

    @classmethod
    def read(cls, part: str) -> Result | None:
        """What the last call found, if there was one."""
        found = kept(part)
        if found is None:
            return None
        points = [Point(one["at"], one["about"], [*_rows(one["rows"])]) for one in found["points"]]
        return cls(found["part"], found["machine"], found["setup"], points)


def texts(row: Row, point: Point) -> tuple[str, str, str, str, str]:
    """Rate, ratio to the floor, CPU time, memory and latency, as tables show them."""
    rate = ratio = cpu = rss = pace = ""
    if row.done:
        rate = f"{row.median('events_per_s'):,.0f}"
        cpu = f"{row.median('cpu_us_per_event'):.1f}"
        rss = f"{max(run.peak_rss_mb for run in row.done):.0f}"
    floor = point.row(FLOOR_NAME)
    if floor is not None and (found := row.ratios(floor)):
        ratio = spread(found)
    if row.latency is not None:
        pace = f"{row.latency.p50_ms:.1f} / {row.latency.p99_ms:.0f}"
    return rate, ratio, cpu, rss, pace


def spread(ratios: Sequence[float]) -> str:
    """The median, and from where to where the rounds went."""
    digits = 2 if statistics.median(ratios) < 10 else 0
    low, middle, high = (
        f"{one:.{digits}f}" for one in (min(ratios), statistics.median(ratios), max(ratios))
    )
    return middle if len(ratios) == 1 else f"{middle} ({low} to {high})"


def _rows(found: list[dict[str, Any]]) -> Iterator[Row]:
    for row in found:
        runs = [run and Throughput(**run) for run in row["runs"]]
        latency = row["latency"] and Latency(**row["latency"])
        yield Row(**{**row, "runs": runs, "latency": latency})


def keep(part: str, found: Any) -> Path:
    """Writes JSON into a folder that git ignores; the file."""
    OUT.mkdir(exist_ok=True)
    (OUT / ".gitignore").write_text("*\n")
    path = OUT / f"{part}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    return path


def kept(part: str) -> Any:
    """What `keep` wrote; None if nothing did."""
    path = OUT / f"{part}.json"
    return json.loads(path.read_text()) if path.exists() else None
