"""What models, versions and aliases may be called, and how a graph names one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from worker.errors import Problem

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_FILE = ".onnx"


@dataclass(frozen=True, slots=True)
class Reference:
    """A model of the store.

    Attributes:
        name: of the model.
        revision: a version or an alias.
    """

    name: str
    revision: str

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}"


def is_reference(text: str) -> bool:
    """Whether a graph's ``model`` means the store; anything else is a file beside the graph."""
    return "@" in text and "/" not in text and not text.endswith(_FILE)


def parse(text: str) -> tuple[Reference, list[Problem]]:
    """``name@revision`` in its parts, and what is wrong with them."""
    name, _, revision = text.partition("@")
    problems = wrong("name", name, "model") + wrong("revision", revision, "version or alias")
    return Reference(name, revision), problems


def wrong(path: str, text: str, what: str) -> list[Problem]:
    """Why nothing can have this name: it is a part of paths and of references, so it is plain.

    Args:
        path: of the problem.
        text: the name.
        what: is to be named.
    """
    if not _NAME.fullmatch(text):
        rule = "1 to 128 letters, digits, '_', '-', '.', the first no '-' or '.'"
        return [Problem(path, f"{text[:200]!r} names no {what}: {rule}")]
    if text.endswith(_FILE):
        return [Problem(path, f"'{text}' names no {what}: '{_FILE}' ends the name of a file")]
    return []


def wrong_push(name: str, version: str | None, alias: str | None) -> list[Problem]:
    """Why nothing can be pushed under these names."""
    problems = wrong("--name", name, "model")
    problems += wrong("--version", version, "version") if version is not None else []
    return problems + (wrong("--alias", alias, "alias") if alias is not None else [])
