"""JsonToDataframe: the first node of a notebook's graph."""

from __future__ import annotations

from typing import Any

import pytest

from tests.nodes.support import build, columns_of
from worker.batch import DType


@pytest.mark.parametrize(
    "payload", [None, '{"x": {"0": 1}}', "no JSON", {"x": {"0": 1}}, [{"x": 1}]]
)
def test_the_batch_passes(payload: Any) -> None:
    """Sample data of the notebook are not looked at; events are what the codec made of them."""
    batch = columns_of({"x": DType.TEXT}, {"x": ["a", None]})
    node = build("JsonToDataframe", {"json_payload": payload}, {"x": DType.TEXT})
    assert node.process(batch) is batch
