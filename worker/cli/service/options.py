"""What the commands of ``rtml service`` share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from worker.cli.console import ExitCode, Output, count, err, out, print_json, printable
from worker.cli.kafka_options import Waiting

if TYPE_CHECKING:
    from worker.services.journal import Journal
    from worker.services.outcome import Outcome
    from worker.settings import Settings

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Of the service; see the list.")]
WaitServedOption = Annotated[
    float, typer.Option("--wait", min=0, metavar="SECONDS", help="For the workers to be done.")
]
NoWaitOption = Annotated[
    bool, typer.Option("--no-wait", help="Write it down; do not wait for the workers.")
]
WAIT_SERVED_S = 60.0
REACH_S = 10.0

T = TypeVar("T")
Told = tuple["Outcome", dict[str, Any]]
"""How the workers took a change, and the service as data."""


def changed(settings: Settings, use: Callable[[Journal, Settings], Awaitable[Outcome]]) -> Told:
    """Runs a change, and describes the service after it; raises as `with_journal`."""

    async def run(journal: Journal, settings: Settings) -> Told:
        from worker.services.listing import described

        with err.status("waiting for the workers"):
            outcome = await use(journal, settings)
        return outcome, described(journal, outcome)

    return with_journal(settings, run)


def with_journal(settings: Settings, use: Callable[[Journal, Settings], Awaitable[T]]) -> T:
    """Runs ``use`` with the topics of the services opened and read.

    Raises:
        TransportError: Kafka is not reached, or refuses.
    """
    from worker.services.journal import Journal

    async def run() -> T:
        async with Journal(settings, REACH_S, Waiting()) as journal:
            return await use(journal, settings)

    return asyncio.run(run())


def wait_of(wait: float, *, no_wait: bool) -> float:
    """The seconds to wait for the workers."""
    return 0.0 if no_wait else wait


def tell(told: Told, done: str, output: Output, *, no_wait: bool) -> None:
    """Prints how the workers took a change.

    Raises:
        Exit: 1 where it is not done, unless nobody waits for that.
    """
    outcome, data = told
    if output is Output.JSON:
        print_json(data)
    else:
        version = f" version {outcome.service.version}" if outcome.service.version else ""
        out.print(printable(f"{outcome.service.id}{version}"), style="bold")
    if outcome.reached:
        if done == "served" and outcome.service.wanted == "paused":
            done = "paused"
        n = len(outcome.workers)
        who = f"by {count(n, 'worker')}" if n else "already, for no worker is there"
        err.print(f"{done} {who}", style="green")
        return
    err.print(printable(outcome.problem), style="yellow" if no_wait else "red")
    if not no_wait:
        raise typer.Exit(ExitCode.NO)
