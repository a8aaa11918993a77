"""Processor: a node kind of an installed package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.nodes.support import build, columns_of
from worker.batch import DType
from worker.errors import ConfigError
from worker.nodes import registry
from worker.nodes.base import Columns, Context
from worker.nodes.processor import Processor, ProcessorParams

PLUGIN = '''
from worker.nodes.clip import Clip

class Bound(Clip):
    """A node kind of another package."""
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution that brings the kind Bound."""
    (tmp_path / "rtml_processor_plugin.py").write_text(PLUGIN)
    info = tmp_path / "rtml_processor_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rtml-processor-plugin\nVersion: 1")
    point = f"[{registry.GROUP}]\nBound = rtml_processor_plugin:Bound\n"
    (info / "entry_points.txt").write_text(point)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.kinds.cache_clear()
    yield
    registry.kinds.cache_clear()


@pytest.mark.usefixtures("installed")
def test_a_kind_of_a_package_runs() -> None:
    """The node inside does the work and says what it reads and writes."""
    params = {"kind": "Bound", "params": {"columns": ["x"], "upper": 2}}
    node = build("Processor", params, {"x": DType.INT64})
    assert node.process(columns_of({"x": DType.INT64}, {"x": [1, 5]}))["x"].to_list() == [1, 2]
    assert (node.signature.reads, list(node.signature.writes)) == (("x",), ["x"])
    assert (node.topics, node.models) == ((), {})


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("Bound", "no node kind 'Bound' is installed"),
        ("Clp", "no node kind 'Clp' is installed; did you mean 'Clip'"),
        ("os.system", "a package adds one by an entry point of rtml.nodes"),
        ("ONNXNode", "ONNXNode is used by its own name, as the node's type"),
        ("Processor", "Processor is used by its own name"),
    ],
)
def test_nothing_else_can_be_named(kind: str, problem: str) -> None:
    """A name is looked up among the installed kinds; no code is imported by it."""
    with pytest.raises(ValidationError, match=problem):
        ProcessorParams.model_validate({"kind": kind})


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"columns": ["y"], "lower": 1}, r"params.params.columns\[0\]: no column 'y' reaches"),
        ({"columns": ["x"]}, "params.params.lower: give lower, upper or both"),
        (
            {"columns": ["x"], "loer": 1},
            "params.params.loer: is no known key; did you mean 'lower'",
        ),
    ],
)
def test_problems_of_the_node_inside(params: dict[str, Any], problem: str) -> None:
    """They have their place in the graph's own params."""
    with pytest.raises(ConfigError, match=problem):
        build("Processor", {"kind": "Clip", "params": params}, {"x": DType.INT64})


def test_a_guess_is_no_problem() -> None:
    """Behind a node that could not be checked, an unknown column is not told."""
    params = ProcessorParams(kind="Clip", params={"columns": ["y"], "lower": 1})
    with pytest.raises(ConfigError) as caught:
        Processor(params, Columns({}, complete=False), Context())
    assert caught.value.problems == ()
