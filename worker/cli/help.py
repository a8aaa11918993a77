"""What ``--help`` says of a command: its docstring, made up for people."""

from __future__ import annotations

import inspect

import typer


def use_docstrings(app: typer.Typer) -> None:
    """Gives every command, in groups as well, the text of its docstring as paragraphs.

    Typer keeps the lines of all paragraphs but the first, whatever the terminal's width.
    """
    for command in app.registered_commands:
        command.help = as_paragraphs(command.help or inspect.getdoc(command.callback) or "")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            use_docstrings(group.typer_instance)


def as_paragraphs(text: str) -> str:
    """Each paragraph on one line; code in single quotes of its kind, as in every message."""
    joined = (" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
    return "\n\n".join(joined).replace("``", "`")
