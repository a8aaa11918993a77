"""What a graph file may say."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from worker.errors import ConfigError, Problem
from worker.graph.sizes import beyond
from worker.graph.text import Document, read
from worker.nodes.route import Topic
from worker.problems import Location, dotted, problems_of

MAX_NODES = 1_000
MAX_TOPIC_LENGTH = 249
ENVELOPE = ("edge", "applicationDsl")
"""Where Adobe's Real-time Machine Learning keeps the graph in its JSON."""

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")]


class Part(BaseModel):
    """A part of a graph file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


class SourceSpec(Part):
    """Where events come from, and which fields they have."""

    topic: Topic
    event_schema: dict[str, Any] | str = Field(
        alias="schema", description="a JSON Schema, inline or the name of a file beside the graph"
    )
    start: Literal["earliest", "latest"] | datetime.datetime = Field(
        default="earliest",
        description="where a group without committed offsets begins: earliest, latest or a time",
    )
    format: Literal["json"] = "json"
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed"


class NodeSpec(Part):
    """One node: its kind and the params of that kind."""

    id: Identifier
    type: str = Field(description="the node's kind; `rtml nodes` lists them")
    params: dict[str, Any] = Field(default_factory=dict)


class SinkSpec(Part):
    """Where scored events go, and what is written."""

    topic: Topic
    fields: list[str] | None = Field(
        default=None, description="columns to write; by default what the last nodes wrote"
    )
    into: Literal["merge", "only"] = Field(
        default="merge", description="merge: add the fields to the event; only: just the fields"
    )
    headers: bool = Field(default=True, description="lineage headers on scored records")
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "none"


class DeadLetterSpec(Part):
    """Where events go that cannot be scored."""

    topic: Topic


class DeliverySpec(Part):
    """What is promised about lost and repeated events."""

    guarantee: Literal["at_least_once", "exactly_once"] = "at_least_once"


class GraphSpec(Part):
    """A graph file: where events come from, what is done to them, where they go."""

    name: Identifier
    description: str = ""
    source: SourceSpec
    nodes: list[NodeSpec] = Field(min_length=1, max_length=MAX_NODES)
    edges: list[tuple[str, str]] | None = Field(
        default=None, description="[from, to] pairs; without them the nodes are a chain"
    )
    sink: SinkSpec
    dead_letter: DeadLetterSpec | None = Field(
        default=None, description="by default the source's topic with -dlq"
    )
    delivery: DeliverySpec = DeliverySpec()

    @model_validator(mode="before")
    @classmethod
    def _drop_modeline(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if key != "$schema"}
        return data

    @property
    def links(self) -> list[tuple[str, str]]:
        """The edges, a chain in file order where none are given."""
        if self.edges is not None:
            return [(a, b) for a, b in self.edges]
        ids = [node.id for node in self.nodes]
        return list(itertools.pairwise(ids))

    @property
    def dead_letter_topic(self) -> str:
        """The dead-letter topic."""
        return self.dead_letter.topic if self.dead_letter else f"{self.source.topic}-dlq"

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of this file, hex; of a schema elsewhere only the name."""
        canonical = self.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(
            json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()


def parse(data: object) -> GraphSpec:
    """The graph that ``data`` describes, flat or in Adobe's envelope.

    Raises:
        ConfigError: every structural problem, with its path in ``data``.
    """
    inner, prefix = unwrap(data)
    if prefix and isinstance(inner, Mapping) and not inner.keys() & {"name", "source", "sink"}:
        message = (
            "this DSL of a notebook names no topics and no schema: publish it with EdgeUtils "
            "or `rtml service publish`, which derive them, or add name, source and sink"
        )
        raise ConfigError(Problem(prefix, message))
    if not isinstance(inner, Mapping):
        raise ConfigError(Problem(prefix, "a graph is a mapping: name, source, nodes, sink"))
    if broken := [*_no_text(inner, ()), *beyond(inner)]:
        raise ConfigError(p.within(prefix) if prefix else p for p in broken)
    try:
        return GraphSpec.model_validate(inner)
    except ValidationError as error:
        found = problems_of(error, GraphSpec, inner)
        raise ConfigError(p.within(prefix) if prefix else p for p in found) from error


def _no_text(data: object, place: Location) -> Iterator[Problem]:
    """Text that UTF-8 cannot write: a JSON escape gives half of a pair without complaint."""
    if isinstance(data, str):
        try:
            data.encode()
        except UnicodeEncodeError as error:
            lone = f"\\u{ord(data[error.start]):04x}"
            yield Problem(dotted(place), f"{lone} is half of a surrogate pair, and no character")
    elif isinstance(data, Mapping):
        for key, value in data.items():
            broken = list(_no_text(key, place))
            yield from broken or _no_text(value, (*place, key))
    elif isinstance(data, Sequence):
        for i, value in enumerate(data):
            yield from _no_text(value, (*place, i))


def prefix_of(data: object) -> str:
    """Where the graph stands in ``data``: empty, or the path inside Adobe's envelope."""
    return unwrap(data)[1]


def unwrap(data: object) -> tuple[object, str]:
    """The graph itself, and its path in ``data``: empty, or inside Adobe's envelope."""
    inner, path = data, []
    for key in ENVELOPE:
        if not (isinstance(inner, Mapping) and key in inner):
            return data, ""
        inner = inner[key]
        path.append(key)
    return inner, ".".join(path)


def load(path: Path) -> tuple[GraphSpec, Document]:
    """The graph in a file, and the document that knows its lines.

    Raises:
        ConfigError: the file cannot be read, or every structural problem with its line.
    """
    document = read(path)
    try:
        return parse(document.data), document
    except ConfigError as error:
        raise ConfigError(document.locate(problem) for problem in error.problems) from error
