"""Graph files and cases as data: YAML 1.2's plain rules, and JSON, with line numbers.

PyYAML follows YAML 1.1, where ``no`` is False, ``1e-3`` is text and ``12:30`` is 750; here words
mean what they mean in JSON. Anchors, aliases, tags and duplicate keys are refused.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml
from yaml.parser import ParserError
from yaml.scanner import ScannerError

from worker.errors import ConfigError, Problem
from worker.files import open_file

MAX_TEXT_LENGTH = 4_000_000
MAX_DEPTH = 64
_TOO_LONG = f"is longer than {MAX_TEXT_LENGTH} characters"

_PLAIN = {
    "tag:yaml.org,2002:bool": (r"true|false", "tf"),
    "tag:yaml.org,2002:null": (r"null|~|", ["n", "~", ""]),
    "tag:yaml.org,2002:int": (r"-?(0|[1-9][0-9]*)", "-0123456789"),
    "tag:yaml.org,2002:float": (
        r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?",
        "-0123456789",
    ),
}

# Where JSON is no YAML: tabs between tokens, and characters that YAML refuses or takes for the end
# of a line; in JSON these can only stand inside text.
_JSON = str.maketrans(
    {"\t": " ", "\x7f": r"\u007f", "\x85": r"\u0085", "\u2028": r"\u2028", "\u2029": r"\u2029"}
)


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's words, without anchors, aliases and tags, and not too deep."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's name
    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refused("anchors and aliases are not supported; write it out", event)
        if event.tag is not None:
            raise _refused("tags are not supported; quote what is text", event)
        if self._depth > MAX_DEPTH:
            raise _refused(f"nested deeper than {MAX_DEPTH}", event)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _refused(problem: str, place: Any) -> yaml.MarkedYAMLError:
    """The error for an event or a node of the text."""
    return yaml.MarkedYAMLError(None, None, problem, place.start_mark)


for _tag, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})\\Z"), list(_first))


class Document:
    """Parsed text, and where each of its paths stands.

    Attributes:
        data: dicts, lists and scalars.
        file: name for messages.
    """

    def __init__(self, text: str, file: str) -> None:
        """Parses YAML or JSON.

        Raises:
            ConfigError: what is malformed or not allowed, with its line.
        """
        self.file = file
        self._lines: dict[str, int] = {}
        if len(text) > MAX_TEXT_LENGTH:
            raise ConfigError(Problem("", _TOO_LONG, file))
        if text.lstrip()[:1] == "{":
            text = text.translate(_JSON)
        try:
            self.data: Any = self._parsed(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = None if mark is None else mark.line + 1
            message = error.problem or str(error)
            if mark is not None and isinstance(error, (ParserError, ScannerError)):
                message += f", in column {mark.column + 1}"
            raise ConfigError(Problem("", message, file, line)) from error
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise ConfigError(Problem("", str(error).partition("\n")[0], file)) from error

    def locate(self, problem: Problem) -> Problem:
        """The problem with this file and the line of its path, or of the nearest one above it."""
        path = problem.path
        while path and path not in self._lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return Problem(problem.path, problem.message, self.file, self._lines.get(path))

    def _parsed(self, text: str) -> Any:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            return None if root is None else self._value(loader, root, "")
        finally:
            loader.dispose()

    def _value(self, loader: _Loader, node: Any, path: str) -> Any:
        self._lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, item, f"{path}[{i}]") for i, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            value = loader.construct_object(node)
            if isinstance(value, float) and not math.isfinite(value):
                raise _refused("a number that no float can hold", node)
            return _unescaped(value, node) if isinstance(value, str) else value
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused("a key must be a word", key_node)
            # Keys are text, as in JSON: ``0: zero`` has the key "0".
            key = _unescaped(key_node.value, key_node)
            if key in found:
                raise _refused(f"duplicate key '{key}'", key_node)
            below = f"{path}.{key}" if path else key
            found[key] = self._value(loader, value_node, below)
            self._lines[below] = key_node.start_mark.line + 1
        return found


def _unescaped(text: str, node: Any) -> str:
    """The text with JSON's pairs of escaped surrogates joined, which YAML does not know."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise _refused("half of a surrogate pair stands alone", node) from error


def read(path: Path) -> Document:
    """The file's document.

    Raises:
        ConfigError: it cannot be read, is no UTF-8 text, or is malformed.
    """
    try:
        with open_file(path) as file:
            content = file.read(MAX_TEXT_LENGTH + 1)
        if len(content) > MAX_TEXT_LENGTH:
            raise ConfigError(Problem("", _TOO_LONG, str(path)))
        return Document(content.decode("utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ConfigError(Problem("", f"cannot be read: {reason}", str(path))) from error
