"""Contenders under several conditions, in rounds, so that noise meets all of them alike."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.broker import FIRST_COMPILER, kafka
from bench.contenders import FLOOR, PRODUCT, Contender
from bench.options import Options, Sizes
from bench.peers.environments import PeerUnavailable
from bench.results import Point, Row
from bench.session import Session
from bench.topics import PARTITIONS
from bench.workloads import Workload

WARM_UP_S = 40
"""Of latencies: for so long the second compiler takes most of one of two cores. With 10 s the first
contender had a p50 of 465 ms, and the same one 4 ms later on."""


@dataclass(slots=True)
class Case:
    """One condition, with the rows that its rounds fill."""

    at: str | int
    workload: Workload
    contenders: Sequence[Contender] = (FLOOR, PRODUCT)
    partitions: int = PARTITIONS
    rows: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.keep(())

    def keep(self, only: Sequence[str]) -> None:
        """Drops contenders that are not named; none if no name is given."""
        self.contenders = [one for one in self.contenders if not only or one.name in only]
        self.rows = [Row(one.name, one.title) for one in self.contenders]

    @property
    def point(self) -> Point:
        """What was found."""
        return Point(self.at, self.workload.about, self.rows)


def throughput(options: Options, sizes: Sizes, cases: Sequence[Case]) -> list[Point]:
    """Every contender of every case, ``sizes.rounds`` times.

    One that fails says so in its row and the others go on; the product and the floor may not fail.

    Raises:
        RuntimeError: the process of one of those ended, or its output is wrong.
        KafkaUnavailable: there is none.
    """
    with kafka(options.brokers, FIRST_COMPILER) as brokers:
        sessions = [
            Session(brokers, options.folder, case.workload, options.say, case.partitions)
            for case in cases
        ]
        sessions[0].warm_up()
        for i in range(sizes.rounds):
            for case, session in zip(cases, sessions, strict=True):
                _round(case, session, sizes.events, backwards=i % 2 == 1)
    return [case.point for case in cases]


def latencies(options: Options, case: Case, rate: int, seconds: int) -> None:
    """Of each contender at one rate, into its row; those that cannot keep up say so."""
    with kafka(options.brokers) as brokers:
        session = Session(brokers, options.folder, case.workload, options.say)
        session.latency(FLOOR, WARM_UP_S, rate)
        for contender, row in zip(case.contenders, case.rows, strict=True):
            if not row.note:
                latency(session, contender, row, rate, seconds)


def latency(session: Session, contender: Contender, row: Row, rate: int, seconds: int) -> None:
    """One latency into its row, or why there is none."""
    try:
        row.latency = session.latency(contender, seconds, rate)
    except (RuntimeError, PeerUnavailable) as error:
        row.note = f"at {rate:,} events/s: {_reason(error)}"


def _round(case: Case, session: Session, events: int, backwards: bool) -> None:
    """Each contender once; those with the same share of the events read the same load."""
    pairs = sorted(zip(case.contenders, case.rows, strict=True), key=lambda pair: -pair[0].share)
    for share, group in itertools.groupby(pairs, lambda pair: pair[0].share):
        session.load(int(events * share))
        same = list(group)
        for contender, row in reversed(same) if backwards else same:
            _run(session, contender, row)


def _run(session: Session, contender: Contender, row: Row) -> None:
    try:
        row.runs.append(session.throughput(contender))
    except (RuntimeError, PeerUnavailable) as error:
        if contender.name in (FLOOR.name, PRODUCT.name):
            raise
        row.runs.append(None)
        row.note = _reason(error)


def _reason(error: Exception) -> str:
    """Its first line, as a row of a table has no room for more."""
    words = "not run: " if isinstance(error, PeerUnavailable) else ""
    return words + str(error).splitlines()[0]
