"""Copy: the same values under a second name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.support import build, run
from worker.batch import DType
from worker.errors import ConfigError

TYPES = {"a": DType.INT64, "b": DType.TEXT}
GIVEN: dict[str, list[Any]] = {"a": [1, None], "b": ["x", None]}


def test_source_and_target_have_the_values() -> None:
    """The source stays; the target has its values, dtype and missing values."""
    after = run("Copy", {"columns": {"a": "c"}}, TYPES, GIVEN)
    assert after["a"].to_list() == [1, None]
    assert after["c"].to_list() == [1, None]


def test_sources_are_those_that_reach_the_node() -> None:
    """A column that is source and target at once gives its old values."""
    after = run("Copy", {"columns": {"a": "b", "b": "c"}}, TYPES, GIVEN)
    assert after["b"].to_list() == [1, None]
    assert after["c"].to_list() == ["x", None]


def test_two_sources_cannot_share_a_target() -> None:
    """Two sources for one target are refused."""
    with pytest.raises(ConfigError, match=r"column 'c' is named twice, first at columns\.a"):
        build("Copy", {"columns": {"a": "c", "b": "c"}}, TYPES)
