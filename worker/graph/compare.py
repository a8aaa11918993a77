"""Compares a scored event with what a case expects of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from worker.errors import nearest


class Tolerance(BaseModel):
    """How far a float may be off, by either measure; the default is float32's own uncertainty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    relative: float = Field(default=1e-5, ge=0)
    absolute: float = Field(default=1e-6, ge=0)


@dataclass(frozen=True, slots=True)
class Difference:
    """What one event's outcome has otherwise than expected.

    Attributes:
        event: its position in the case.
        path: the field, such as ``probabilities[3]``; empty for the outcome as a whole.
        expected: a value of the cases file.
        actual: a value of the outcome.
        plain: both are words about the outcome, no values.
    """

    event: int
    path: str
    expected: object
    actual: object
    plain: bool = False

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{place}expected {self._shown(self.expected)}, got {self._shown(self.actual)}"

    def _shown(self, value: object) -> str:
        if self.plain or isinstance(value, Absent):
            return str(value)
        return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands for a field that the outcome does not have; ``hint`` names the nearest one."""

    hint: str = ""

    def __str__(self) -> str:
        return f"no such field{self.hint}"


def differences(
    event: int, expected: object, actual: object, tolerance: Tolerance, path: str = ""
) -> Iterator[Difference]:
    """Where ``actual`` is otherwise; of a mapping only the expected keys are looked at."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for key, wanted in expected.items():
            below = f"{path}.{key}" if path else key
            if key in actual:
                yield from differences(event, wanted, actual[key], tolerance, below)
            else:
                yield Difference(event, below, wanted, Absent(nearest(key, actual)))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for i, (wanted, found) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(event, wanted, found, tolerance, f"{path}[{i}]")
    elif not _equal(expected, actual, tolerance):
        yield Difference(event, path, expected, actual)


def _equal(expected: Any, actual: Any, tolerance: Tolerance) -> bool:
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, (int, float)) and isinstance(actual, (int, float)):
        if isinstance(expected, int) and isinstance(actual, int):
            return expected == actual
        return math.isclose(
            expected, actual, rel_tol=tolerance.relative, abs_tol=tolerance.absolute
        )
    return bool(expected == actual)
