"""``rtml service list`` and ``show``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.console import Output, OutputOption, err, out, print_json, print_rows, printable
from worker.cli.kafka_options import BrokersOption, settings_for
from worker.cli.service.options import IdArgument, with_journal

if TYPE_CHECKING:
    from worker.services.journal import Journal
    from worker.services.outcome import Outcome
    from worker.services.records import Status, Version
    from worker.settings import Settings


def list_services(
    location: Annotated[str | None, typer.Option(help="Default: all locations.")] = None,
    brokers: BrokersOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the services, and how their workers get on."""

    async def use(journal: Journal, _: Settings) -> tuple[list[Outcome], list[dict[str, Any]]]:
        from worker.services import deploy
        from worker.services.listing import described

        unreadable.update(journal.registry.unreadable)
        outcomes = deploy.listed(journal, location)
        return outcomes, [described(journal, outcome) for outcome in outcomes]

    unreadable: dict[str, str] = {}
    found, data = with_journal(settings_for(brokers), use)
    for key, why in unreadable.items():
        err.print(printable(f"warning: record '{key}' cannot be read: {why}"), style="yellow")
    if output is Output.JSON:
        print_json(data)
    elif not found:
        err.print("no services")
    else:
        print_rows(
            [
                (
                    outcome.service.id,
                    f"version {outcome.service.version}",
                    outcome.service.location,
                    _state(outcome),
                    f"{_time(outcome.service.updated_ms)} UTC",
                )
                for outcome in found
            ],
            ("bold", "", "cyan", "", "dim"),
        )


def _state(outcome: Outcome) -> str:
    states = [_told(status) for status in outcome.statuses]
    told = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    mark = "deprecated, " if outcome.service.deprecated else ""
    return mark + (told or ("no worker" if not outcome.workers else "no answer yet"))


def _told(status: Status) -> str:
    """The state; where an update failed or goes on, with the version that is served meanwhile."""
    if status.state in ("serving", "tripped", "paused") or status.serving is None:
        return status.state
    return f"{status.state} (version {status.serving} serving)"


def show(
    service_id: IdArgument, brokers: BrokersOption = None, output: OutputOption = Output.TABLE
) -> None:
    """Show a service, its versions and what each worker says."""

    async def use(journal: Journal, _: Settings) -> tuple[Outcome, list[Version], dict[str, Any]]:
        from worker.services import deploy
        from worker.services.listing import described

        outcome, versions = deploy.shown(journal, service_id)
        return outcome, versions, described(journal, outcome)

    outcome, versions, data = with_journal(settings_for(brokers), use)
    if output is Output.JSON:
        from worker.services.listing import version_described

        print_json(data | {"versions": [version_described(version) for version in versions]})
        return
    out.print(printable(outcome.service.id), style="bold")
    service = outcome.service
    facts = [
        ("name", service.name),
        ("location", f"{service.location} ({service.type})"),
        ("wanted", service.wanted + (", deprecated" if service.deprecated else "")),
        ("created", f"{_time(service.created_ms)} UTC"),
        ("scored at", outcome.url or "no worker serves it"),
    ]
    print_rows(facts, ("dim", ""), indent=2)
    print_rows(
        [
            (
                f"version {version.number}" + (" *" if version.number == service.version else ""),
                f"graph {version.digest[:12]}",
                ", ".join(f"{name}:{sha[:12]}" for name, sha in version.models.items()),
                f"{_time(version.created_ms)} UTC",
            )
            for version in versions
        ],
        ("", "", "cyan", "dim"),
        indent=2,
    )
    rows = [(one.worker, _told(one), one.reason) for one in outcome.statuses]
    if rows:
        print_rows(rows, ("", "green", "yellow"), indent=2)


def _time(epoch_ms: int) -> str:
    moment = datetime.datetime.fromtimestamp(epoch_ms / 1_000, tz=datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}"
