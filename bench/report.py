"""What was measured: the table for people, the JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.latency import RATE, Latency
from worker.stream.tools.bench.throughput import Throughput

OUT = Path(__file__).parent / "out"
MIN_RATIO = 0.4
TARGET_RATIO = 0.5
MAX_P50_MS = 5.0
MAX_RSS_MB = 200.0
_PACKAGES = ("aiokafka", "confluent-kafka", "faust-streaming", "msgspec", "numpy", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Round:
    """The floor and the product on the same load, one after the other."""

    floor: Throughput
    product: Throughput

    @property
    def ratio(self) -> float:
        """The product's rate over the floor's."""
        return self.product.events_per_s / self.floor.events_per_s


@dataclass(frozen=True, slots=True)
class Paces:
    """The latencies of the floor and the product, one after the other."""

    floor: Latency
    product: Latency


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one call of the benchmark found.

    Attributes:
        machine: where it ran, and with what.
        setup: what was measured and under which settings.
        rounds: one or more.
        paces: one or more.
    """

    machine: dict[str, str]
    setup: dict[str, str]
    rounds: Sequence[Round]
    paces: Sequence[Paces]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: the two figures of a round met the same machine."""
        return statistics.median(one.ratio for one in self.rounds)

    @property
    def cpu_ratio(self) -> float:
        """The same by CPU time per event, which other processes disturb less than rates."""
        return statistics.median(
            one.floor.cpu_us_per_event / one.product.cpu_us_per_event for one in self.rounds
        )

    @property
    def p50_ms(self) -> float:
        """The product's, the median of its rounds."""
        return statistics.median(one.product.p50_ms for one in self.paces)

    @property
    def peak_rss_mb(self) -> float:
        """The product's, over all rounds."""
        return max(one.product.peak_rss_mb for one in self.rounds)

    def write(self) -> Path:
        """Writes it as JSON into a folder that git ignores; returns the file."""
        OUT.mkdir(exist_ok=True)
        (OUT / ".gitignore").write_text("*\n")
        ratios = {"ratio": self.ratio, "cpu_ratio": self.cpu_ratio}
        found = {**asdict(self), **ratios, "ratios": [one.ratio for one in self.rounds]}
        path = OUT / "results.json"
        path.write_text(json.dumps(found, indent=2) + "\n")
        return path

    def show(self, console: Console) -> None:
        """Prints the tables."""
        facts = Table.grid(padding=(0, 2))
        for name, value in {**self.machine, **self.setup}.items():
            facts.add_row(f"[dim]{name}[/dim]", value)
        console.print(facts)
        console.print(_throughput(self.rounds), _latency(self.paces))
        low, high = min(one.ratio for one in self.rounds), max(one.ratio for one in self.rounds)
        _line(
            console,
            f"product / floor {self.ratio:.2f} (rounds {low:.2f} to {high:.2f}; "
            f"by CPU time {self.cpu_ratio:.2f})",
            f"at least {MIN_RATIO}, target {TARGET_RATIO}",
            self.ratio >= MIN_RATIO,
        )
        p50, rss = self.p50_ms, self.peak_rss_mb
        floor_ms = statistics.median(one.floor.p50_ms for one in self.paces)
        found = f"p50 {p50:.2f} ms (the floor's is {floor_ms:.2f})"
        _line(console, found, f"below {MAX_P50_MS:.0f} ms", p50 < MAX_P50_MS)
        _line(console, f"memory {rss:.0f} MB", f"below {MAX_RSS_MB:.0f} MB", rss < MAX_RSS_MB)


def _line(console: Console, found: str, wanted: str, met: bool) -> None:
    mark = "[green]met[/green]" if met else "[red]missed[/red]"
    console.print(f"{found}; {wanted}: {mark}", highlight=False)


def _throughput(rounds: Sequence[Round]) -> Table:
    table = Table(title="Throughput, one process", title_justify="left")
    headings = ("", "floor ev/s", "product ev/s", "ratio", "floor CPU µs/ev", "product CPU µs/ev")
    for heading in (*headings, "product RSS MB"):
        table.add_column(heading, justify="right")
    rows = [
        (
            one.floor.events_per_s,
            one.product.events_per_s,
            one.ratio,
            one.floor.cpu_us_per_event,
            one.product.cpu_us_per_event,
            one.product.peak_rss_mb,
        )
        for one in rounds
    ]
    for i, row in enumerate(rows, start=1):
        table.add_row(f"round {i}", *_texts(row))
    table.add_section()
    medians = [statistics.median(column) for column in zip(*rows, strict=True)]
    table.add_row("median", *_texts(medians), style="bold")
    return table


def _texts(row: Sequence[float]) -> list[str]:
    formats = ("{:,.0f}", "{:,.0f}", "{:.2f}", "{:.2f}", "{:.2f}", "{:.0f}")
    return [pattern.format(value) for pattern, value in zip(formats, row, strict=True)]


def _latency(paces: Sequence[Paces]) -> Table:
    table = Table(title=f"Latency at {RATE:,} events/s, schedule to outcome", title_justify="left")
    for heading in ("", "p50 ms", "p99 ms", "max ms", "events", "idle", "stolen"):
        table.add_column(heading, justify="right")
    for pair in paces:
        for name, one in (("floor", pair.floor), ("product", pair.product)):
            figures = [f"{value:.2f}" for value in (one.p50_ms, one.p99_ms, one.max_ms)]
            shares = [f"{one.idle:.0%}", f"{one.stolen:.0%}"]
            table.add_row(name, *figures, f"{one.events:,}", *shares)
    return table


def machine() -> dict[str, str]:
    """Where this runs, and with what."""
    return {
        "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, revision {_revision()}",
        "machine": f"{_cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "load": " ".join(f"{one:.2f}" for one in os.getloadavg()) + " (1, 5, 15 min, at the start)",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def _revision() -> str:
    """What git calls this state; a plus where files were changed since."""
    git = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(git, cwd=OUT.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _cpu() -> str:
    """The processor's name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
