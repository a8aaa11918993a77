"""Inspect: a model is known before it is used, and a hostile one harms nobody."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from onnx import ModelProto, TensorProto, helper

from tests.cli.conftest import ROOT
from tests.graph.support import DATA
from tests.kafka.waiting import until
from tests.models.inspectors import ended, until_it_inspects
from tests.models.makers import FLOAT, identity, model, saved
from worker.errors import ConfigError
from worker.models import accepted
from worker.models.inspect import Limits, Port, inspect
from worker.models.limited import answer


def reasons(path: Path, limits: Limits | None = None) -> list[str]:
    """Why a file is refused; each problem names it."""
    with pytest.raises(ConfigError) as caught:
        inspect(path, limits)
    assert {problem.file for problem in caught.value.problems} == {str(path)}
    return [problem.message for problem in caught.value.problems]


def test_a_good_model_is_known() -> None:
    """What the file says, what the model does, and that a row's result is its own."""
    path = DATA / "lr.onnx"
    report = inspect(path)
    assert report.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert report.size_bytes == path.stat().st_size
    assert report.producer.startswith("skl2onnx ")
    assert set(report.opsets) == {"ai.onnx", "ai.onnx.ml"}
    assert report.ir_version == 8
    assert report.inputs == {"X": Port("float32", (2,))}
    assert report.outputs == {
        "label": Port("int64", ()),
        "probabilities": Port("float32", (2,)),
    }
    assert (report.batch_size, report.batch_invariant) == (None, True)


def test_what_is_known_is_not_inspected_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of an accepted model is known by its digest, one of a changed byte or limit is not."""
    asked: list[object] = []

    def counting(*given: Any) -> Any:
        asked.append(given)
        return answer(*given)

    monkeypatch.setattr("worker.models.inspect.answer", counting)
    monkeypatch.setattr(accepted, "_current", accepted._Current())  # an earlier test told a folder
    report = inspect(DATA / "lr.onnx")
    copy = tmp_path / "copy.onnx"
    copy.write_bytes((DATA / "lr.onnx").read_bytes())
    assert inspect(copy) == report
    assert len(asked) == 1
    assert inspect(copy, Limits(seconds=21)) == report
    assert len(asked) == 2
    copy.write_bytes(copy.read_bytes()[:-1])
    assert len(reasons(copy)) == 1
    assert len(asked) == 3


def endless() -> ModelProto:
    """A loop without an end, in two hundred bytes."""
    scalar = [helper.make_tensor_value_info("i", TensorProto.INT64, [])]
    go_on = [helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("c", "d")]
    state = [helper.make_tensor_value_info(name, FLOAT, [None, 1]) for name in ("s", "r")]
    nodes = [
        helper.make_node("Identity", ["c"], ["d"]),
        helper.make_node("Identity", ["s"], ["r"]),
    ]
    body = helper.make_graph(nodes, "body", [*scalar, go_on[0], state[0]], [go_on[1], state[1]])
    loop = helper.make_node("Loop", ["", "", "x"], ["y"], body=body)
    return model([loop], {"x": (FLOAT, [None, 1])}, {"y": (FLOAT, [None, 1])})


def greedy(elements: int) -> ModelProto:
    """Zeros by the gigabyte, in a hundred and fifty bytes."""
    return model(
        [
            helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
            helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
            helper.make_node("Add", ["x", "sum"], ["y"]),
        ],
        {"x": (FLOAT, [None, 1])},
        {"y": (FLOAT, [None, 1])},
        [helper.make_tensor("size", TensorProto.INT64, [1], [elements])],
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel has to end it")
def test_it_ends_with_who_asked(tmp_path: Path) -> None:
    """Also where that one is killed and can end nobody; of the 60 s it may take none is waited."""
    path = saved(tmp_path, endless())
    asking = (
        "import sys, pathlib; from worker.models.inspect import Limits, inspect; "
        "inspect(pathlib.Path(sys.argv[1]), Limits(seconds=60))"
    )
    process = subprocess.Popen([sys.executable, "-c", asking, str(path)], cwd=ROOT)
    inspectors = until_it_inspects(process)
    until(lambda: inspectors[0].cpu_times().user > 0.5)
    process.kill()
    process.wait()
    until(lambda: all(map(ended, inspectors)), 10)


def test_a_model_that_never_returns_is_killed(tmp_path: Path) -> None:
    """After its time, and nothing of it goes on."""
    path = saved(tmp_path, endless())
    assert path.stat().st_size < 210
    start = time.monotonic()
    assert reasons(path, Limits(seconds=2)) == ["does not load and run within 2 s"]
    assert time.monotonic() - start < 10
    children = psutil.Process(os.getpid()).children(recursive=True)
    assert not [child for child in children if "worker.models" in " ".join(child.cmdline())]


@pytest.mark.parametrize("elements", [2**28, 2**40])
def test_a_model_that_takes_the_memory_is_refused(tmp_path: Path, elements: int) -> None:
    """While it loads or while it runs, whatever way the allocation fails."""
    path = saved(tmp_path, greedy(elements))
    assert path.stat().st_size < 170
    limits = Limits(memory_bytes=2**29)
    assert reasons(path, limits) == [f"needs more than {2**29} bytes of memory"]


def test_external_data_is_not_read() -> None:
    """A model that names another file is refused before it is loaded."""
    assert reasons(DATA / "external.onnx") == [
        "holds tensor data outside the file: graph.initializer[0]; save it whole"
    ]


def test_every_reason_at_once(tmp_path: Path) -> None:
    """Each is a problem of its own."""
    made = identity()
    made.graph.node.append(helper.make_node("Evil", ["x"], ["z"], domain="com.evil"))
    made.graph.initializer.add(data_location=TensorProto.EXTERNAL)
    assert [reason.partition(":")[0] for reason in reasons(saved(tmp_path, made))] == [
        "holds tensor data outside the file",
        "uses operators of other libraries",
    ]


def test_files_that_are_not_even_tried(tmp_path: Path) -> None:
    """Missing, no file, or too large: told without another process."""
    assert reasons(tmp_path / "none.onnx") == ["cannot be read: No such file or directory"]
    assert reasons(tmp_path) == ["is no file"]
    os.mkfifo(tmp_path / "pipe")
    assert reasons(tmp_path / "pipe") == ["is no file"]
    assert reasons(DATA / "lr.onnx", Limits(max_bytes=10)) == [
        f"has {(DATA / 'lr.onnx').stat().st_size} bytes; at most 10 are allowed"
    ]


@pytest.mark.parametrize(("room", "refused"), [(1, False), (0, False), (-1, True)])
def test_the_size_of_a_model(
    bounded: Callable[..., None], tmp_path: Path, room: int, refused: bool
) -> None:
    """To the byte, by the setting."""
    made = identity()
    made.doc_string = "x" * 1_000
    path = saved(tmp_path, made)
    size = path.stat().st_size
    bounded(max_model_bytes=size + room)
    if refused:
        assert reasons(path) == [f"has {size} bytes; at most {size - 1} are allowed"]
    else:
        assert inspect(path).size_bytes == size


def test_limits_that_leave_no_room() -> None:
    """Too little time or memory for any model is told as such."""
    assert reasons(DATA / "lr.onnx", Limits(seconds=0.05)) == [
        "does not load and run within 0.05 s"
    ]
    assert reasons(DATA / "lr.onnx", Limits(memory_bytes=2**20)) == [
        f"needs more than {2**20} bytes of memory"
    ]
