"""Receiver: where events enter a graph."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.nodes.support import build, columns_of
from worker.batch import DType
from worker.errors import ConfigError


def test_the_batch_passes() -> None:
    """Nothing is added, taken or copied."""
    batch = columns_of({"x": DType.TEXT}, {"x": ["a", None]})
    assert build("Receiver", {}, {"x": DType.TEXT}).process(batch) is batch


def test_fields_are_checked() -> None:
    """A field that no event has is refused when the graph is loaded."""
    with pytest.raises(
        ConfigError, match=r"params.fields\[1\]: no column 'agee' reaches this node"
    ):
        build("Receiver", {"fields": ["age", "agee"]}, {"age": DType.INT64})


def test_a_topic_is_a_topic() -> None:
    """A name that Kafka does not take is refused."""
    with pytest.raises(ValidationError):
        build("Receiver", {"topic": "a b"}, {"age": DType.INT64})
