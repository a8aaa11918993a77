"""``rtml explain``: an event, node by node."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Rtml

EXAMPLES = ["breast-cancer", "car-insurance", "digits"]
EVENTS = b'{"f0": 1}\n{"f0": -1}\n{"f0": 101}\n{broken\n{"f0": 2, "x": {}}\n'


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=() if one == "digits" else pytest.mark.long) for one in EXAMPLES],
)
def test_the_record_is_that_of_score(rtml: Rtml, name: str) -> None:
    """The same bytes as `rtml score` for the first hundred samples of every example."""
    graph = ROOT / "graphs" / name
    scored = rtml("score", graph, graph / "events.jsonl")
    done = rtml("explain", graph, "--simulate", "-n", "100", "-o", "json")
    found = done.json["events"]
    assert len(found) == 100
    records = [event["record"] for event in found if event["outcome"] == "scored"]
    assert records == scored.out.splitlines()[: len(records)]
    assert len(records) > 50


def test_every_step_is_told(rtml: Rtml, graph: Path) -> None:
    """Decoded columns, what each node read and wrote, the model's input and output, the record."""
    done = rtml("explain", graph, "-o", "json", stdin=EVENTS)
    assert (done.code, done.err) == (0, "")
    (event,) = done.json["events"]
    assert event["decoded"] == [
        {"column": "f0", "type": "float64", "value": 1.0, "missing": False},
        {"column": "f1", "type": "float64", "value": 1.0, "missing": False},
    ]
    positive, small, model = event["nodes"]
    assert [node["id"] for node in event["nodes"]] == ["positive", "small", "score"]
    assert (positive["decision"], small["wrote"]) == (None, [])
    assert model["inputs"] == [
        {"name": "X", "dtype": "float32", "shape": [2], "values": [1.0, 1.0]}
    ]
    (output,) = model["outputs"]
    (written,) = model["wrote"]
    assert (output["name"], output["values"][1]) == ("probabilities", written["value"])
    assert (written["column"], written["new"], written["before"]) == ("score", True, None)
    assert math.isclose(json.loads(event["record"])["score"], written["value"])
    times = done.json["milliseconds"]
    assert set(times["nodes"]) == {"positive", "small", "score"}
    assert min(times["decode"], times["encode"], *times["nodes"].values()) > 0


def test_several_events_have_their_own_ways(rtml: Rtml, graph: Path) -> None:
    """Scored, dropped, rejected by a node, not even read: each where it ended; exit 1."""
    done = rtml("explain", graph, "-n", "9", "-o", "json", stdin=EVENTS)
    assert done.code == 1
    events = done.json["events"]
    assert [event["row"] for event in events] == [1, 2, 3, 4, 5]
    outcomes = ["scored", "dropped", "rejected", "rejected", "scored"]
    assert [event["outcome"] for event in events] == outcomes
    reached = [[node["reached"] for node in event["nodes"]] for event in events]
    assert reached == [
        [True] * 3,
        [True, False, False],
        [True, True, False],
        [False] * 3,
        [True] * 3,
    ]
    assert events[1]["nodes"][0]["decision"]["reason"] == "negative"
    assert events[2]["nodes"][1]["decision"]["stage"] == "validate"
    assert (events[3]["error"], events[3]["decoded"]) == ("MalformedJson", [])


def test_the_picture(rtml: Rtml, graph: Path) -> None:
    """A line down the nodes: what is read, fed, given, written; the record at its end."""
    done = rtml("explain", graph, "--row", "5", stdin=EVENTS)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "event 5"
    heads = [line.split()[1] for line in lines if line.startswith("├ ")]
    assert heads == ["decode", "positive", "small", "score"]
    assert "│   read  f0  float64  2.0" in lines
    assert "│   fed  X float32[1, 2]" in lines
    assert any(line.startswith("│   wrote  score  float32    0.") for line in lines)
    (end,) = [i for i, line in enumerate(lines) if line.startswith("└ scored to tx-scored, ")]
    assert lines[end + 1] == "  " + rtml("score", graph, stdin=b'{"f0": 2, "x": {}}').out.rstrip()
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("event", "code", "said"),
    [
        (b'{"f0": -1}', 0, "└ dropped by positive: negative"),
        (b'{"f0": 101}', 1, "└ rejected (validate small): RangeError: column 'f0': 101.0 is above"),
        (b"{\x1b[2J", 1, "└ rejected (decode): MalformedJson"),
    ],
)
def test_the_picture_of_what_is_not_scored(
    rtml: Rtml, graph: Path, event: bytes, code: int, said: str
) -> None:
    """The end says where and why, nodes behind it that it did not come; bytes do not steer."""
    done = rtml("explain", graph, stdin=event)
    assert done.code == code
    assert said in done.out
    assert "├ score  ONNXNode, the event did not come here" in done.out
    assert "\x1b" not in done.out


def test_samples_are_made_up_where_there_are_none(rtml: Rtml, graph: Path) -> None:
    """--simulate needs no file: events up to the schema."""
    done = rtml("explain", graph, "--simulate", "-n", "3", "-o", "json")
    assert [event["row"] for event in done.json["events"]] == [1, 2, 3]


def test_what_cannot_be_explained_is_refused(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """No such event, two sources, no such file: exit 2 with the reason."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(EVENTS)
    missing = rtml("explain", graph, file, "--row", "6")
    assert (missing.code, missing.out) == (2, "")
    assert "there is no event 6" in missing.err
    both = rtml("explain", graph, file, "--simulate")
    assert (both.code, "exclude each other" in both.err) == (2, True)
    assert rtml("explain", graph, tmp_path / "none.jsonl").code == 2
