"""`rtml model push`: a model into the store."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.cli.console import Output, OutputOption, err, out, print_json
from worker.cli.progress import Meter
from worker.cli.store_options import StoreOption, store_for
from worker.errors import ConfigError, Problem

EXAMPLE = "Example: rtml model push lr.onnx --name fraud --alias champion --metric auc=0.93"


def push(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An ONNX file, or an MLflow model folder.")
    ],
    name: Annotated[str, typer.Option(help="Of the model.")],
    version: Annotated[str | None, typer.Option(help="A label; default: the next number.")] = None,
    alias: Annotated[
        str | None, typer.Option(help="Make it point to this version, such as champion.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help="As measured; repeatable.")
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON Schema of the events it was trained on."),
    ] = None,
    coupled: Annotated[
        bool, typer.Option(help="An event's result may depend on the events beside it.")
    ] = False,
    store: StoreOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Inspect a model and keep it as a new version; a refused one leaves the store unchanged.

    The same bytes again are no new version.
    """
    from worker.models.store.names import wrong_push

    problems = wrong_push(name, version, alias)
    metrics = _metrics(metric or [], problems)
    trained_on = _schema(schema, problems)
    if problems:
        raise ConfigError(problems)
    found = store_for(store)
    with Meter(shown=True, noun="bytes") as meter:
        pushed = found.push(
            file,
            name,
            version=version,
            alias=alias,
            metrics=metrics,
            training_schema=trained_on,
            coupled=coupled,
            told=lambda done, total: meter.update(done, done / max(total, 1)),
        )
    entry = pushed.entry
    if not pushed.new and ((metrics and metrics != entry.metrics) or trained_on):
        err.print(f"note: {entry.model_id} keeps what was pushed with it before", style="yellow")
    if output is Output.JSON:
        print_json(entry.shown() | {"new": pushed.new})
        return
    known = "" if pushed.new else " (the store had it already)"
    out.print(f"{entry.model_id}{known}  {entry.size_bytes:,} bytes, sha256 {entry.sha256}")


def _metrics(given: list[str], problems: list[Problem]) -> dict[str, float]:
    found: dict[str, float] = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name or not math.isfinite(value):
            problems.append(Problem("--metric", f"{text!r} is no NAME=NUMBER, such as auc=0.93"))
        elif name in found:
            problems.append(Problem("--metric", f"'{name}' is given twice"))
        found[name] = value
    return found


def _schema(file: Path | None, problems: list[Problem]) -> dict[str, Any] | None:
    if file is None:
        return None
    from worker.graph.text import read
    from worker.schema import parse

    try:
        document = read(file)
        try:
            parse(document.data)
        except ConfigError as error:
            raise ConfigError(document.locate(problem) for problem in error.problems) from error
    except ConfigError as error:
        problems += error.problems
        return None
    found: dict[str, Any] = json.loads(json.dumps(document.data))
    return found
