"""Rename: give columns other names."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError

TYPES = {"a": DType.INT64, "b": DType.TEXT}
GIVEN: dict[str, list[Any]] = {"a": [1, None], "b": ["x", None]}


def test_the_old_name_is_gone() -> None:
    """Values, dtype and missing values move to the new name."""
    after = run("Rename", {"columns": {"a": "c"}}, TYPES, GIVEN)
    assert sorted(after.columns) == ["b", "c"]
    assert after["c"].to_list() == [1, None]


def test_names_can_be_swapped() -> None:
    """All columns are renamed at once, so two can swap."""
    after = run("Rename", {"columns": {"a": "b", "b": "a"}}, TYPES, GIVEN)
    assert after["a"].to_list() == ["x", None]
    assert after["b"].to_list() == [1, None]


def test_a_name_in_use_is_refused() -> None:
    """A column that stays is not overwritten in silence."""
    with pytest.raises(ConfigError, match="column 'b' exists already; Drop it first"):
        build("Rename", {"columns": {"a": "b"}}, TYPES)


def test_two_columns_cannot_share_a_name() -> None:
    """Two old names for one new name are refused."""
    with pytest.raises(ConfigError, match=r"columns\.b: column 'c' is named twice"):
        build("Rename", {"columns": {"a": "c", "b": "c"}}, TYPES)


def test_reserved_names_are_refused() -> None:
    """A column cannot take the name under which Route writes topics."""
    with pytest.raises(ValidationError, match="names that begin with @ are reserved"):
        build("Rename", {"columns": {"b": "@topic"}}, TYPES)
