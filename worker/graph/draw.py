"""A plan as boxes and arrows, and as Mermaid text; `svg` draws them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from worker.graph.layout import Edge
from worker.graph.lineage import decides_only
from worker.graph.plan import Plan, Step
from worker.nodes.onnx_node import ONNXNode

_MAX_COLUMNS_SHOWN = 2


class Look(StrEnum):
    """What a box stands for."""

    TOPIC = "topic"
    STEP = "step"
    DECISION = "decision"
    MODEL = "model"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Colours:
    """Of a look; ``accent`` is dark enough to be read on ``fill``."""

    fill: str
    border: str
    accent: str


COLOURS = {
    Look.TOPIC: Colours("#e6f4ef", "#7fbfa6", "#12664a"),
    Look.STEP: Colours("#ffffff", "#cbd5e1", "#64748b"),
    Look.DECISION: Colours("#fffbeb", "#e9c46a", "#b45309"),
    Look.MODEL: Colours("#eef2ff", "#a5b4fc", "#4338ca"),
    Look.DEAD: Colours("#fdecec", "#e79a9a", "#a32020"),
}


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its key in the picture, a title, and a line below it."""

    key: str
    look: Look
    title: str
    below: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a picture shows: boxes, each after those that feed it, and arrows by their keys."""

    name: str
    boxes: list[Box]
    dead: Box
    edges: list[Edge]


def drawn(plan: Plan) -> Drawing:
    """A plan as boxes and arrows."""
    return Drawing(plan.spec.name, boxes(plan), dead_letters(plan), edges(plan))


def boxes(plan: Plan) -> list[Box]:
    """Source, nodes and sink topics, each after those that feed it."""
    topics = plan.topics
    return [
        Box("source", Look.TOPIC, plan.spec.source.topic, "source topic"),
        *(Box(f"n{i}", _look(step), step.id, _below(step)) for i, step in enumerate(plan.steps)),
        Box("t0", Look.TOPIC, topics[0], "sink topic"),
        *(Box(f"t{i}", Look.TOPIC, topics[i], "routed to") for i in range(1, len(topics))),
    ]


def dead_letters(plan: Plan) -> Box:
    """Where events go that cannot be scored, from anywhere in the graph."""
    return Box("dead", Look.DEAD, plan.spec.dead_letter_topic, "dead letters")


def edges(plan: Plan) -> list[Edge]:
    """The arrows between the boxes, by their keys."""
    keys = {step.id: f"n{i}" for i, step in enumerate(plan.steps)}
    found = []
    for step in plan.steps:
        befores = [keys[name] for name in step.before] or ["source"]
        found += [(before, keys[step.id]) for before in befores]
    found += [(keys[name], "t0") for name in plan.ends]
    for step in plan.steps:
        others = [topic for topic in step.node.topics if topic != plan.topics[0]]
        found += [(keys[step.id], f"t{plan.topics.index(topic)}") for topic in others]
    return list(dict.fromkeys(found))


def _look(step: Step) -> Look:
    if isinstance(step.node, ONNXNode):
        return Look.MODEL
    return Look.DECISION if decides_only(step.node) else Look.STEP


def _below(step: Step) -> str:
    """The kind, and what the node is about: its model, the columns it writes or looks at."""
    if isinstance(step.node, ONNXNode):
        return f"{step.kind} · {step.node.params.model}"
    signature = step.node.signature
    names = [name for name in signature.writes if not name.startswith("@")] or signature.reads
    if len(names) > _MAX_COLUMNS_SHOWN:
        return f"{step.kind} · {len(names)} columns"
    return f"{step.kind} · {', '.join(names)}" if names else step.kind


def mermaid(plan: Plan) -> str:
    """The graph as a Mermaid flowchart, as Markdown viewers draw it."""
    lines = ["flowchart TB"]
    for box in [*boxes(plan), dead_letters(plan)]:
        text = f"{_quoted(box.title)}<br/><small>{_quoted(box.below)}</small>"
        shape = f'(["{text}"])' if box.look in (Look.TOPIC, Look.DEAD) else f'["{text}"]'
        lines.append(f"  {box.key}{shape}:::{box.look}")
    lines += [f"  {a} --> {b}" for a, b in edges(plan)]
    lines.append("  source -. rejected .-> dead")
    for look, colours in COLOURS.items():
        style = f"fill:{colours.fill},stroke:{colours.border},color:#1e293b"
        lines.append(f"  classDef {look} {style}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Text that Mermaid and HTML take as it is: everything unusual as a numbered entity."""
    return "".join(c if c.isalnum() or c in " ._-·,/@:" else f"#{ord(c)};" for c in text)
