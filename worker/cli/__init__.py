"""The command `rtml`. One file per command; what they need is imported when they run."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, NoReturn

import typer

from worker import __version__
from worker.cli import streams
from worker.cli.console import ExitCode, err, print_problems, printable
from worker.cli.help import use_docstrings
from worker.cli.interrupt import noted
from worker.errors import ConfigError, RtmlError, TransportError

COMMANDS = (
    *("demo", "check", "test", "score", "explain", "tune", "nodes", "draw", "schema"),
    *("run", "topics", "produce", "consume", "dlq", "bench"),
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
use_docstrings(app)


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
    streams.prepare()
    with noted() as interrupts:
        try:
            code = _run()
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        except Exception as error:
            # A library that is being loaded turns Ctrl-C into an error of its own.
            told = ExitCode.INTERRUPTED if interrupts else _told(error)
            if told is None:
                raise
            code = told
        lost = streams.unwritten()
        if lost is not None:
            code = _told(lost) or code
    # Where Ctrl-C came within an `exec` (a dataclass is made by one), CPython 3.11 notes that it
    # shall end by the signal, though it was caught. The next one to succeed unsets that.
    exec("")
    sys.exit(code)


def _run() -> int:
    try:
        app(prog_name="rtml")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else ExitCode.DONE
    return ExitCode.DONE


def _told(error: Exception) -> ExitCode | None:
    """Says what went wrong; None where nobody expected it."""
    try:
        return _tell(error)
    except OSError:  # stderr cannot take it either
        return ExitCode.REFUSED


def _tell(error: Exception) -> ExitCode | None:
    if isinstance(error, ConfigError):
        for warning in error.warnings:
            err.print(f"warning: {printable(warning)}", style="yellow")
        print_problems(error.problems)
        return ExitCode.REFUSED
    if isinstance(error, RtmlError):
        err.print(f"rtml: {printable(str(error))}", style="red")
        unreachable = isinstance(error, TransportError)
        return ExitCode.UNREACHABLE if unreachable else ExitCode.REFUSED
    if isinstance(error, OSError) and streams.is_full(error):
        streams.unwritten()
        err.print(f"rtml: output cannot be written: {error.strerror}", style="red")
        return ExitCode.REFUSED
    return None
