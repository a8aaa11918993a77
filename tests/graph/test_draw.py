"""Pictures of graphs: layout, SVG and Mermaid."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.graph.planning import planned
from tests.graph.support import node
from worker.graph.draw import Look, boxes, edges, mermaid
from worker.graph.layout import layout
from worker.graph.plan import Plan
from worker.graph.svg import svg

SVG = "{http://www.w3.org/2000/svg}"


def diamond() -> Plan:
    """Two branches that meet, a decision, a model and a routed topic."""
    return planned(
        [
            node("start", "Clip", columns=["a"], lower=0),
            node("left", "Copy", columns={"a": "l"}),
            node("right", "Arithmetic", left="b", op="*", right=2, into="r"),
            node("meet", "ONNXNode", model="lr.onnx", features=["l", "r"],
                 outputs={"p": "probabilities[1]"}),
            node("keep", "Filter", column="p", op="gt", value=0.1, reason="low"),
            node("band", "Cut", column="p", bins=[0, 0.5, 1], labels=["low", "high"], into="band"),
            node("desk", "Route", column="band", topics={"high": "review"}),
        ],
        edges=[("start", "left"), ("start", "right"), ("left", "meet"), ("right", "meet"),
               ("meet", "keep"), ("keep", "band"), ("band", "desk")],
        fields=["p"],
    )  # fmt: skip


def test_boxes_and_arrows_are_those_of_the_plan() -> None:
    """Source, nodes and every topic are boxes; arrows follow the edges, source and sinks too."""
    plan = diamond()
    shown = {box.key: (box.title, box.below) for box in boxes(plan)}
    assert [title for title, _ in shown.values()] == [
        "in", "start", "left", "right", "meet", "keep", "band", "desk", "out", "review",
    ]  # fmt: skip
    assert shown["n3"] == ("meet", "ONNXNode · lr.onnx")
    assert [(shown[a][0], shown[b][0]) for a, b in edges(plan)] == [
        ("in", "start"), ("start", "left"), ("start", "right"), ("left", "meet"),
        ("right", "meet"), ("meet", "keep"), ("keep", "band"), ("band", "desk"),
        ("desk", "out"), ("desk", "review"),
    ]  # fmt: skip


def test_a_node_that_passes_everything_on_is_no_decision() -> None:
    """It looks at nothing, unlike a Filter, Validate or Route."""
    plan = planned(
        [
            node("enter", "Receiver", fields=["a"]),
            node("keep", "Filter", column="a", op="gt", value=0, reason="low"),
        ],
        fields=["a"],
    )
    looks = {box.title: box.look for box in boxes(plan)}
    assert (looks["enter"], looks["keep"]) == (Look.STEP, Look.DECISION)


def test_svg_is_xml_that_needs_nothing_else() -> None:
    """The SVG parses, names every box, and refers to nothing outside of itself."""
    plan = diamond()
    text = svg(plan)
    root = ET.fromstring(text)
    words = {element.text for element in root.iter(f"{SVG}text")}
    assert {"in", "out", "review", "in-dlq", "meet", "desk", "tested"} <= words
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in text


def rectangles(text: str) -> list[tuple[float, float, float, float]]:
    """The boxes of an SVG as left, top, right, bottom; without background, frame and stripes."""
    found = []
    for group in ET.fromstring(text).iter(f"{SVG}g"):
        box = next(group.iter(f"{SVG}rect")).attrib
        x, y, width, height = (float(box[key]) for key in ("x", "y", "width", "height"))
        found.append((x, y, x + width, y + height))
    return found


def chain(n: int) -> Plan:
    """n nodes in a row."""
    return planned(
        [node(f"step_{i}", "Clip", columns=["a"], lower=i) for i in range(n)], fields=["a"]
    )


@pytest.mark.parametrize("plan", [diamond(), chain(1), chain(15)], ids=["diamond", "1", "15"])
def test_no_box_covers_another(plan: Plan) -> None:
    """Boxes stand apart, and inside the picture."""
    text = svg(plan)
    found = rectangles(text)
    x, y, width, height = map(float, ET.fromstring(text).attrib["viewBox"].split())
    assert len(found) == len(boxes(plan)) + 1
    for i, (left, top, right, bottom) in enumerate(found):
        assert x <= left
        assert y <= top
        assert right <= x + width
        assert bottom <= y + height
        for other in found[i + 1 :]:
            beside = right < other[0] or other[2] < left
            assert beside or bottom < other[1] or other[3] < top


def test_the_size_of_a_chain_grows_by_its_nodes_only() -> None:
    """Fifteen nodes in a row are as wide as one."""
    widths = [ET.fromstring(svg(chain(n))).attrib["width"] for n in (2, 15)]
    assert widths[0] == widths[1]


def test_long_names_are_cut() -> None:
    """A name that fills no box is cut, and told in full to who points at it."""
    name = "n" * 100
    text = svg(planned([node(name, "Clip", columns=["a"], lower=0)], fields=["a"]))
    shown = [element.text or "" for element in ET.fromstring(text).iter(f"{SVG}text")]
    assert max(map(len, shown)) < 40
    assert f"{name}: Clip" in text


def test_text_is_escaped() -> None:
    """What a graph calls its columns is text in a picture, never markup."""
    odd = '<b>&"x"]'
    plan = planned([node("copy", "Copy", columns={"a": odd})], fields=[odd])
    assert f"Copy · {odd}" in {e.text for e in ET.fromstring(svg(plan)).iter(f"{SVG}text")}
    assert "Copy · #60;b#62;#38;#34;x#34;#93;" in mermaid(plan)


def test_mermaid_has_a_line_per_box_and_arrow() -> None:
    """The flowchart declares every box, its look, and every arrow."""
    lines = mermaid(diamond()).splitlines()
    assert lines[0] == "flowchart TB"
    assert '  source(["in<br/><small>source topic</small>"]):::topic' in lines
    assert '  n3["meet<br/><small>ONNXNode · lr.onnx</small>"]:::model' in lines
    assert '  n4["keep<br/><small>Filter · p</small>"]:::decision' in lines
    assert [line for line in lines if "-->" in line][-1] == "  n6 --> t1"
    assert "  source -. rejected .-> dead" in lines


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    """A random graph whose boxes each hang below an earlier one."""
    n = draw(st.integers(2, 14))
    names = [f"b{i}" for i in range(n)]
    found = set()
    for i in range(1, n):
        parents = draw(st.lists(st.integers(0, i - 1), min_size=1, max_size=3, unique=True))
        found |= {(names[parent], names[i]) for parent in parents}
    return names, sorted(found)


@given(graphs())
def test_layouts_have_no_overlaps(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    """Whatever the graph: edges point down, and boxes and passing edges keep their distance."""
    names, arrows = graph
    widths = dict.fromkeys(names, 100.0)
    placed = layout(widths, arrows, gap=20, passing=30)
    rows: dict[int, list[tuple[float, float]]] = {}
    for name, (x, row) in placed.boxes.items():
        rows.setdefault(row, []).append((x, widths[name]))
    for (a, b), way in placed.edges.items():
        assert [row for _, row in way] == list(range(placed.boxes[a][1], placed.boxes[b][1] + 1))
        assert (way[0], way[-1]) == (placed.boxes[a], placed.boxes[b])
        for x, row in way[1:-1]:
            rows.setdefault(row, []).append((x, 30.0))
    for places in rows.values():
        for (x1, width1), (x2, width2) in pairwise(sorted(places)):
            assert x2 - x1 >= (width1 + width2) / 2 + 20 - 1e-6


def test_branches_of_different_length_run_straight() -> None:
    """With room, the edge beside a long branch has no bend, and the branch neither."""
    names = ["top", *(f"long{i}" for i in range(6)), "short", "end"]
    long = ["top", *names[1:7], "end"]
    arrows = [*pairwise(long), ("top", "short"), ("short", "end")]
    widths: dict[str, Any] = dict.fromkeys(names, 100.0)
    placed = layout(widths, arrows, gap=20, passing=100)
    assert len({round(placed.boxes[name][0], 3) for name in names[1:7]}) == 1
    assert len({round(x, 3) for x, _ in placed.edges["short", "end"][:-1]}) == 1
