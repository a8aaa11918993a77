"""`rtml dataset`: files of events checked, described, sent to a topic, and written from one."""

from __future__ import annotations

import typer

from worker.cli.console import DATA
from worker.cli.dataset.check import check
from worker.cli.dataset.export import export
from worker.cli.dataset.infer import infer
from worker.cli.dataset.ingest import ingest


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    group = typer.Typer(
        help="Data sets: files of events, checked and described, into topics and out of them.",
        epilog="Example: rtml dataset infer events.jsonl --out schema.json",
        no_args_is_help=True,
    )
    example = "Example: rtml dataset"
    group.command("infer", epilog=f"{example} infer events.jsonl --out schema.json")(infer)
    group.command("check", epilog=f"{example} check events.csv --schema schema.json")(check)
    group.command(
        "ingest", epilog=f"{example} ingest events.parquet tx --schema schema.json --key user.id"
    )(ingest)
    group.command("export", epilog=f"{example} export tx-scored --out scored.parquet")(export)
    app.add_typer(group, name="dataset", rich_help_panel=DATA)
