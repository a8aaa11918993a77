"""``rtml service``: graphs published to a location, and served by the workers there."""

from __future__ import annotations

import typer

from worker.cli.console import SERVICES
from worker.cli.service import change, publish, score, show


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    services = typer.Typer(
        help="Publish graphs to running workers.",
        epilog="Example: rtml service publish graphs/digits --location edge --create-topics",
        no_args_is_help=True,
    )
    for name, command, example in (
        ("publish", publish.publish, "publish graphs/digits --location edge --create-topics"),
        ("update", publish.update, "update digits-1a2b3c4d graphs/digits"),
        ("rollback", change.rollback, "rollback digits-1a2b3c4d --version 1"),
        ("list", show.list_services, "list --location edge"),
        ("show", show.show, "show digits-1a2b3c4d"),
        ("score", score.score, "score digits-1a2b3c4d event.json"),
        ("pause", change.pause, "pause digits-1a2b3c4d"),
        ("resume", change.resume, "resume digits-1a2b3c4d"),
        ("deprecate", change.deprecate, "deprecate digits-1a2b3c4d"),
        ("delete", change.delete, "delete digits-1a2b3c4d"),
    ):
        services.command(name, epilog=f"Example: rtml service {example}")(command)
    app.add_typer(services, name="service", rich_help_panel=SERVICES)
