"""The command `rtml`. One file per command; what they need is imported when they run."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, NoReturn

import typer

from worker import __version__
from worker.cli.console import ExitCode, err, print_problems, printable
from worker.errors import ConfigError, RtmlError, TransportError

COMMANDS = (
    *("demo", "check", "test", "score", "nodes", "draw", "schema"),
    *("run", "topics", "produce", "consume"),
    *("model", "service", "dataset"),
)
"""Modules of this folder in the order of the help; each has ``register(app)``."""

app = typer.Typer(
    name="rtml",
    help="Scores Kafka events in real time: a declared graph of nodes around ONNX models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its tracebacks print the values of variables: events
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name in COMMANDS:
    importlib.import_module(f"worker.cli.{_name}").register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rtml {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Options of `rtml` itself."""


def main() -> NoReturn:
    """Runs the command line; what is expected to go wrong ends with a message and an exit code."""
    try:
        app(prog_name="rtml")
        code = ExitCode.DONE
    except ConfigError as error:
        print_problems(error.problems)
        code = ExitCode.REFUSED
    except RtmlError as error:
        err.print(f"rtml: {printable(str(error))}", style="red")
        unreachable = isinstance(error, TransportError)
        code = ExitCode.UNREACHABLE if unreachable else ExitCode.REFUSED
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    sys.exit(code)
