"""What a cell of text stands for: by the types that its field may have, or by its looks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from worker.dataset.shape import KINDS, Shape
from worker.schema.limits import INT64_MAX, INT64_MIN

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_SIGNED = re.compile(r"[-+]?[0-9]{1,19}")
_LOOSE = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
"""How other programs write numbers, which JSON does not."""
_WORDS = {"true": True, "false": False}

Convert = Callable[[str], Any]


def converter(shape: Shape | None) -> Convert:
    """How the cells of a field are read.

    Where the schema says no type the cell stays text; otherwise it is what it can be of the types
    that are allowed, and text last. Text in a number's place is no problem here: whoever checks
    the event rejects it with its reason.
    """
    if shape is None or shape.kinds == KINDS:
        return str
    numeric = bool(shape.kinds & {"number", "integer"})
    nested = bool(shape.kinds & {"array", "object"})
    return partial(_typed, numeric, "boolean" in shape.kinds, nested)


def guessed(cell: str) -> Any:
    """What a cell looks like: a number, true or false, a list; else text.

    What no 64 bits hold, such as an id of 38 digits, stays text.
    """
    bare = cell.strip()
    if _WHOLE.fullmatch(bare):
        fits = len(bare) < 20 and INT64_MIN <= int(bare) <= INT64_MAX
        return msgspec.Raw(bare.encode()) if fits else cell
    if _NUMBER.fullmatch(bare):
        return msgspec.Raw(bare.encode()) if math.isfinite(float(bare)) else cell
    if bare.lower() in _WORDS:
        return _WORDS[bare.lower()]
    found = _parsed(bare) if bare.startswith("[") else cell
    return found if isinstance(found, list) else cell


def _typed(numeric: bool, boolean: bool, nested: bool, cell: str) -> Any:
    bare = cell.strip()
    if numeric and _NUMBER.fullmatch(bare):  # its own digits: no precision is lost
        return msgspec.Raw(bare.encode())
    if numeric and _SIGNED.fullmatch(bare) and INT64_MIN <= int(bare) <= INT64_MAX:
        return int(bare)  # +7 and 007 are whole, and a graph's integer takes no 7.0
    if numeric and _LOOSE.fullmatch(bare):
        return _finite(bare, cell)
    if boolean and bare.lower() in _WORDS:
        return _WORDS[bare.lower()]
    if nested and bare[:1] in ("[", "{"):
        return _parsed(bare)
    return cell


def _finite(number: str, cell: str) -> Any:
    value = float(number)
    return value if math.isfinite(value) else cell


def _parsed(cell: str) -> Any:
    try:
        return msgspec.json.decode(cell)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return cell
