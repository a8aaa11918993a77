"""`rtml draw`: a picture of a graph."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.console import WRITE, write_text
from worker.cli.files import refuse_overwriting
from worker.cli.loading import GraphArgument, Loaded, load_graph
from worker.errors import ConfigError, Problem

_MAX_PLACES = 10_000
"""Layers that arrows pass, all together: 3 s to place them, and nobody could follow more."""


class Format(StrEnum):
    """Of the picture."""

    SVG = "svg"
    MERMAID = "mermaid"


_FORMATS = {".svg": Format.SVG, ".mmd": Format.MERMAID, ".mermaid": Format.MERMAID}


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

    chosen = format_ or _format_of(file)
    loaded = load_graph(graph)
    refuse_overwriting((file,), loaded.files)
    plan = loaded.plan
    if chosen is Format.SVG:
        _refuse_dense(loaded)
    write_text(svg(plan) if chosen is Format.SVG else mermaid(plan), file)


def _refuse_dense(loaded: Loaded) -> None:
    """Refuses a picture that would take minutes.

    Raises:
        ConfigError: too many arrows.
    """
    from worker.graph.draw import boxes, edges
    from worker.graph.layout import places

    arrows = edges(loaded.plan)
    if places([box.key for box in boxes(loaded.plan)], arrows) > _MAX_PLACES:
        message = f"has {len(arrows):,} arrows, more than a picture can show so that they can be "
        message += "followed; --format mermaid writes them as text, or draw a part of the graph"
        raise ConfigError(Problem("", message, str(loaded.path)))


def _format_of(file: Path | None) -> Format:
    """The format that a file's name tells; SVG where it tells none.

    Raises:
        ConfigError: a name of another kind of file.
    """
    if file is None or not file.suffix:
        return Format.SVG
    if file.suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        message = f"the name tells no format that can be written: {known}; or give --format"
        raise ConfigError(Problem("--out", message, str(file)))
    return _FORMATS[file.suffix.lower()]
