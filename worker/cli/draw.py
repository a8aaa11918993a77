"""`rtml draw`: a picture of a graph."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.console import WRITE, write_text
from worker.cli.files import refuse_overwriting
from worker.cli.loading import GraphArgument, load_graph

_MERMAID_SUFFIXES = frozenset({".mmd", ".mermaid"})


class Format(StrEnum):
    """Of the picture."""

    SVG = "svg"
    MERMAID = "mermaid"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "draw",
        rich_help_panel=WRITE,
        epilog="Example: rtml draw graphs/car-insurance --out car-insurance.svg",
    )(draw)


def draw(
    graph: GraphArgument,
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="SVG for browsers, Mermaid for Markdown; by FILE's name."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; default: stdout.")
    ] = None,
) -> None:
    """Draw the graph: topics, nodes and dead letters."""
    from worker.graph.draw import mermaid
    from worker.graph.svg import svg

    if format_ is None:
        format_ = Format.MERMAID if file and file.suffix in _MERMAID_SUFFIXES else Format.SVG
    loaded = load_graph(graph)
    refuse_overwriting((file,), loaded.files)
    plan = loaded.plan
    write_text(svg(plan) if format_ is Format.SVG else mermaid(plan), file)
