"""Params of a notebook as plain data: what JSON can hold, and a graph file too."""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from worker.errors import Problem

_TYPES: dict[Any, str] = {int: "int", float: "float", str: "str", bool: "bool"}
_FUNCTION = (
    "a function cannot be written into a graph: give a mapping (map), calculate with Derive, or "
    "write a node kind in a package"
)


class Plain:
    """Turns params into plain data and collects what cannot be.

    What pandas has for missing values becomes None, points in time text in ISO 8601; those without
    a zone are UTC, as they are in tables.

    Attributes:
        problems: what has no plain form, with its path.
    """

    def __init__(self, *, infinite: bool = True) -> None:
        """``infinite``: whether infinite numbers become text, as edges of bins are written."""
        self._infinite = infinite
        self.problems: list[Problem] = []

    def __call__(self, value: Any, path: str = "") -> Any:
        """The value as dicts, lists, text, numbers, bool and None."""
        if value is None or _is_missing(value):
            return None
        if isinstance(value, (bool, str)):
            return value
        if isinstance(value, np.generic) and not isinstance(value, np.datetime64):
            return self(value.item(), path)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return self._number(value, path)
        if isinstance(value, (datetime.date, np.datetime64)):
            return _moment(value)
        if isinstance(value, np.dtype):
            return str(value)
        if hasattr(value, "to_dict") and hasattr(value, "index"):  # a pandas Series as a mapping
            return self(value.to_dict(), path)
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
            items = _ordered(value) if isinstance(value, (set, frozenset)) else value
            return [self(item, f"{path}[{i}]") for i, item in enumerate(items)]
        return self._other(value, path)

    def _mapping(self, value: Mapping[Any, Any], path: str) -> dict[str, Any]:
        found = {}
        for key, item in value.items():
            below = f"{path}.{key}" if path else str(key)
            name = _key(key)
            if name is None:
                self.problems.append(Problem(below, f"{key!r} is no key that JSON can hold"))
            elif name in found:
                self.problems.append(Problem(below, f"another key is '{name}' in JSON, too"))
            else:
                found[name] = self(item, below)
        return found

    def _number(self, value: float, path: str) -> float | str | None:
        """JSON has no NaN, which is a missing value, and no infinity."""
        if math.isnan(value):
            return None
        if math.isinf(value) and not self._infinite:
            message = f"{value} is no number that JSON can hold; leave it out where it is missing"
            self.problems.append(Problem(path, message))
            return None
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return float(value)

    def _other(self, value: Any, path: str) -> Any:
        if isinstance(value, type) and value in _TYPES:
            return _TYPES[value]
        if isinstance(value, type) and issubclass(value, np.generic):
            return str(np.dtype(value))
        if callable(value):
            self.problems.append(Problem(path, _FUNCTION))
        else:
            message = f"{type(value).__name__} is nothing that JSON can hold"
            self.problems.append(Problem(path, message))
        return None


def _ordered(items: Collection[Any]) -> list[Any]:
    """Numbers by size, texts by letters, whatever else by how it is written."""
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=repr)


def _is_missing(value: Any) -> bool:
    """NaT or NA; NaN is a number's business."""
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    return type(value).__name__ in ("NaTType", "NAType")  # pandas need not be there


def _moment(value: datetime.date | np.datetime64) -> str:
    if isinstance(value, np.datetime64):
        if np.datetime_data(value)[0] in ("D", "W", "M", "Y"):
            return str(value.astype("datetime64[D]"))
        return str(np.datetime_as_string(value, unit="ms", timezone="UTC", casting="unsafe"))
    zoned = not isinstance(value, datetime.datetime) or value.utcoffset() is not None
    return value.isoformat() + ("" if zoned else "Z")


def _key(key: Any) -> str | None:
    if isinstance(key, (bool, np.bool_)):
        return "true" if key else "false"
    if isinstance(key, (float, np.floating)) and not math.isfinite(key):
        return None
    if isinstance(key, (float, np.floating)) and key == int(key):
        return str(int(key))  # a column of whole numbers with gaps is one of floats in pandas
    return str(key) if isinstance(key, (str, int, float, np.integer, np.floating)) else None
