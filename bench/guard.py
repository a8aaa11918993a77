"""The guard: product against floor inside one run, where only the ratio can fail."""

from __future__ import annotations

from bench import load, sweep, topics
from bench.broker import FIRST_COMPILER, about, kafka
from bench.contenders import FLOOR, PRODUCT
from bench.options import Options, Sizes
from bench.report import Paces, Report, Round, machine
from bench.scores import CHECK_EVERY
from bench.session import Session
from bench.workloads import lr
from worker.settings import Settings

FULL, QUICK = Sizes(400_000, 5, 10), Sizes(100_000, 3, 5)
LATENCY_ROUNDS = 3


def measured(options: Options) -> Report:
    """Both throughputs, then both latencies.

    Raises:
        RuntimeError: a process ended, or its output is wrong.
        KafkaUnavailable: there is none.
    """
    sizes = options.sizes(FULL, QUICK)
    where, workload = machine(), lr(faulty=True)
    with kafka(options.brokers, FIRST_COMPILER) as brokers:
        session = Session(brokers, options.folder, workload, options.say)
        session.warm_up()
        rounds = [_round(session, i, sizes.events) for i in range(sizes.rounds)]
    with kafka(options.brokers) as brokers:
        session = Session(brokers, options.folder, workload, options.say)
        session.latency(FLOOR, sweep.WARM_UP_S)
        paces = [
            _paces(session, sizes.seconds) for _ in range(1 if options.quick else LATENCY_ROUNDS)
        ]
    setup = {"kafka": about(options.brokers), **_setup(workload.events(sizes.events))}
    return Report(where, setup, rounds, paces)


def _round(session: Session, i: int, events: int) -> Round:
    """Both on a new load; who is first alternates."""
    session.load(events)
    order = (PRODUCT, FLOOR) if i % 2 else (FLOOR, PRODUCT)
    done = {contender: session.throughput(contender) for contender in order}
    return Round(done[FLOOR], done[PRODUCT])


def _paces(session: Session, seconds: int) -> Paces:
    return Paces(session.latency(FLOOR, seconds), session.latency(PRODUCT, seconds))


def _setup(events: list[load.Event]) -> dict[str, str]:
    """What is measured, and the settings that both share."""
    settings = Settings()
    size = sum(len(event.value) for event in events) / len(events)
    bad = sum(load.is_bad(event.number) for event in events)
    return {
        "events": f"{len(events):,}, {size:.0f} bytes of JSON each, with key and traceparent;"
        f" {bad} of them broken",
        "clients": f"acks=all, idempotent, no compression, {topics.PARTITIONS} partitions, batches"
        f" of up to {settings.max_batch_events:,}, commits every {settings.commit_interval_ms} ms",
        "product": "schema check, logistic regression, score spliced in, lineage headers, metrics,"
        " dead letters",
        "checked": f"each event came out once; 1 in {CHECK_EVERY} scores is ONNX Runtime's own to"
        " the bit",
    }
