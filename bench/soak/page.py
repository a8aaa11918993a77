"""``docs/soak.md``: the figures of a long run in words and a table, and its plot."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path

from bench.page import place, table
from bench.soak import draw, holding
from bench.soak.course import EDGE, HELD, Course
from bench.soak.holding import COUNTED, Row

PAGE = Path(__file__).parents[2] / "docs" / "soak.md"
PLOT = PAGE.parent / "soak" / "soak.png"
ALT = "Memory, open files, threads, latency and waiting events over the run"


def write() -> list[Path]:
    """Puts what was kept there, figures and plot; the files."""
    made = [PAGE]
    if rows := holding.read():
        place(PAGE, "cycles", cycles(rows))
    if course := Course.read():
        PLOT.parent.mkdir(exist_ok=True)
        draw.write(PLOT, course)
        place(PAGE, "soak", f"{text(course)}\n\n![{ALT}]({PLOT.parent.name}/{PLOT.name})")
        made.append(PLOT)
    return made


def cycles(rows: Sequence[Row]) -> str:
    """What was held before and after, in Markdown."""
    heading = ["before → after", "memory, MB", "each time, KB"]
    heading += [_NAMES.get(name, name) for name in COUNTED] + ["events lost, duplicated"]
    return table(heading, map(_cycle, rows))


def _cycle(row: Row) -> list[str]:
    first, last = row.looks[0], row.looks[-1]
    held = [f"{first.rss_mb:.1f} → {last.rss_mb:.1f}", f"{row.kb_each:+.1f}"]
    held += [f"{attrgetter(name)(first)} → {attrgetter(name)(last)}" for name in COUNTED]
    return [row.title, *held, f"{row.lost}, {row.duplicated}"]


def text(course: Course) -> str:
    """The figures, in Markdown."""
    counts, minutes = course.counts, course.minutes
    lasted = course.samples[-1].at_s / 60
    verdict = "; ".join(course.problems) or "nothing leaks, nothing is lost"
    words = [
        f"{lasted:.0f} minutes at {course.rate} events per second: {course.sent:,} events in ="
        f" {counts.scored:,} scored + {course.dropped:,} dropped + {counts.dead:,} dead letters;"
        f" lost {counts.lost}, duplicated {counts.duplicated}. Verdict: {verdict}."
    ]
    rows = [
        ["memory, MB", *_edges(course, "rss_mb", 1), f"{course.rss_mb_per_hour:+.2f} MB per hour"]
    ]
    rows += [[f"{_NAMES.get(name, name)}", *_edges(course, name, 0), ""] for name in HELD]
    rows.append(["lag, events", *_edges(course, "lag", 0), f"at most {_most_lag(course):,}"])
    warm = minutes[int(len(minutes) * course.warm[0].at_s / course.samples[-1].at_s) :]
    for label, name in (("p50, ms", "p50_ms"), ("p99, ms", "p99_ms")):
        values = [getattr(one, name) for one in warm]
        n = max(1, int(EDGE * len(values)))
        edges = [f"{statistics.median(part):.1f}" for part in (values[:n], values[-n:])]
        rows.append([label, *edges, f"minutes from {min(values):.1f} to {max(values):.1f}"])
    facts = {"machine": course.machine["machine"], **course.setup}
    loads = [one.load for one in course.samples]
    facts["load average"] = (
        f"{statistics.median(loads):.1f} ({min(loads):.1f} to {max(loads):.1f}), of all work on it"
    )
    told = "> " + "; ".join(f"{name}: {value}" for name, value in facts.items())
    heading = ["", "after the warm-up", "at the end", ""]
    return "\n\n".join([*words, table(heading, rows), told])


_NAMES = {"files": "open files", "connections": "connections to Kafka", "tasks": "asyncio tasks"}


def _edges(course: Course, name: str, digits: int) -> list[str]:
    return [f"{one:.{digits}f}" for one in course.edges(attrgetter(name))]


def _most_lag(course: Course) -> int:
    return max(one.lag for one in course.warm)
