"""What pydantic found wrong, as problems: paths of the file itself, and the nearest known key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from worker.errors import Problem, nearest

Location = tuple[str | int, ...]

_LENGTH = re.compile("^(Tuple|List|Dictionary) should have")
_CHOICES = frozenset({"literal_error", "enum"})
_QUOTED = re.compile(r"'([^']*)'")
_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is no known key",
    "model_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "bool_type": "must be true or false",
}
_GIVEN = frozenset(_WORDS) - {"missing", "extra_forbidden"}
"""What is told with the value that was given."""


def problems_of(error: ValidationError, model: type[BaseModel], data: object) -> list[Problem]:
    """One problem per place, in the file's order; a misspelt key is not told as missing too.

    Args:
        error: what pydantic raised for ``data``.
        model: the class that was validated.
        data: the raw input, to tell keys of the file from pydantic's own names of union members.
    """
    found: dict[Location, list[str]] = {}
    for detail in error.errors(include_url=False, include_context=False):
        location = _in_data(detail["loc"], data, missing=detail["type"] == "missing")
        word = _WORDS.get(detail["type"])
        if word is None:
            text = detail["msg"].removeprefix("Value error, ").replace(" after validation", "")
            text = _LENGTH.sub("must have", text).replace("Input should be", "must be")
            own = detail["type"] == "value_error" and repr(detail["input"]) in text
            start = text[:1] if text[1:2].isupper() else text[:1].lower()  # "SASL" stays as it is
            word = start + text[1:] + ("" if own else _given(detail["input"]))
        elif detail["type"] in _GIVEN:
            word += _given(detail["input"])
        if detail["type"] in _CHOICES:
            word += _meant(detail["input"], _QUOTED.findall(detail["msg"]))
        if detail["type"] == "model_type":
            word += f"; its keys: {', '.join(_keys(model, location))}"
        if detail["type"] == "extra_forbidden":
            word += nearest(str(location[-1]), _keys(model, location[:-1]))
        words = found.setdefault(location, [])
        if word not in words:
            words.append(word)
    return [
        Problem(dotted(location), ", or ".join(words))
        for location, words in found.items()
        if words != [_WORDS["missing"]] or not _misspelt(location, found)
    ]


def locations_of(error: ValidationError, data: object) -> set[Location]:
    """The places in ``data`` where something is wrong."""
    details = error.errors(include_url=False, include_context=False)
    return {_in_data(one["loc"], data, missing=one["type"] == "missing") for one in details}


def _misspelt(missing: Location, found: Mapping[Location, list[str]]) -> bool:
    """Whether a key that is missing is there under a name that is told to mean it."""
    hint = f"did you mean '{missing[-1]}'?"
    return any(
        location[:-1] == missing[:-1] and word.endswith(hint)
        for location, words in found.items()
        for word in words
    )


def dotted(location: Sequence[str | int]) -> str:
    """``("nodes", 2, "id")`` as ``nodes[2].id``."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else part)
    return path


def _given(value: object) -> str:
    if isinstance(value, (Mapping, list)):
        return ""
    shown = repr(value)
    return f", not {shown if len(shown) <= 80 else shown[:77] + '...'}"


def _meant(value: object, choices: Sequence[str]) -> str:
    """The nearest of some choices, all of which are told already."""
    hint = nearest(value, choices) if isinstance(value, str) else ""
    return hint if "did you mean" in hint else ""


def _in_data(location: Location, data: Any, *, missing: bool) -> Location:
    """The location without the parts that pydantic invented; a missing key stays as the last."""
    kept: list[str | int] = []
    for i, part in enumerate(location):
        if _has(data, part):
            data = data[part]
        elif not (missing and i == len(location) - 1):
            continue
        kept.append(part)
    return tuple(kept)


def _has(data: object, part: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, Mapping) and part in data


def _keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that the (sub)model at ``location`` knows."""
    for part in location:
        if isinstance(part, int):
            continue
        field = next((f for n, f in model.model_fields.items() if (f.alias or n) == part), None)
        nested = next(_models(field.annotation), None) if field is not None else None
        if nested is None:
            return []
        model = nested
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
