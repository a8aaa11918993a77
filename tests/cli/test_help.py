"""``--help`` of every command: an example, a usage to copy, text that fits the terminal."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator

import click
import pytest
import typer
from typer.testing import CliRunner

from worker.cli import app
from worker.cli.help import as_paragraphs

WIDTH = 80


def commands(of: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """The words behind ``rtml`` of every command below this one."""
    inner: dict[str, click.Command] = getattr(of, "commands", {})
    if not inner:
        yield path
    for name, command in inner.items():
        yield from commands(command, *path, name)


EVERY = list(commands(typer.main.get_command(app)))


@functools.cache
def help_of(words: tuple[str, ...]) -> str:
    """What ``--help`` prints on a narrow terminal."""
    done = CliRunner(env={"COLUMNS": str(WIDTH)}).invoke(app, [*words, "--help"])
    assert done.exit_code == 0
    return done.output


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_has_help_with_an_example(words: tuple[str, ...]) -> None:
    """Whatever ``rtml`` can do shows how it is called; what is to be filled in is in capitals."""
    shown = help_of(words)
    usage = next(line for line in shown.splitlines() if "Usage:" in line)

    assert f"Example: rtml {' '.join(words)}" in shown
    assert "[[" not in usage
    assert re.findall(r"[a-z]+", usage.split(words[-1], 1)[1]) == []


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_fills_its_lines(words: tuple[str, ...]) -> None:
    """A line ends where the next word would not fit, not where the docstring's line did."""
    shown = help_of(words).split("╭")[0].split("Usage:")[1]
    lines = [line.strip() for line in shown.splitlines()]
    early = [
        line
        for line, after in itertools.pairwise(lines)
        if line and after and len(f"{line} {after.split()[0]}") <= WIDTH - 2
    ]

    assert early == []
    assert "``" not in shown


def test_paragraphs_stay_apart() -> None:
    """The lines of a paragraph become one; an empty line still parts two of them."""
    assert as_paragraphs("\nOne\n  two.\n\nThree: ``x``\nfour.\n") == "One two.\n\nThree: `x` four."
