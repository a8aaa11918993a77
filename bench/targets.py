"""The line to beat: each target beside what the parts found, met or not."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.overload import Overload
from bench.results import FLOOR_NAME, PRODUCT_NAME, Point, Result, Row, spread
from bench.start import Starts

RATIOS = {
    FLOOR_NAME: 0.5,
    "one-batch": 1.2,
    "kafka-streams": 5.0,
    "bytewax": 2.2,
    "quix": 6.0,
    "pathway": 14.0,
    "event-loop": 6.0,
    "faust": 40.0,
    "storey": 35.0,
}
"""On 165-byte events with a logistic regression, the worker's rate over each contender's."""
PAIRS = (
    ("trees", PRODUCT_NAME, "trees", "kafka-streams", 3.5, "100 trees, of Kafka Streams' rate"),
    ("crayfish", PRODUCT_NAME, "crayfish", "kafka-streams", 2.8, "Crayfish, of Kafka Streams'"),
    ("twelve", PRODUCT_NAME, "twelve-model", PRODUCT_NAME, 0.5, "12 nodes, of the model alone"),
)
MAX_P50_MS, MAX_P99_MS = 3.0, 12.0
MAX_RSS_MB = 200.0
MAX_SPREAD = 1.15
MIN_EXACTLY_ONCE = 0.9
MAX_GROWTH = 1.1
MAX_START_S, MAX_PUBLISH_S = 3.0, 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """One row: what, how much is wanted, what was found; ``met`` is None where that is missing."""

    what: str
    wanted: str
    found: str = "not measured"
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """For the table."""
        return {True: "met", False: "**missed**", None: ""}[self.met]


def rows(
    results: Mapping[str, Result], overload: Overload | None, starts: Starts | None
) -> list[Target]:
    """All of them, in the order of the targets."""
    points = {
        (part, str(point.at)): point for part, result in results.items() for point in result.points
    }
    peers = points.get(("peers", "lr"))
    return [
        *_peers(peers),
        *_pairs(points),
        *(_latency(points.get(("curve", at)), at, peers) for at in ("100", "1000")),
        _exactly_once(points),
        _memory(peers),
        *_growing(results),
        _overload(overload),
        *_starts(starts),
    ]


def _ratio(what: str, wanted: float, mine: Row | None, theirs: Row | None) -> Target:
    found = mine.ratios(theirs) if mine and theirs else []
    text = f"at least {wanted:g} x"
    if not found:
        return Target(what, text)
    return Target(what, text, spread(found), statistics.median(found) >= wanted)


def _peers(point: Point | None) -> Iterator[Target]:
    product = point.row(PRODUCT_NAME) if point else None
    for name, wanted in RATIOS.items():
        row = point.row(name) if point else None
        title = row.title if row else name
        yield _ratio(f"165 B, logistic regression: rate of {title}", wanted, product, row)


def _pairs(points: Mapping[tuple[str, str], Point]) -> Iterator[Target]:
    for at, name, other, theirs, wanted, what in PAIRS:
        mine, reference = points.get(("workloads", at)), points.get(("workloads", other))
        row = mine.row(name) if mine else None
        yield _ratio(what, wanted, row, reference.row(theirs) if reference else None)


def _latency(point: Point | None, at: str, peers: Point | None) -> Target:
    what = f"latency at {int(at):,} events/s, p50 / p99"
    wanted = f"at most {MAX_P50_MS:g} / {MAX_P99_MS:g} ms, below every peer"
    row = point.row(PRODUCT_NAME) if point else None
    if row is None or row.latency is None:
        return Target(what, wanted)
    found = row.latency
    text = f"{found.p50_ms:.1f} / {found.p99_ms:.0f} ms, {found.idle:.0%} of the cores idle"
    met = found.p50_ms <= MAX_P50_MS and found.p99_ms <= MAX_P99_MS
    if at == "1000" and peers is not None:
        theirs = {
            one.title: one.latency.p50_ms
            for one in peers.rows
            if one.latency and one.name not in (FLOOR_NAME, PRODUCT_NAME, "one-batch")
        }
        if theirs:
            title = min(theirs, key=theirs.__getitem__)
            text += f"; the best peer, {title}: {theirs[title]:.1f} ms"
            met = met and found.p50_ms < theirs[title]
    return Target(what, wanted, text, met)


def _exactly_once(points: Mapping[tuple[str, str], Point]) -> Target:
    once, twice = (points.get(("guarantees", at)) for at in ("exactly once", "at least once"))
    mine, theirs = (one.row(PRODUCT_NAME) if one else None for one in (once, twice))
    return _ratio("exactly once, of the rate at least once", MIN_EXACTLY_ONCE, mine, theirs)


def _memory(point: Point | None) -> Target:
    what, wanted = "memory of one worker, at least once", f"below {MAX_RSS_MB:.0f} MB"
    row = point.row(PRODUCT_NAME) if point else None
    if row is None or not row.done:
        return Target(what, wanted)
    most = max(run.peak_rss_mb for run in row.done)
    return Target(what, wanted, f"{most:.0f} MB", most < MAX_RSS_MB)


def _growing(results: Mapping[str, Result]) -> Iterator[Target]:
    costs = {name: _costs(results.get(name)) for name in ("partitions", "columns")}
    what, wanted = "µs per event from 1 to 64 partitions", f"within {MAX_SPREAD - 1:.0%}"
    if (found := [*costs["partitions"].values()])[1:]:
        ratio = max(found) / min(found)
        yield Target(what, wanted, f"within {ratio - 1:.0%}", ratio <= MAX_SPREAD)
    else:
        yield Target(what, wanted)
    what, wanted = "µs per event from 1 to 50 numbers", f"linear, within {MAX_SPREAD - 1:.0%}"
    cost = costs["columns"]
    if len(cost) > 2:
        first, middle, last = sorted(cost)[0], sorted(cost)[1], sorted(cost)[-1]
        slope = (cost[last] - cost[first]) / (last - first)
        ratio = cost[middle] / (cost[first] + slope * (middle - first))
        text = f"{cost[first]:.1f} µs and {slope:.2f} for each more; {middle}: {ratio:.2f} of that"
        yield Target(what, wanted, text, max(ratio, 1 / ratio) <= MAX_SPREAD)
    else:
        yield Target(what, wanted)
    what, wanted = "replicas", "linear until broker or cores end"
    points = results["replicas"].points if "replicas" in results else []
    done = [row for point in points if (row := point.row(PRODUCT_NAME)) and row.done]
    if len(done) > 1:
        # What a machine can show where broker and load take cores as well; no verdict.
        text = f"{done[-1].title}: {spread(done[-1].ratios(done[0]))} x the rate of one, and"
        each = done[-1].median("cpu_us_per_event") / done[0].median("cpu_us_per_event")
        yield Target(what, wanted, f"{text} {each:.2f} x its µs per event")
    else:
        yield Target(what, wanted)


def _costs(result: Result | None) -> dict[int, float]:
    """Condition -> the worker's µs per event."""
    return {
        int(point.at): row.median("cpu_us_per_event")
        for point in (result.points if result else [])
        if (row := point.row(PRODUCT_NAME)) and row.done
    }


def _overload(found: Overload | None) -> Target:
    what, wanted = "twice the capacity for a minute", "memory flat, lag grows, recovers"
    if found is None:
        return Target(what, wanted)
    text = f"memory x {found.growth:.2f}, gone {found.recovered_s:.0f} s after the end"
    return Target(what, wanted, text, found.growth <= MAX_GROWTH)


def _starts(found: Starts | None) -> Iterator[Target]:
    first, publish = "first score after the process starts", "publish to a running worker"
    for what, most_s, seconds in (
        (first, MAX_START_S, found.first_score_s if found else []),
        (publish, MAX_PUBLISH_S, found.publish_s if found else []),
    ):
        wanted = f"at most {most_s:g} s"
        if not seconds:
            yield Target(what, wanted)
            continue
        middle = statistics.median(seconds)
        yield Target(what, wanted, f"{middle:.2f} s", middle <= most_s)
