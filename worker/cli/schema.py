"""`rtml schema`: the JSON Schema of the graph file, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.console import WRITE, write_text
from worker.errors import ConfigError, Problem


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
    from worker.graph.json_schema import IDENTIFIER, graph_schema
    from worker.nodes.registry import kinds

    if file is not None and file.is_file() and not _is_empty_or_has(file, IDENTIFIER.encode()):
        message = "is there already and is no JSON Schema of graphs; name another file"
        raise ConfigError(Problem("", message, str(file)))
    write_text(json.dumps(graph_schema(kinds()), indent=2, ensure_ascii=False) + "\n", file)


def _is_empty_or_has(file: Path, content: bytes) -> bool:
    """Whether nothing is lost where it is replaced by another of its kind."""
    try:
        found = file.read_bytes()
    except OSError:
        return True  # that it cannot be written either is told when it is tried
    return not found or content in found
