"""Every crash point, in both guarantees: a worker ends there, another one goes on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from faults.crashing import CODE, POINTS
from faults.finding import Finding
from faults.payload import check, events
from faults.stage import GUARANTEES, PATIENCE_S, Stage
from faults.start import CRASH_AT, CRASH_SKIP
from tests.kafka.amid import owned
from tests.kafka.client import Record
from tests.kafka.feeder import Feeder
from tests.kafka.service import Service
from tests.kafka.site import Site, variant
from tests.kafka.verdict import START_MS, Verdict
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

PER_S, LONGEST_S = 400, 600
BAD_EVERY = 50
TERMS = {"RTML_MAX_BATCH_EVENTS": "50"}
KNOWN = {"RTML_GROUP_INSTANCE_ID": "one"}
"""A member that is known by name takes its partitions back at once after a crash."""
REVOKE, SWAP = "in revoke", "in swap"
PASSED = {REVOKE: 0, SWAP: 0}
"""How often a point is passed before the worker ends there; others let a few batches through."""
QUICK = ("after flush", "before commit", "in dead letter", REVOKE, SWAP)


def run(stage: Stage) -> Iterator[Finding]:
    """All points with one guarantee, then with the other."""
    for guarantee in GUARANTEES:
        found = {}
        for point in QUICK if stage.quick else POINTS:
            stage.say(f"{guarantee}, {point}")
            found[point] = _crash(stage, guarantee, point)
        yield _told(guarantee, found)


def _told(guarantee: str, found: dict[str, Verdict]) -> Finding:
    exact = guarantee == "exactly_once"
    lost, twice = (sum(getattr(v, of) for v in found.values()) for of in ("lost", "duplicated"))
    wrong = sum(v.reordered + v.altered for v in found.values())
    each = ", ".join(f"{point} {v.duplicated}/{v.sent:,}" for point, v in found.items())
    return Finding(
        "crashes",
        f"{guarantee.replace('_', ' ')}, {len(found)} crash points under load, one event in "
        f"{BAD_EVERY} bad; another worker goes on",
        f"of {sum(v.sent for v in found.values()):,} events lost {lost}, duplicated {twice}, "
        f"reordered or altered {wrong}; duplicated by point: {each}",
        "lost 0" + (", duplicated 0" if exact else ""),
        not lost and not wrong and not (exact and twice),
    )


def _crash(stage: Stage, guarantee: str, point: str) -> Verdict:
    per_s = stage.pace(PER_S)
    service, sent = stage.service(guarantee=guarantee), _some_bad(events(per_s * LONGEST_S))
    with ExitStack() as stack:
        play = _Play(stage, service, point, stack)
        first = play.start(crash=True)
        with Feeder(stage.bootstrap, service.source, sent, per_s) as feed:
            if point in PASSED:
                until(partial(owned, first), PATIENCE_S)
                feed.wait_sent(feed.sent + per_s, PATIENCE_S)
            second = play.provoke()
            code = first.wait(PATIENCE_S)
            assert code == CODE, f"'{point}' was not reached: ended with {code}"
            second = second or play.start()
            until(partial(owned, second), PATIENCE_S)
            feed.stop()
        service.settled(timeout_s=PATIENCE_S)
    return check(sent[: feed.sent], service.scored(), service.dead_letters())


class _Play:
    """The workers of one crash: given a graph, or at a location where it is published."""

    def __init__(self, stage: Stage, service: Service, point: str, stack: ExitStack) -> None:
        self._service, self._point, self._stack = service, point, stack
        self._terms = {**stage.short_session, **TERMS}
        self._site: Site | None = None
        if point == SWAP:
            folder = Path(tempfile.mkdtemp(dir=stage.folder))
            self._site = stack.enter_context(Site(stage.bootstrap, folder))

    def start(self, *, crash: bool = False) -> Worker:
        """A worker that serves the graph, and may end at the point."""
        environment = self._terms if self._point == REVOKE else {**self._terms, **KNOWN}
        if crash:
            skip = str(PASSED.get(self._point, 5))
            environment = {**environment, CRASH_AT: self._point, CRASH_SKIP: skip}
        program = "faults.start" if crash else "worker"
        if self._site is None:
            worker = self._service.worker(environment=environment, program=program)
            return self._stack.enter_context(worker)
        worker = self._site.start(environment=environment, program=program)
        if crash:
            worker.wait_ready(PATIENCE_S)
            self._site.publish(self._service, PATIENCE_S)
        return worker

    def provoke(self) -> Worker | None:
        """Brings the first worker to its point where the load does not; who joined, if any did."""
        if self._site is not None:
            headless = {"topic": self._service.sink, "headers": False}
            self._site.update(self._service, variant(self._service, "new", sink=headless), wait_s=0)
        return self.start() if self._point == REVOKE else None


def _some_bad(good: list[Record]) -> list[Record]:
    """Every so many events, one that is no JSON."""
    sent = list(good)
    for at in range(BAD_EVERY, len(sent), BAD_EVERY):
        sent[at] = Record(b"no json %d" % at, sent[at].key, timestamp_ms=START_MS + at)
    return sent
