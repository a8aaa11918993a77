"""What commands write never takes the place of what they read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Rtml, change
from worker.cli.files import refuse_overwriting
from worker.errors import ConfigError

INPUTS = ("graph.yaml", "schema.json", "lr.onnx", "cases.yaml", "in.jsonl")
SCHEMA = '{"type": "object", "required": ["f0"], "properties": {"f0": {"type": "number"}, '
SCHEMA += '"f1": {"type": "number", "default": 1}}}'


@pytest.fixture
def folder(graph: Path) -> Path:
    """A graph with its schema in a file, cases and events beside it."""
    text = (graph / "graph.yaml").read_text()
    inline = text[text.index("  schema:") : text.index("nodes:")]
    change(graph, inline, "  schema: schema.json\n")
    (graph / "schema.json").write_text(SCHEMA)
    (graph / "cases.yaml").write_text("cases: [{name: a, event: {f0: 1}, expect: {scored: {}}}]\n")
    (graph / "in.jsonl").write_text('{"f0": 1}\n')
    return graph


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("flag", ["--out", "--rejects"])
def test_scoring_overwrites_nothing_it_reads(
    rtml: Rtml, folder: Path, name: str, flag: str
) -> None:
    """Neither the graph, its schema, model and cases nor the events: exit 2, all left alone."""
    before = (folder / name).read_bytes()
    done = rtml("score", folder, folder / "in.jsonl", flag, folder / name)
    message = f"{folder / name} is read by this command; name another file to write to"
    assert (done.code, done.out, done.err) == (2, "", f"{message}\n1 problem\n")
    assert (folder / name).read_bytes() == before


@pytest.mark.parametrize("name", INPUTS[:-1])
def test_drawing_overwrites_nothing_it_reads(rtml: Rtml, folder: Path, name: str) -> None:
    """The same for a picture, whatever its format."""
    before = (folder / name).read_bytes()
    done = rtml("draw", folder, "--format", "svg", "--out", folder / name)
    assert (done.code, "is read by this command" in done.err) == (2, True)
    assert (folder / name).read_bytes() == before


def test_a_json_schema_replaces_only_its_own_kind(rtml: Rtml, folder: Path) -> None:
    """``rtml schema --out`` over a graph or a schema of events is refused; a second time it is not.

    It reads no file, so nothing but the content tells that one would be lost.
    """
    for name in ("graph.yaml", "schema.json"):
        before = (folder / name).read_bytes()
        done = rtml("schema", "--out", folder / name)
        assert (done.code, "is there already" in done.err) == (2, True)
        assert (folder / name).read_bytes() == before
    assert [rtml("schema", "--out", folder / "rtml.json").code for _ in range(2)] == [0, 0]


def test_other_names_of_a_file_are_found_out(tmp_path: Path) -> None:
    """Symbolic links, hard links and roundabout paths; and every one is told at once."""
    file = tmp_path / "a"
    file.touch()
    (tmp_path / "soft").symlink_to(file)
    os.link(file, tmp_path / "hard")
    names = [tmp_path / "soft", tmp_path / "hard", tmp_path / ".." / tmp_path.name / "a"]
    for name in names:
        with pytest.raises(ConfigError, match="is read by this command"):
            refuse_overwriting([name], [file])
    with pytest.raises(ConfigError) as caught:
        refuse_overwriting(names, [file])
    assert len(caught.value.problems) == len(names)


def test_devices_and_new_files_may_be_written(tmp_path: Path) -> None:
    """Two flags may name /dev/null; files that are not there yet only must not be the same."""
    null = Path(os.devnull)
    refuse_overwriting([null, null, tmp_path / "x", None], [null, None, tmp_path / "y"])
    with pytest.raises(ConfigError, match="is named twice"):
        refuse_overwriting([tmp_path / "x", tmp_path / "x"], [])
