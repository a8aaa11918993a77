"""A network that is slow, resets, goes silent, or is gone, between workers and broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from faults.finding import Finding, counts
from faults.payload import check, events
from faults.stage import GUARANTEES, PARTITIONS, PATIENCE_S, Stage, hold_until, stretched
from faults.wire import Wire
from tests.broker import Listener
from tests.kafka.client import Record
from tests.kafka.feeder import Feeder
from tests.kafka.reading import Reader
from tests.kafka.service import Service
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

PER_S, LONGEST_S = 200, 1_200
DELAY_S, DRIP_BYTES_PER_S, RESET_EVERY_S = 0.05, 40_000, 1.0
BACK_S = 30.0
"""A connection that owes an answer is found dead after some 8 s where new ones are answered; a
request's own time is 40 s."""
PASSED_S = {"half-open": 2.0}
"""After which what was written before a fault that takes no time has been read: it is no answer."""
WINDOW = 6 * 2_048


@dataclass(slots=True)
class _Served:
    """One guarantee's service, reached through the wire."""

    guarantee: str
    service: Service
    worker: Worker
    feed: Feeder
    reader: Reader
    sent: list[Record]
    back_s: dict[str, float] = field(default_factory=dict)


def run(stage: Stage) -> Iterator[Finding]:
    """One fault after the other, for both guarantees at once."""
    wire, seconds = Wire(), stage.size(12, 4)
    with stage.own_kafka([Listener("PROXIED", advertised_port=wire.port)]) as kafka, wire:
        wire.start(kafka.address("PROXIED"))
        with ExitStack() as stack:
            served = [_serve(stage, kafka.bootstrap, wire, one, stack) for one in GUARANTEES]
            for name, play in FAULTS.items():
                stage.say(name)
                play(wire, seconds)
                _await_output(name, served)
            for one in served:
                one.feed.stop()
                one.service.settled(timeout_s=PATIENCE_S)
            yield from [_told(one, seconds) for one in served]


def _serve(stage: Stage, bootstrap: str, wire: Wire, guarantee: str, stack: ExitStack) -> _Served:
    per_s = stage.pace(PER_S)
    service, sent = stage.service(bootstrap, guarantee=guarantee), events(per_s * LONGEST_S)
    worker = stack.enter_context(
        service.worker(environment=stage.short_session, bootstrap=wire.address)
    )
    worker.wait_ready(PATIENCE_S)
    feed = stack.enter_context(Feeder(bootstrap, service.source, sent, per_s))
    stack.callback(feed.stop)
    reader = stack.enter_context(Reader(bootstrap, service.sink, PARTITIONS))
    until(lambda: reader.seen, PATIENCE_S)
    return _Served(guarantee, service, worker, feed, reader, sent)


def _await_output(name: str, served: list[_Served]) -> None:
    """How long after the end of a fault the next output comes."""
    ended_s = time.monotonic()
    since_s = ended_s + PASSED_S.get(name, 0.0)
    for one in served:
        until(lambda one=one: one.reader.seen_s[-1] > since_s, PATIENCE_S)  # type: ignore[misc]
        after = (at_s for at_s in one.reader.seen_s if at_s > since_s)
        one.back_s[name] = next(after) - ended_s


def _late(wire: Wire, seconds: float) -> None:
    wire.delay_s = DELAY_S
    hold_until(time.monotonic() + seconds)
    wire.delay_s = 0.0


def _drip(wire: Wire, seconds: float) -> None:
    wire.bytes_per_s = DRIP_BYTES_PER_S
    hold_until(time.monotonic() + seconds)
    wire.bytes_per_s = None


def _resets(wire: Wire, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        wire.reset()
        hold_until(time.monotonic() + RESET_EVERY_S)


def _half_open(wire: Wire, _: float) -> None:
    wire.orphan()


def _black_hole(wire: Wire, seconds: float) -> None:
    wire.hold()
    hold_until(time.monotonic() + seconds)
    wire.release()


FAULTS: dict[str, Callable[[Wire, float], None]] = {
    "latency": _late,
    "drip": _drip,
    "resets": _resets,
    "black hole": _black_hole,
    "half-open": _half_open,
}


def _told(one: _Served, seconds: float) -> Finding:
    exact = one.guarantee == "exactly_once"
    code = one.worker.terminate()
    verdict = check(one.sent[: one.feed.sent], one.service.scored())
    bound = 0 if exact else len(FAULTS) * WINDOW
    most_s, told = stretched(BACK_S)
    back = ", ".join(f"{name} {back_s:.1f} s" for name, back_s in one.back_s.items())
    return Finding(
        "network",
        f"{one.guarantee.replace('_', ' ')}, {one.feed.per_s} events/s through a TCP proxy, "
        f"{seconds} s each: {DELAY_S * 1_000:g} ms later either way, {DRIP_BYTES_PER_S // 1_000} "
        f"kB/s, resets every {RESET_EVERY_S:g} s, nothing passes; then connections whose other end "
        "is gone",
        f"{counts(verdict)}, exit {code}, first output after the fault: {back}",
        f"lost 0, {'duplicated 0, ' if exact else ''}exit 0, first output <= {told}",
        (verdict.lost, verdict.reordered, verdict.altered, code) == (0, 0, 0, 0)
        and verdict.duplicated <= bound
        and max(one.back_s.values()) <= most_s,
    )
