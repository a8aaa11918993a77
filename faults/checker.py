"""The checker itself: an honest worker passes, and each sabotaged one is caught by its counter."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from faults.crashing import CODE
from faults.finding import Finding, is_clean
from faults.payload import check, events
from faults.sabotage import WAYS, Way
from faults.stage import PATIENCE_S, Stage
from faults.start import CRASH_AT, CRASH_SKIP, SABOTAGE
from tests.kafka.client import Record, produce
from tests.kafka.metrics import total
from tests.kafka.verdict import Verdict
from tests.kafka.waiting import until
from tests.kafka.worker import Worker

AT_ONCE = 2
BATCHES = {"RTML_MAX_BATCH_EVENTS": "500", "RTML_GROUP_INSTANCE_ID": "one"}


def run(stage: Stage) -> Iterator[Finding]:
    """Every way of sabotage, and none."""
    sent = events(stage.size(5_000, 3_000))
    ways: dict[str, Way | None] = {"": None, **WAYS}
    stage.say(f"{len(ways)} workers")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = pool.map(lambda one: _outcome(stage, sent, *one), ways.items())
        found = dict(zip(ways, verdicts, strict=True))
    honest = found[""]
    caught = {name: getattr(found[name], way.betrayed_by) for name, way in WAYS.items()}
    told = ", ".join(f"{name}: {WAYS[name].betrayed_by} {n}" for name, n in caught.items())
    accused = int(not is_clean(honest))
    yield Finding(
        "checker",
        f"{len(WAYS)} sabotaged workers and an honest one, {len(sent):,} events each",
        f"caught {sum(map(bool, caught.values()))}/{len(WAYS)} ({told}); honest one accused: "
        f"{accused}/1",
        f"{len(WAYS)} caught, each by its own counter; 0 accused",
        all(caught.values()) and not accused,
    )


def _outcome(stage: Stage, sent: list[Record], name: str, way: Way | None) -> Verdict:
    service = stage.service(guarantee=way.guarantee if way else "at_least_once")
    produce(stage.bootstrap, service.source, sent)
    environment = {**BATCHES, SABOTAGE: name}
    if way and way.crash_at:
        crash = {CRASH_AT: way.crash_at, CRASH_SKIP: "2"}
        with service.worker(environment=environment | crash, program="faults.start") as worker:
            code = worker.wait(PATIENCE_S)
            assert code == CODE, f"ended with {code}, not at the crash point"
    with service.worker(environment=environment, program="faults.start") as worker:
        if way is None or way.commits:
            service.settled(timeout_s=PATIENCE_S)
        else:
            until(lambda: _scored(worker) >= len(sent), PATIENCE_S)
    return check(sent, service.scored())


def _scored(worker: Worker) -> float:
    """Events that a worker says it has scored; 0 while it does not listen yet."""
    try:
        return total(worker.get("/metrics")[1], "rtml_events_scored_total")
    except OSError:
        return 0.0
