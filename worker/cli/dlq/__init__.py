"""`rtml dlq`: dead letters, and the way back for them."""

from __future__ import annotations

import typer

from worker.cli.console import KAFKA
from worker.cli.dlq.listing import list_letters
from worker.cli.dlq.replay import replay
from worker.cli.dlq.show import show


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    group = typer.Typer(
        help="Look at dead letters, and send them back.",
        epilog="Example: rtml dlq list web-events-dlq --error RangeError --since 2h",
        no_args_is_help=True,
    )
    example = "Example: rtml dlq"
    group.command("list", epilog=f"{example} list web-events-dlq --error RangeError --since 2h")(
        list_letters
    )
    group.command("show", epilog=f"{example} show web-events-dlq-0-17")(show)
    group.command("replay", epilog=f"{example} replay web-events-dlq --node score --dry-run")(
        replay
    )
    app.add_typer(group, name="dlq", rich_help_panel=KAFKA)
