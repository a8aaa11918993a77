"""Tokens as a tree, by recursive descent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from worker.nodes._expression.tokens import KEYWORDS, ExpressionError, Sort, Token, tokens

MAX_NESTING = 32
"""How deep brackets, functions and signs before an operand may be nested."""

MAX_DEPTH = 200
"""How deep the tree may be; a chain of operators is as deep as it is long."""

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_INT64_MAX = 2**63 - 1
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, true, false or null."""

    position: int
    value: float | int | str | bool | None
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    """A column."""

    position: int
    column: str
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator or a function and what it is applied to; ``neg`` is the minus before a number."""

    position: int
    name: str
    of: tuple[Tree, ...]
    depth: int


Tree = Constant | Name | Apply


def parse(expression: str) -> Tree:
    """The tree of an expression.

    Raises:
        ExpressionError: it breaks off or goes on where it must not, or is too deep.
    """
    return _Parser(tokens(expression)).whole()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._nesting = 0

    def whole(self) -> Tree:
        tree = self._or()
        if self._next.sort is not Sort.END:
            raise self._unexpected("an operator or the end")
        return tree

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> Token | None:
        """The next token, passed, if it is one of these signs or words."""
        token = self._next
        if token.sort in (Sort.SIGN, Sort.NAME) and token.text in texts:
            self._at += 1
            return token
        return None

    def _unexpected(self, wanted: str) -> ExpressionError:
        token = self._next
        found = token.text if token.sort is Sort.END else repr(token.text)
        return ExpressionError(token.position, f"{found} where {wanted} was expected")

    def _or(self) -> Tree:
        return self._chain(self._and, "or")

    def _and(self) -> Tree:
        return self._chain(self._not, "and")

    def _not(self) -> Tree:
        token = self._take("not")
        return self._before(token, "not", self._not) if token else self._comparison()

    def _comparison(self) -> Tree:
        left = self._sum()
        token = self._take(*COMPARISONS)
        if token is None:
            return left
        tree = _apply(token, token.text, left, self._sum())
        if self._next.sort is Sort.SIGN and self._next.text in COMPARISONS:
            message = "comparisons are not chained; write a < b and b < c"
            raise ExpressionError(self._next.position, message)
        return tree

    def _sum(self) -> Tree:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Tree:
        return self._chain(self._unary, "*", "/", "%")

    def _unary(self) -> Tree:
        token = self._take("-")
        return self._before(token, "neg", self._unary) if token else self._primary()

    def _chain(self, operand: Callable[[], Tree], *operators: str) -> Tree:
        tree = operand()
        while token := self._take(*operators):
            tree = _apply(token, token.text, tree, operand())
        return tree

    def _before(self, token: Token, name: str, operand: Callable[[], Tree]) -> Tree:
        self._enter(token)
        of = operand()
        self._nesting -= 1
        if name == "neg" and isinstance(of, Constant) and type(of.value) is int:
            return Constant(token.position, -of.value)
        return _apply(token, name, of)

    def _enter(self, token: Token) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError(token.position, f"nested deeper than {MAX_NESTING}")

    def _primary(self) -> Tree:
        token = self._next
        if self._take("("):
            self._enter(token)
            tree = self._or()
            self._close()
            return tree
        if token.sort is Sort.NAME and token.text in KEYWORDS - _CONSTANTS.keys():
            raise self._unexpected("a value")
        if token.sort in (Sort.SIGN, Sort.END):
            raise self._unexpected("a value")
        self._at += 1
        if token.sort is Sort.NUMBER:
            return _number(token)
        if token.sort is Sort.TEXT:
            return Constant(token.position, token.text)
        if token.sort is Sort.NAME and token.text in _CONSTANTS:
            return Constant(token.position, _CONSTANTS[token.text])
        if token.sort is Sort.NAME and self._take("("):
            return self._function(token)
        return Name(token.position, token.text)

    def _function(self, name: Token) -> Tree:
        self._enter(name)
        arguments: list[Tree] = []
        if not self._take(")"):
            arguments.append(self._or())
            while self._take(","):
                arguments.append(self._or())
            self._close()
        else:
            self._nesting -= 1
        return _apply(name, name.text, *arguments)

    def _close(self) -> None:
        if not self._take(")"):
            raise self._unexpected("a closing bracket")
        self._nesting -= 1


def _number(token: Token) -> Constant:
    value = float(token.text)
    if not math.isfinite(value):
        raise ExpressionError(token.position, f"{token.text} is outside float64")
    if not token.text.isdigit():
        return Constant(token.position, value)
    whole = int(token.text)
    if whole <= _INT64_MAX + 1:  # with a minus before it, the least of int64
        return Constant(token.position, whole)
    if whole != value:
        raise ExpressionError(token.position, f"{token.text} is outside int64")
    return Constant(token.position, value)


def _apply(token: Token, name: str, *of: Tree) -> Apply:
    depth = 1 + max((tree.depth for tree in of), default=0)
    if depth > MAX_DEPTH:
        raise ExpressionError(token.position, f"deeper than {MAX_DEPTH}; use several nodes")
    return Apply(token.position, name, of, depth)
