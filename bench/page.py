"""``docs/performance.md`` and its plots, written from what the parts kept in ``bench/out``.

Between ``<!-- bench: NAME -->`` and ``<!-- end: NAME -->`` stand the table and the plot of a part.
One that has not run here leaves them as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from bench import parts, plots, targets
from bench.overload import Overload
from bench.parts import JAVA
from bench.results import FLOOR_NAME, PRODUCT_NAME, Point, Result, Row, spread, texts
from bench.stages import Stages
from bench.start import Starts

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
FOLDER = PAGE.parent / "performance"
SWEEPS = {
    "guarantees": "guarantee",
    "replicas": "replicas",
    "partitions": "partitions",
    "columns": "numbers",
    "sizes": "size",
}
"""Parts of one table each, and the heading of their condition."""
ABOUT = {
    "peers": "Events per second of each contender",
    "workloads": "Events per second on each workload",
    "scaling": "Processor time per event as the work grows, and the rate of replicas",
    "stages": "Processor time per event by stage",
    "curve": "Latency against rate",
    "overload": "Events that wait, and memory",
}
"""What a plot shows, for those who cannot see it."""


def write() -> list[Path]:
    """Writes what can be written; the files."""
    results = {name: found for name in (*parts.PARTS, "curve") if (found := Result.read(name))}
    overload = Overload.read()
    sections = {name: _section(result) for name, result in results.items()}
    if overload is not None:
        sections["overload"] = _joined(overload.text, _facts(overload.machine, overload.setup))
    starts, stages = Starts.read(), Stages.read()
    if starts is not None:
        sections["start"] = _joined(starts.text, _facts(starts.machine, starts.setup))
    if stages is not None:
        sections["stages"] = _joined(_stages(stages), _facts(stages.machine, stages.setup))
    if sections:
        sections["targets"] = _targets(results, overload, starts)
    FOLDER.mkdir(exist_ok=True)
    drawn = plots.write(FOLDER, results, overload, stages)
    for path in drawn:
        image = f"![{ABOUT[path.stem]}]({FOLDER.name}/{path.name})"
        sections[path.stem] = _joined(*filter(None, [sections.get(path.stem), image]))
    for name, text in sections.items():
        place(PAGE, name, text)
    return [PAGE, *drawn]


def place(page: Path, name: str, text: str) -> None:
    """Writes a new text between the markers of that name.

    Raises:
        RuntimeError: the page has no such markers.
    """
    start, end = f"<!-- bench: {name} -->\n", f"<!-- end: {name} -->"
    pattern = re.compile(f"({re.escape(start)}).*?({re.escape(end)})", re.DOTALL)
    whole = page.read_text(encoding="utf-8")
    if not pattern.search(whole):
        raise RuntimeError(f"{page} has no line '{start.strip()}'")
    whole = pattern.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", whole)
    page.write_text(whole, encoding="utf-8")


def _section(result: Result) -> str:
    kinds: dict[str, Callable[[Sequence[Point]], str]] = {"peers": _peers, "curve": _curve}
    table = kinds.get(result.part) or (lambda points: _sweep(SWEEPS.get(result.part, ""), points))
    words = [_verdict(result)] if result.part == "workloads" else []
    return _joined(table(result.points), *words, _facts(result.machine, result.setup))


def _verdict(result: Result) -> str:
    """The ratios that a table of workloads is read for."""
    points = {point.at: point for point in result.points}
    products = {at: row for at, point in points.items() if (row := point.row(PRODUCT_NAME))}
    found = [
        f"On {at} rtml is {spread(product.ratios(java))} times as fast as Kafka Streams."
        for at, product in products.items()
        if (java := points[at].row(JAVA)) and product.ratios(java)
    ]
    for name in ("twelve", "insurance"):
        whole, alone = products.get(name), products.get(f"{name}-model")
        if whole and alone and whole.ratios(alone):
            ratio = spread(whole.ratios(alone))
            found.append(f"The graph {name} has {ratio} of the rate of its model alone.")
    return " ".join(found)


def _targets(results: dict[str, Result], overload: Overload | None, starts: Starts | None) -> str:
    found = targets.rows(results, overload, starts)
    headings = ["", "target", "measured", ""]
    return table(headings, ([one.what, one.wanted, one.found, one.verdict] for one in found))


def _stages(found: Stages) -> str:
    headings = ["stage", "µs per event", "floor, µs", "the floor is", "why the rest is there"]
    rows = (
        [one.name, f"{one.us:.2f}", f"{one.floor_us:.2f}", one.floor, one.why]
        for one in found.rows()
    )
    return table(headings, rows)


def _joined(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


def _facts(machine: dict[str, str], setup: dict[str, str]) -> str:
    """Where and how a part ran, in one line."""
    wanted = ("measured", "machine", "python", "load")
    told = {**{name: machine[name] for name in wanted if name in machine}, **setup}
    return "> " + "; ".join(f"{name}: {value}" for name, value in told.items())


def _peers(points: Sequence[Point]) -> str:
    headings = ["", "events/s", "of the floor", "rtml is so many times as fast"]
    headings += ["CPU, µs/event", "memory, MB", "p50 / p99 at 1,000/s, ms", ""]
    (point,) = points
    product = point.row(PRODUCT_NAME)
    rows = sorted(point.rows, key=lambda row: -row.median("events_per_s") if row.done else 0)
    return table(headings, (_peer(row, point, product) for row in rows))


def _peer(row: Row, point: Point, product: Row | None) -> list[str]:
    rate, of_floor, cpu, rss, pace = texts(row, point)
    times = product.ratios(row) if product else []
    title = f"**{row.title}**" if row.name == PRODUCT_NAME else row.title
    return [title, rate, of_floor, spread(times) if times else "", cpu, rss, pace, row.note]


def _curve(points: Sequence[Point]) -> str:
    headings = ["events/s", "floor, p50 / p99 ms", "rtml, p50 / p99 ms", "cores idle"]
    return table(headings, (_pace(point) for point in points))


def _pace(point: Point) -> Iterator[str]:
    yield f"{point.at:,}"
    product = point.row(PRODUCT_NAME)
    for row in (point.row(FLOOR_NAME), product):
        yield (texts(row, point)[-1] or "cannot keep up") if row else ""
    yield f"{product.latency.idle:.0%}" if product and product.latency else ""


def _sweep(heading: str, points: Sequence[Point]) -> str:
    headings = [heading, "", "events/s", "of the floor", "CPU, µs/event", "memory, MB", ""]
    if not heading:
        headings[0] = "workload"
    return table(
        headings,
        (
            [str(point.at) if heading else point.about, row.title, *texts(row, point)[:4], row.note]
            for point in points
            for row in point.rows
        ),
    )


def table(headings: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """As Markdown has it."""
    lines = [list(headings), ["---"] * len(headings), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
