"""Route: the sink topic of each row, by a column's value."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.nodes.support import build, columns_of, run
from worker.batch import DType
from worker.errors import ConfigError
from worker.nodes.base import TOPIC_COLUMN


@pytest.mark.parametrize(("default", "other"), [(None, None), ("rest", "rest")])
@pytest.mark.parametrize(
    ("dtype", "topics", "items"),
    [
        (DType.TEXT, {"a": "t1", "b": "t2"}, ["a", "b", "c", None]),
        (DType.INT64, {"0": "t1", "1": "t2"}, [0, 1, 2, None]),
        (DType.FLOAT64, {"0": "t1", "1.5": "t2"}, [0.0, 1.5, 2.0, None]),
        (DType.BOOL, {"true": "t1", "false": "t2"}, [True, False, None, None]),
    ],
)
def test_topics(
    dtype: DType, topics: dict[str, str], items: list[Any], default: str | None, other: str | None
) -> None:
    """A key gives its topic; unknown and missing go to the default, else to the sink's own."""
    params = {"column": "x", "topics": topics, "default": default}
    after = run("Route", params, {"x": dtype}, {"x": items})
    assert after[TOPIC_COLUMN].to_list() == ["t1", "t2", other, other]
    assert after["x"].to_list() == items


def test_the_last_route_decides() -> None:
    """A second Route does not keep the topic of the first for values it does not know."""
    types = {"x": DType.TEXT, TOPIC_COLUMN: DType.TEXT}
    node = build("Route", {"column": "x", "topics": {"a": "t1"}}, types)
    after = node.process(columns_of(types, {"x": ["a", "b"], TOPIC_COLUMN: ["t0", "t0"]}))
    assert after[TOPIC_COLUMN].to_list() == ["t1", None]


@pytest.mark.parametrize("topic", ["", ".", "..", "a b", "a/b", "a\n", "ä", "a" * 250])
def test_topic_names(topic: str) -> None:
    """A name that Kafka refuses is refused before the first event."""
    params: dict[str, Any] = {"column": "x", "topics": {"a": topic}}
    with pytest.raises(ValidationError):
        build("Route", params, {"x": DType.TEXT})
    with pytest.raises(ValidationError):
        build("Route", {**params, "topics": {"a": "t"}, "default": topic}, {"x": DType.TEXT})


def test_keys_must_fit() -> None:
    """A key that no value of the column can equal is refused."""
    with pytest.raises(ConfigError, match=r"params\.topics\.high: 'high' is no whole number"):
        build("Route", {"column": "x", "topics": {"high": "t"}}, {"x": DType.INT64})
