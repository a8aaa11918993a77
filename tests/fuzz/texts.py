"""Graph files that are nearly right: good ones with pieces cut out, doubled or replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

PLAIN = """\
name: fraud
source:
  topic: tx
  schema: {type: object, required: [f0], properties: {f0: {type: number}, t: {type: string}}}
nodes:
  - {id: map, type: Map, params: {column: t, mapping: {a: 1, b: 2}, default: 0, into: m}}
  - {id: cut, type: Cut, params: {column: f0, bins: [0, 1, 2], into: bin}}
  - {id: more, type: Derive, params: {into: d, expression: "f0 * 2 + 1"}}
edges: [[map, cut], [cut, more]]
sink: {topic: tx-scored, fields: [m, d], into: merge}
delivery: {guarantee: at_least_once}
"""
JSON = (
    '{"name": "fraud", "source": {"topic": "tx", "schema": {"type": "object", "properties": '
    '{"f0": {"type": "number"}, "f1": {"type": "number"}}}}, "nodes": [{"id": "s", "type": '
    '"ONNXNode", "params": {"model": "lr.onnx", "features": ["f0", "f1"], "outputs": {"p": '
    '"probabilities[1]"}}}], "sink": {"topic": "out"}}'
)
PIECES = (
    *("&a ", "*a", "!!python/object/apply:os.system [id]", "!!python/name:os.system", "!", "|"),
    *("{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "\t", "#", "'", '"', "%", "@", "`", ">"),
    *("null", "true", "-1", "0", "1e400", "9" * 30, "~", "<<: *a", "? ", "\\ud800", "\\", "\0"),
    *("../lr.onnx", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/m.onnx", "s3://b/m"),
    *("__import__('os').system('id')", "f0.__class__", "lambda: 0", "eval", "$schema", "lr@1"),
    *("f0", "t", "ONNXNode", "Route", "Pandas", "params", "type", "id", "exactly_once", "é"),
    *("-dlq", "---\n"),
)


@st.composite
def graph_texts(draw: Callable[[Any], Any]) -> str:
    """One of the two with up to three changes."""
    text: str = draw(st.sampled_from([PLAIN, JSON]))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 12, len(text))))
        kind = draw(st.integers(0, 3))
        piece = [draw(st.sampled_from(PIECES)), "", text[start:end] * 2, draw(st.text(max_size=3))]
        text = text[:start] + piece[kind] + text[end:]
    return text
