"""``rtml draw`` and ``rtml schema``."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from tests.cli.conftest import Rtml, change
from worker.cli.loading import load_graph
from worker.graph.draw import mermaid
from worker.graph.json_schema import graph_schema
from worker.graph.svg import svg
from worker.nodes.registry import kinds


def test_svg_to_stdout(rtml: Rtml, graph: Path) -> None:
    """Without flags the picture is an SVG on stdout, and nothing else."""
    done = rtml("draw", graph)
    assert (done.code, done.err) == (0, "")
    assert done.out == svg(load_graph(graph).plan)
    assert ET.fromstring(done.out).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize(
    ("name", "flags", "expected"),
    [
        ("picture.svg", [], svg),
        ("picture.mmd", [], mermaid),
        ("picture.md", ["--format", "svg"], svg),
        ("picture", ["--format", "mermaid"], mermaid),
        ("picture", [], svg),
    ],
)
def test_pictures_in_files(
    rtml: Rtml, graph: Path, name: str, flags: list[str], expected: object
) -> None:
    """``--out`` writes the file; its name tells the format unless a flag does."""
    file = graph / name
    done = rtml("draw", graph, "--out", file, *flags)
    assert (done.code, done.out) == (0, "")
    assert file.read_text() == expected(load_graph(graph).plan)  # type: ignore[operator]


@pytest.mark.parametrize("name", ["x.png", "x.PDF", "x.yaml", "x.svg.gz"])
def test_a_name_of_another_format_is_refused(rtml: Rtml, graph: Path, name: str) -> None:
    """No SVG in a file called .png; what can be written is named, and --format takes any name."""
    done = rtml("draw", graph, "--out", graph / name)
    assert (done.code, (graph / name).exists()) == (2, False)
    assert "no format that can be written: .svg, .mmd, .mermaid; or give --format" in done.err
    assert rtml("draw", graph, "--out", graph / name, "--format", "svg").code == 0


@pytest.mark.long
def test_a_dense_graph_is_refused_at_once(rtml: Rtml, graph: Path) -> None:
    """Each of 121 nodes feeding all behind it: no picture, but Mermaid; a long chain is drawn."""
    node = "{{id: n{i}, type: Filter, params: {{column: f0, op: ge, value: {i}, reason: r}}}}"
    head = "name: d\nsource: {topic: t, schema: {type: object, properties: {f0: {type: number}}}}\n"
    for n, links in ((121, combinations(range(121), 2)), (300, pairwise(range(300)))):
        nodes = ", ".join(node.format(i=i) for i in range(n))
        edges = ", ".join(f"[n{a}, n{b}]" for a, b in links)
        text = f"{head}nodes: [{nodes}]\nedges: [{edges}]\nsink: {{topic: u, fields: [f0]}}\n"
        (graph / f"{n}.yaml").write_text(text)
    done = rtml("draw", graph / "121.yaml")
    assert (done.code, done.out) == (2, "")
    assert f"{graph}/121.yaml has 7,262 arrows, more than a picture can show" in done.err
    assert rtml("draw", graph / "121.yaml", "--format", "mermaid").out.count(" --> ") == 7_262
    assert rtml("draw", graph / "300.yaml").out.endswith("</svg>\n")


def test_a_refused_graph_is_not_drawn(rtml: Rtml, graph: Path) -> None:
    """Problems instead of a picture, and no file."""
    change(graph, "type: Filter", "type: Filtre")
    done = rtml("draw", graph, "--out", graph / "x.svg")
    assert (done.code, (graph / "x.svg").exists()) == (2, False)
    assert "no node kind 'Filtre'; did you mean 'Filter'?" in done.err


def test_a_file_that_cannot_be_written(rtml: Rtml, graph: Path) -> None:
    """Exit 2 with the reason."""
    done = rtml("draw", graph, "--out", graph / "no" / "x.svg")
    assert done.code == 2
    assert done.err == f"{graph}/no/x.svg cannot be written: No such file or directory\n1 problem\n"


def test_schema_to_stdout_and_file(rtml: Rtml, tmp_path: Path) -> None:
    """``rtml schema`` prints the JSON Schema, or writes it."""
    done = rtml("schema")
    assert json.loads(done.out) == graph_schema(kinds())
    assert rtml("schema", "--out", tmp_path / "s.json").code == 0
    assert (tmp_path / "s.json").read_text() == done.out
