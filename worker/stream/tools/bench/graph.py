"""A graph on the topics of a benchmark: the same nodes and models, in a folder of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worker.graph.plan import Plan
from worker.models.store.names import is_reference
from worker.nodes.base import own_path
from worker.stream.tools.bench.place import Place

FILE = "graph.yaml"


def moved(plan: Plan, folder: Path, place: Place, into: Path) -> Path:
    """Writes the graph anew, with its schema inline; models of the store stay there.

    Args:
        plan: of the graph.
        folder: where its model files lie.
        place: whose topics it gets.
        into: takes the graph and copies of its model files: a graph reads in its own folder only.

    Returns:
        The graph file.
    """
    document = plan.inline.model_dump(mode="json", by_alias=True)
    sinks = dict(zip(plan.topics, place.scored, strict=True))
    document["source"] |= {"topic": place.events, "start": "earliest"}
    document["sink"]["topic"] = place.scored[0]
    document["dead_letter"] = {"topic": place.dead}
    for node in document["nodes"]:
        if node["type"] == "Route":
            _reroute(node["params"], sinks)
        elif node["type"] == "ONNXNode":
            _copy_model(node["params"], folder, into)
    path = into / FILE
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")  # YAML as well
    return path


def _reroute(params: dict[str, Any], sinks: Mapping[str, str]) -> None:
    params["topics"] = {value: sinks[topic] for value, topic in params["topics"].items()}
    if params.get("default") is not None:
        params["default"] = sinks[params["default"]]


def _copy_model(params: dict[str, Any], folder: Path, into: Path) -> None:
    key = "model" if "model" in params else "model_id"
    if is_reference(params[key]):
        return
    source = own_path(params[key], folder)
    assert source is not None, "the plan has read it"
    name = source.relative_to(folder.resolve())
    target = into / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    params[key] = str(name)
