"""A published service that gets another model, and back, while events flow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from faults.finding import Finding, counts, is_clean
from faults.payload import check, events
from faults.stage import GUARANTEES, PATIENCE_S, Stage
from tests.kafka.feeder import Feeder
from tests.kafka.service import MODEL
from tests.kafka.site import Site, other_model, with_model

PER_S, UPDATE_S = 1_000, 2


def run(stage: Stage) -> Iterator[Finding]:
    """One service for each guarantee."""
    for guarantee in GUARANTEES:
        yield _swapped(stage, guarantee, stage.size(10, 2))


def _swapped(stage: Stage, guarantee: str, updates: int) -> Finding:
    per_s = stage.pace(PER_S)
    service, sent = stage.service(guarantee=guarantee), events(per_s * UPDATE_S * (updates + 1))
    folder = Path(tempfile.mkdtemp(dir=stage.folder))
    model = other_model(folder)
    within, problems = 0, []
    with Site(stage.bootstrap, folder) as site:
        site.start().wait_ready(PATIENCE_S)
        problems.append(site.publish(service, PATIENCE_S).problem)
        graphs = (with_model(service, model), service.graph)
        with Feeder(stage.bootstrap, service.source, sent, per_s) as feed:
            for count in range(updates):
                stage.say(f"{guarantee}, {count} of {updates} updates")
                feed.wait_sent((count + 1) * len(sent) // (updates + 1), PATIENCE_S)
                problems.append(site.update(service, graphs[count % 2], PATIENCE_S).problem)
                within += feed.sent < len(sent)
        service.settled(timeout_s=PATIENCE_S)
    scored = service.scored()
    verdict = check(sent, scored, models=[MODEL, model])
    stamps = {one.header("rtml-model") for one in scored}
    failed = sum(map(bool, problems))
    return Finding(
        "swaps",
        f"{guarantee.replace('_', ' ')}, {per_s:,} events/s, {updates} updates to another model "
        f"and back, {within} of them under load",
        f"{counts(verdict)}, scored by another model than the stamped one among the altered; "
        f"models stamped {len(stamps)}, updates failed {failed}/{updates}",
        "lost 0, duplicated 0, altered 0, 2 models stamped, updates failed 0",
        is_clean(verdict) and len(stamps) == 2 and not failed and within > 0,
    )
