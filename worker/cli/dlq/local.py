"""`rtml dlq replay --graph`: what dead letters would become, scored here; nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from worker.cli.console import ExitCode, Output, write_bytes
from worker.cli.consume import json_of
from worker.cli.dlq.options import opened
from worker.cli.interrupt import like_ctrl_c
from worker.cli.kafka_options import Waiting
from worker.cli.loading import load_graph
from worker.cli.tally import Tally
from worker.codec.outcome import Drop, Scored
from worker.errors import Fault, Stage

if TYPE_CHECKING:
    from worker.graph.plan import Plan
    from worker.settings import Settings
    from worker.stream.tools.letters import Letter, Wanted

_BATCH = 256
Outcome = Scored | Drop | Fault


def score_here(
    graph: Path,
    settings: Settings,
    topic: str,
    wanted: Wanted,
    most: int | None,
    wait_s: float,
    output: Output,
) -> None:
    """Prints the scored values, a line each; as JSON an object for each letter.

    Raises:
        Exit: letters would be rejected again.
    """
    from worker.cli.progress import Meter

    plan = load_graph(graph).plan
    tally = Tally("letter")
    with like_ctrl_c(), Meter(shown=output is Output.JSON, noun="letters") as meter:
        box = opened(settings, topic, wait_s, Waiting())
        letters = islice(box.letters(wanted, meter.update), most)
        while batch := list(islice(letters, _BATCH)):
            lines = list(_lines(plan, batch, tally, output))
            write_bytes(b"".join(lines))
    tally.print(with_examples=output is not Output.JSON)
    if tally.rejected:
        raise typer.Exit(ExitCode.NO)


def _lines(plan: Plan, batch: list[Letter], tally: Tally, output: Output) -> Iterator[bytes]:
    from worker.score import score

    outcomes: Iterable[Outcome] = score(plan, [letter.record.value for letter in batch])
    for letter, found in zip(batch, outcomes, strict=True):
        outcome = found
        if letter.elsewhere:  # a null that nobody sent
            outcome = Fault(0, Stage.DECODE, letter.text("error"), letter.elsewhere)
        tally.add(letter.id, outcome)
        if output is Output.JSON:
            yield _described(letter, outcome)
        elif isinstance(outcome, Scored):
            yield outcome.value + b"\n"


def _described(letter: Letter, outcome: Outcome) -> bytes:
    about: dict[str, Any] = {"letter": letter.id, "was": letter.text("error") or None}
    if isinstance(outcome, Scored):
        about |= {"outcome": "scored", "topic": outcome.topic}
        opened = json.dumps(about, ensure_ascii=False).removesuffix("}").encode()
        return opened + b', "value": ' + json_of(outcome.value) + b"}\n"
    if isinstance(outcome, Drop):
        about |= {"outcome": "dropped", "reason": outcome.reason, "node": outcome.node}
    else:
        about |= {"outcome": "rejected", "stage": outcome.stage, "node": outcome.node}
        about |= {"error": outcome.error, "message": outcome.message}
    return json.dumps(about, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
