"""Derive: an expression gives what plain Python gives for each row."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError
from worker.nodes._expression.compile import names
from worker.nodes._expression.parse import parse
from worker.nodes._expression.tokens import ExpressionError

TYPES = {
    "x": DType.FLOAT64,
    "n": DType.INT64,
    "s": DType.TEXT,
    "t.u": DType.TEXT,
    "b": DType.BOOL,
    "/a/b c": DType.BOOL,
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "x": st.none() | st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1.0, -1.0, 0.5]),
    "n": st.none() | st.integers(-9, 9),
    "s": st.none() | st.sampled_from(["", "a", "B", "ab"]),
    "t.u": st.none() | st.sampled_from(["", "a", "B", "é'"]),
    "b": st.none() | st.booleans(),
    "/a/b c": st.none() | st.booleans(),
}
IDS = st.integers(2**53 - 2, 2**53 + 5) | st.integers(-(2**53) - 5, -(2**53) + 2)
Row = Mapping[str, Any]
Part = tuple[str, Callable[[Row], Any]]
"""The text of an expression, and its value for a row."""


def propagating(call: Callable[..., Any], *parts: Part) -> Callable[[Row], Any]:
    """Missing where an operand is, and where Python raises or gives what is not finite."""

    def value(row: Row) -> Any:
        of = [part[1](row) for part in parts]
        if None in of:
            return None
        try:
            with np.errstate(all="ignore"):
                found = call(*of)
        except (ArithmeticError, ValueError):
            return None
        return None if isinstance(found, float) and not math.isfinite(found) else found

    return value


def both(a: Any, b: Any) -> Any:
    """Three-valued and."""
    return False if a is False or b is False else (None if None in (a, b) else True)


def either(a: Any, b: Any) -> Any:
    """Three-valued or."""
    return True if a is True or b is True else (None if None in (a, b) else False)


def infix(sign: str, call: Callable[..., Any], a: Part, b: Part) -> Part:
    """An operator between two parts, in brackets."""
    return f"({a[0]} {sign} {b[0]})", propagating(call, a, b)


def function(name: str, call: Callable[..., Any], *of: Part) -> Part:
    """A function of parts."""
    return f"{name}({', '.join(text for text, _ in of)})", propagating(call, *of)


def decide(c: Part, a: Part, b: Part) -> Part:
    """One of two, by a condition."""

    def value(row: Row) -> Any:
        held = c[1](row)
        return None if held is None else (a if held else b)[1](row)

    return f"if({c[0]}, {a[0]}, {b[0]})", value


def coalesce(a: Part, b: Part) -> Part:
    """The first that is present."""

    def value(row: Row) -> Any:
        first = a[1](row)
        return b[1](row) if first is None else first

    return f"coalesce({a[0]}, {b[0]})", value


def column(name: str) -> Part:
    """A column, in backticks where its name needs them."""
    plain = name.replace(".", "").isalnum()
    return (name if plain else f"`{name}`"), lambda row: as_float(row[name])


def as_float(value: Any) -> Any:
    """Whole numbers as what they are calculated with."""
    return float(value) if type(value) is int else value


def literal(value: Any) -> Part:
    """A constant."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'", lambda _: value
    return str(value).lower(), lambda _: as_float(value)


def in_floats(call: Callable[..., Any]) -> Callable[..., float]:
    """A function that gives a float, of single floats."""
    return lambda *of: float(call(*of))


SIGNS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}
ORDER: dict[str, Callable[..., Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
UNARY: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "floor": in_floats(math.floor),
    "ceil": in_floats(math.ceil),
    "log": in_floats(np.log),
    "log1p": in_floats(np.log1p),
    "exp": in_floats(np.exp),
    "sqrt": math.sqrt,
    "round": in_floats(round),
}


def logical(a: Part, b: Part, word: str) -> Part:
    """and, or."""
    call = both if word == "and" else either
    return f"({a[0]} {word} {b[0]})", lambda row: call(a[1](row), b[1](row))


def negation(a: Part) -> Part:
    """Not."""
    return f"(not {a[0]})", propagating(operator.not_, a)


def is_null(a: Part) -> Part:
    """Whether it is missing."""
    return f"is_null({a[0]})", lambda row: a[1](row) is None


def of(table: Mapping[str, Any]) -> st.SearchStrategy[tuple[str, Any]]:
    """An entry."""
    return st.sampled_from(list(table.items()))


leaves = {
    "number": st.sampled_from([column("x"), column("n")])
    | st.sampled_from([0, 1, 2.5, 1e3]).map(literal),
    "text": st.sampled_from([column("s"), column("t.u")])
    | st.sampled_from(["", "a", "é'", "\\"]).map(literal),
    "bool": st.sampled_from([column("b"), column("/a/b c")]) | st.booleans().map(literal),
}


def expressions(depth: int) -> dict[str, st.SearchStrategy[Part]]:
    """Expressions of each kind, nested up to ``depth``."""
    if depth == 0:
        return leaves
    inner = expressions(depth - 1)
    number, text, truth = inner["number"], inner["text"], inner["bool"]
    return {
        "number": leaves["number"]
        | st.builds(lambda s, a, b: infix(*s, a, b), of(SIGNS), number, number)
        | st.builds(lambda f, a: function(*f, a), of(UNARY), number)
        | st.builds(
            lambda f, a, b: function(*f, a, b), of({"min": min, "max": max}), number, number
        )
        | st.builds(lambda a: (f"(-{a[0]})", propagating(operator.neg, a)), number)
        | st.builds(lambda a: function("length", in_floats(len), a), text)
        | st.builds(coalesce, number, number)
        | st.builds(decide, truth, number, number),
        "text": leaves["text"]
        | st.builds(lambda a, b: infix("+", operator.add, a, b), text, text)
        | st.builds(
            lambda f, a: function(*f, a), of({"lower": str.lower, "upper": str.upper}), text
        )
        | st.builds(coalesce, text, text)
        | st.builds(decide, truth, text, text),
        "bool": leaves["bool"]
        | st.builds(lambda s, a, b: infix(*s, a, b), of(ORDER), number, number)
        | st.builds(lambda s, a, b: infix(*s, a, b), of({"==": operator.eq}), text, text)
        | st.builds(lambda s, a, b: infix(*s, a, b), of({"!=": operator.ne}), truth, truth)
        | st.builds(logical, truth, truth, st.sampled_from(["and", "or"]))
        | st.builds(negation, truth)
        | st.builds(is_null, st.one_of(number, text, truth))
        | st.builds(decide, truth, truth, truth),
    }


NESTED = expressions(3)


@settings(max_examples=300)
@given(st.one_of(*NESTED.values()), st.lists(st.fixed_dictionaries(VALUES), max_size=5))
def test_equals_plain_python(part: Part, rows: list[Row]) -> None:
    """Whatever the expression, each row has the value that Python calculates for it alone."""
    text, value = part
    assume(any(names(parse(text))))
    given_rows = {name: [row[name] for row in rows] for name in TYPES}
    found = run("Derive", {"into": "y", "expression": text}, TYPES, given_rows)["y"]
    assert found.to_list() == [value(row) for row in rows]


def test_round_leaves_what_would_overflow() -> None:
    """A number that large has no decimals to lose."""
    types = {"x": DType.FLOAT64}
    after = run("Derive", {"into": "y", "expression": "round(x, 2)"}, types, {"x": [1e307, 1.005]})
    assert after["y"].to_list() == [1e307, 1.0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * n - 4 / 2", 5.0),
        ("-n % 4", 1.0),
        ("not b and false or n == 3", True),
        ("n - 1 - 1", 1.0),
        ("not n > 3", True),
        ("round(n / 8, 2)", 0.38),
        ("round(n - 0.5)", 2.0),
        ("if(n > 2, null, 1)", None),
        ("coalesce(null, n)", 3.0),
        ("is_null(null) and n == 3", True),
        ('"a\\"b" + s', 'a"bx'),
        ("`n` + .5e1", 8.0),
        ("min(n, 9, 2)", 2.0),
        ("n / 0", None),
        ("log(0 * n)", None),
    ],
)
def test_precedence_and_literals(expression: str, expected: Any) -> None:
    """Operators bind as in Python; what has no finite result is missing."""
    types = {"n": DType.INT64, "b": DType.BOOL, "s": DType.TEXT}
    params = {"into": "y", "expression": expression}
    after = run("Derive", params, types, {"n": [3], "b": [True], "s": ["x"]})
    assert after["y"].to_list() == [expected]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("pric * 2", "character 1: no column 'pric' reaches this node; did you mean 'price'"),
        ("price > limt and contry == 'de'", "character 9: no column 'limt'"),
        ("price >", "character 8: the end where a value was expected"),
        ("price = 3", "character 7: '=' is not understood here; write =="),
        ("price & 3", "character 7: '&' is not understood here; write and"),
        ("(price", "character 7: the end where a closing bracket was expected"),
        ("price)", r"character 6: '\)' where an operator or the end was expected"),
        ("price 3", "character 7: '3' where an operator or the end was expected"),
        ("1 < price < 3", "character 11: comparisons are not chained"),
        ("name == 'de", "character 9: the ' has no end"),
        ("name > 3", "character 1: > needs number here, not text"),
        ("price and true", "character 1: and needs true or false here, not number"),
        ("name == 3", "character 9: == needs text here too, not number"),
        ("price == null", "character 10: nothing equals null; write is_null"),
        ("sqr(price)", "character 1: no function 'sqr'; did you mean 'sqrt'"),
        ("__import__('os')", "character 1: no function '__import__'; known: abs"),
        ("abs(price, 1)", "character 1: abs takes 1 values, not 2"),
        ("round(price, price)", "character 14: decimals are a whole number from 0 to 15"),
        ("if(price, 1, 2)", "character 4: if needs true or false here, not number"),
        ("-name", "character 2: the minus sign needs number here, not text"),
        ("price + 1e999", "character 9: 1e999 is outside float64"),
        ("at > 3", "character 1: column 'at' is datetime, but this needs"),
        ("1 + 1", "names no column"),
        ("null", "null alone has no type"),
        ("(" * 33 + "price" + ")" * 33, "character 33: nested deeper than 32"),
        ("-" * 40 + "price", "character 33: nested deeper than 32"),
        ("price" + " + 1" * 300, "deeper than 200; use several nodes"),
        ("price + 1 " * 500, "longer than 4000 characters"),
        ("and", "character 1: 'and' where a value was expected"),
    ],
)
def test_refused(expression: str, problem: str) -> None:
    """What is no expression is refused with the place in its text and the way out."""
    types = {"price": DType.FLOAT64, "name": DType.TEXT, "at": DType.DATETIME}
    with pytest.raises(ConfigError, match=problem):
        build("Derive", {"into": "y", "expression": expression}, types)


def test_every_unknown_column_is_told() -> None:
    """Two columns that do not exist are two problems."""
    with pytest.raises(ConfigError) as caught:
        build("Derive", {"into": "y", "expression": "foo > bar"}, {"price": DType.FLOAT64})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(("sign", "call"), ORDER.items())
@given(st.lists(st.tuples(IDS, IDS), min_size=1), IDS)
def test_ids_are_compared_exactly(
    sign: str, call: Callable[..., Any], rows: list[tuple[Any, Any]], literal_: int
) -> None:
    """Whole numbers beyond 2^53, in two columns, and in a column and the text."""
    types = {"a": DType.INT64, "b": DType.INT64}
    given_rows = {"a": [row[0] for row in rows], "b": [row[1] for row in rows]}
    params = {"into": "y", "expression": f"a {sign} b"}
    found = run("Derive", params, types, given_rows)["y"].to_list()
    assert found == [call(*row) for row in rows]
    params = {"into": "y", "expression": f"a {sign} {literal_}"}
    found = run("Derive", params, types, given_rows)["y"].to_list()
    assert found == [call(row[0], literal_) for row in rows]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("n + 9007199254740993 > 0", "character 5: 9007199254740993 is more than float64 holds"),
        ("x == 9007199254740993", "character 6: 9007199254740993 is more than float64 holds"),
        ("n / 2 == -9007199254740993", "character 10: -9007199254740993 is more than"),
        ("n == 9223372036854775808", "character 6: 9223372036854775808 is outside int64"),
        ("n == 9223372036854775809", "character 6: 9223372036854775809 is outside int64"),
        ("s == 'a\\nb'", r"character 8: \\n is no escape; a backslash stands before quotes"),
        ("n + \u0661", "character 5: '\u0661' is not understood here"),
    ],
)
def test_what_would_become_another_value_is_refused(expression: str, problem: str) -> None:
    """A number that float64 rounds, an escape that drops its sign, digits of other scripts."""
    types = {"x": DType.FLOAT64, "n": DType.INT64, "s": DType.TEXT}
    with pytest.raises(ConfigError, match=problem):
        build("Derive", {"into": "y", "expression": expression}, types)


def test_the_ends_of_int64() -> None:
    """The least number is written with a minus before what int64 cannot hold, and is exact."""
    least, most = -(2**63), 2**63 - 1
    for literal_, ids in ((least, [least, least + 1]), (most, [most, most - 1])):
        params = {"into": "y", "expression": f"n == {literal_}"}
        found = run("Derive", params, {"n": DType.INT64}, {"n": ids})
        assert found["y"].to_list() == [True, False]
    params = {"into": "y", "expression": f"x * {2**63}"}
    assert run("Derive", params, {"x": DType.FLOAT64}, {"x": [2.0]})["y"].to_list() == [2.0**64]


@given(st.text(max_size=40) | st.text(alphabet="x1()+-*/%<>=!,.'`ifnotadr ", max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    """No text breaks the parser: it gives a tree, or says where the text is wrong."""
    try:
        parse(text)
    except ExpressionError as error:
        place = str(error)
    else:
        place = "character 1:"
    assert place.startswith("character ")
