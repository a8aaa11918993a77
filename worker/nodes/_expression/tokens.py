"""An expression's text as tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_LENGTH = 4_000
"""Most characters an expression may have."""

KEYWORDS = frozenset({"and", "or", "not", "true", "false", "null"})

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | `(?P<quoted>[^`]+)`
      | (?P<name>[^\W\d]\w*(?:\.\w+)*)
      | (?P<sign>==|!=|<=|>=|[-+*/%<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BAD_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\[^\\'\"])", re.DOTALL)
_INSTEAD = {"=": "==", "&": "and", "|": "or", "!": "not", "^": "a product", "?": "if(c, a, b)"}


class ExpressionError(ValueError):
    """The expression is wrong; the message begins with the character's place, from 1."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(f"character {position + 1}: {message}")


class Sort(StrEnum):
    """What a token is."""

    NUMBER = "number"
    TEXT = "text"
    COLUMN = "column"
    NAME = "name"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token, its text without quotes, and where it begins."""

    sort: Sort
    text: str
    position: int


def tokens(expression: str) -> list[Token]:
    """The tokens in order, `Sort.END` last.

    Raises:
        ExpressionError: a character that begins none, or too many of them.
    """
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(MAX_LENGTH, f"longer than {MAX_LENGTH} characters; use several nodes")
    found: list[Token] = []
    position, end = 0, len(expression.rstrip())
    while position < end:
        match = _TOKEN.match(expression, position)
        if match is None:
            raise _unknown(expression, position)
        found.append(_token(match))
        position = match.end()
    return [*found, Token(Sort.END, "the end", end)]


def _token(match: re.Match[str]) -> Token:
    group = match.lastgroup or ""
    text, position = match[group], match.start(group)
    if group == "text":
        if (bad := _BAD_ESCAPE.search(text)) is not None:
            message = f"{bad[1]} is no escape; a backslash stands before quotes and backslashes"
            raise ExpressionError(position + bad.start(1), message)
        return Token(Sort.TEXT, _ESCAPE.sub(r"\1", text[1:-1]), position)
    if group == "quoted":
        return Token(Sort.COLUMN, text, position - 1)
    return Token(Sort(group), text, position)


def _unknown(expression: str, position: int) -> ExpressionError:
    position += len(expression[position:]) - len(expression[position:].lstrip())
    sign = expression[position]
    if sign in "'\"`":
        return ExpressionError(position, f"the {sign} has no end")
    hint = f"; write {_INSTEAD[sign]}" if sign in _INSTEAD else ""
    return ExpressionError(position, f"{sign!r} is not understood here{hint}")
