"""`rtml schema`: the JSON Schema of the graph file, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.console import WRITE, write_text


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "schema", rich_help_panel=WRITE, epilog="Example: rtml schema --out graphs/rtml.schema.json"
    )(schema)


def schema(
    file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; default: stdout.")
    ] = None,
) -> None:
    """Print the JSON Schema of the graph file, with the params of every node kind.

    Editors read it where a graph begins with "# yaml-language-server: $schema=rtml.schema.json".
    """
    from worker.graph.json_schema import graph_schema
    from worker.nodes.registry import kinds

    write_text(json.dumps(graph_schema(kinds()), indent=2, ensure_ascii=False) + "\n", file)
