"""``rtml tune``: what is measured, what follows from it, and that it ends in time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.cli.conftest import DATA, ROOT, Rtml
from tests.graph.planning import planned
from tests.graph.support import node
from tests.models.makers import saved
from worker.cli.loading import load_graph
from worker.cli.tuning.measure import Cell
from worker.cli.tuning.precision import Precision, precision
from worker.cli.tuning.propose import propose
from worker.graph.plan import plan
from worker.graph.spec import parse
from worker.models import threads
from worker.nodes.onnx_node import ONNXNode


def cell(threads_: int, batch: int, us_per_event: float, slowest_ms: float = 0.0) -> Cell:
    """A measurement; its slowest batch may be far from the others."""
    seconds = us_per_event * batch / 1e6
    slow = [max(slowest_ms / 1_000, seconds)]
    return Cell(threads_, batch, [[seconds] * 3, [seconds] * 3, [*[seconds] * 3, *slow]])


def test_throughput_takes_the_smallest_of_the_best() -> None:
    """Within 3 % nothing is gained by waiting for more events."""
    cells = [cell(1, 1, 100), cell(1, 512, 10.2), cell(1, 1_024, 10), cell(1, 4_096, 10.5)]
    found = propose(cells, None)
    assert found.settings() == {"RTML_MAX_BATCH_EVENTS": 512}


def test_a_target_bounds_the_batch() -> None:
    """Of the batches whose p99 fits, the cheapest per event; a single slow one counts."""
    cells = [cell(1, 1, 100), cell(1, 64, 20), cell(1, 512, 10, slowest_ms=9), cell(1, 1_024, 9)]
    assert propose(cells, 5.5).settings() == {"RTML_MAX_BATCH_EVENTS": 64}
    assert propose(cells, 10).settings() == {"RTML_MAX_BATCH_EVENTS": 1_024}


def test_a_target_out_of_reach_is_told() -> None:
    """No setting is proposed, and the least that can be had is named."""
    found = propose([cell(1, 1, 2_000), cell(1, 64, 100)], 1.0)
    assert (found.cell, found.settings()) == (None, {})
    assert found.reason.startswith("even 1 at a time takes 2.000 ms (p99)")


@pytest.mark.parametrize(("with_two", "expected"), [(6.0, 2), (7.0, 1)])
def test_threads_are_proposed_where_replicas_would_gain_less(
    with_two: float, expected: int
) -> None:
    """A second thread must bring at least 0.75 of a second replica, which always doubles."""
    found = propose([cell(1, 512, 10), cell(2, 512, with_two)], None)
    assert found.cell is not None
    assert found.cell.threads == expected


def test_the_table_as_json(rtml: Rtml) -> None:
    """Every size with every number of threads, the settings as they are among them, in time."""
    begun_s = time.monotonic()
    done = rtml("tune", ROOT / "graphs" / "digits", "--seconds", "1", "-o", "json")
    assert (done.code, done.err) == (0, "")
    assert time.monotonic() - begun_s < 60
    found = done.json
    assert (found["graph"], found["events"], found["scored"]) == ("digits", 450, 450)
    assert found["now"] == {"threads": 1, "batch": 2_048}
    measured = found["measured"]
    counts = {one["threads"] for one in measured}
    assert counts == set(range(1, min(int(threads.cpus()), 4) + 1))
    assert len(measured) == len(counts) * len({one["batch"] for one in measured})
    (now,) = [one for one in measured if (one["threads"], one["batch"]) == (1, 2_048)]
    assert now["ratio"] == 1.0
    for one in measured:
        assert one["events_per_second"] * one["us_per_event"] == pytest.approx(1e6)
        assert one["p50_ms"] <= one["p99_ms"]
    # What every machine shows: an event alone costs several times what it costs among many.
    (alone,) = [one for one in measured if (one["threads"], one["batch"]) == (1, 1)]
    assert alone["us_per_event"] > 3 * now["us_per_event"]
    assert found["proposed"]["RTML_MAX_BATCH_EVENTS"] > 1
    assert {one["output"] for one in found["precision"]} == {"label", "probabilities", "confidence"}


def test_the_table_for_people(
    rtml: Rtml, graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was measured, what is set now, and the variables to set; batches stay within bytes."""
    file = tmp_path / "events.jsonl"
    file.write_text('{"f0": 1, "f1": 2}\n' * 10)
    monkeypatch.setenv("RTML_MAX_BATCH_BYTES", "18000")
    done = rtml("tune", graph, file, "--seconds", "0.5")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("fraud: 10 events of 18 bytes, 10 scored; ")
    assert lines[1].split()[:3] == ["threads", "batch", "events/s"]
    sizes = {line.split()[1] for line in lines if line.split()[:1] == ["1"]}
    assert sizes == {"1", "4", "16", "64", "256", "512", "1,000"}
    assert sum("now" in line.split("ms")[-1] for line in lines) == 1
    assert any(line.startswith("RTML_MAX_BATCH_EVENTS=") for line in lines)
    assert "\x1b" not in done.out


def test_a_target_that_cannot_be_met_is_an_answer_of_no(rtml: Rtml, graph: Path) -> None:
    """Exit 1, with what it takes at least."""
    done = rtml("tune", graph, "--seconds", "0.5", "--p99-ms", "0.001")
    assert (done.code, "a smaller model" in done.err) == (1, True)
    assert "RTML_MAX_BATCH_EVENTS=" not in done.out


def test_a_file_without_events_is_refused(rtml: Rtml, graph: Path, tmp_path: Path) -> None:
    """Exit 2 before anything is measured."""
    file = tmp_path / "events.jsonl"
    file.write_text("")
    done = rtml("tune", graph, file)
    assert (done.code, "holds no event" in done.err) == (2, True)


def compared(model: str, events: list[bytes], folder: Path = DATA) -> list[Precision]:
    """A model of features a, b beside itself in double."""
    data = {
        "name": "g",
        "source": {
            "topic": "in",
            "schema": {"type": "object", "properties": {n: {"type": "number"} for n in "ab"}},
        },
        "nodes": [node("m", "ONNXNode", model=model, features=["a", "b"])],
        "sink": {"topic": "out"},
    }
    return precision(plan(parse(data), folder), {"m": folder / model}, events)


def test_rounding_is_seen_and_is_no_difference() -> None:
    """A smooth model differs in the last digits of float32 only."""
    events = [b'{"a": %f, "b": 0.1}' % (i / 7) for i in range(200)]
    label, probabilities = compared("lr.onnx", events)
    assert (label.output, label.events, label.beyond) == ("label", 200, 0)
    assert (probabilities.beyond, probabilities.largest < 1e-6) == (0, True)


def test_a_number_that_float32_cannot_hold_is_counted(tmp_path: Path) -> None:
    """a - b of 16777217 and 16777216 is 1 in double, and 0 in float32: that event differs."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])
    weights = numpy_helper.from_array(np.array([[1.0], [-1.0]], np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [weights]
    )
    model: Any = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10
    )
    path = saved(tmp_path, model)
    events = [b'{"a": 16777217, "b": 16777216}', b'{"a": 3, "b": 1}', b'{"a": null, "b": 1}']
    (found,) = compared(path.name, events, tmp_path)
    assert (found.output, found.events, found.beyond) == ("y", 2, 1)


def test_what_has_no_reference_says_why() -> None:
    """A model whose inputs are no float32 has nothing to be widened."""
    features = {"count": "n", "amount": "a"}
    given = node("m", "ONNXNode", model="int_double.onnx", features=features)
    made = planned([given], properties={"n": {"type": "integer"}})
    (found,) = precision(made, {"m": DATA / "int_double.onnx"}, [b'{"n": 1, "a": 2}'])
    assert found == Precision("m", reason="no input of the model is float32")


def test_the_setting_reaches_the_model(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RTML_MODEL_THREADS is what a session of the graph asks for, bounded by the CPUs."""
    monkeypatch.setattr(threads, "cpus", lambda: 2.0)
    try:
        for said, expected in (("", 1), ("2", 2), ("8", 2)):
            monkeypatch.setenv("RTML_MODEL_THREADS", said)
            steps = load_graph(graph).plan.steps
            (found,) = [step.node for step in steps if isinstance(step.node, ONNXNode)]
            options = found.session._session.get_session_options()
            assert options.intra_op_num_threads == expected
    finally:
        threads.use(1)
