"""Which columns are still needed behind each node."""

from __future__ import annotations

from tests.graph.support import graph, node, planned
from worker.graph.needs import needed_behind, wanted
from worker.nodes.base import TOPIC_COLUMN

NODES = [
    node("low", "Filter", column="a", op="gt", value=0, reason="low"),
    node("b", "FillNa", columns={"b": 0}),
    node("less", "Filter", column="b", op="gt", value=0, reason="less"),
]


def test_what_is_needed_behind_each_node() -> None:
    """What nodes after it read, and what the sink writes; the topic decides where it goes."""
    made = planned(graph(*NODES, sink={"topic": "out", "fields": ["t"]}))
    nodes = [step.node for step in made.steps]
    sink = {"t", TOPIC_COLUMN}
    assert needed_behind(nodes, ["t"]) == [{"b", *sink}, {"b", *sink}, sink]
    assert [step.needed for step in made.steps] == needed_behind(nodes, ["t"])
    assert needed_behind([], ["t"]) == []


def test_what_is_wanted_of_an_event() -> None:
    """By any node, or by the sink."""
    made = planned(graph(*NODES, sink={"topic": "out", "fields": ["t"]}))
    assert wanted([step.node for step in made.steps], ["t"]) == {"a", "b", "t"}
