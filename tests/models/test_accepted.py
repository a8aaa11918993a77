"""What is written down of accepted models, and when it is not believed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.models.test_inspect import DATA
from worker.errors import ConfigError
from worker.models import accepted
from worker.models.inspect import Limits, inspect

MODEL = DATA / "lr.onnx"
DIGEST = hashlib.sha256(MODEL.read_bytes()).hexdigest().encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this test's processes keep what they accept."""
    monkeypatch.setattr(accepted, "_current", accepted._Current())
    accepted.use(tmp_path / "accepted")
    yield tmp_path / "accepted"
    monkeypatch.setattr(accepted, "_current", accepted._Current())


def another_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets all but the folder, as the next process would."""
    monkeypatch.setattr(accepted, "_current", accepted._Current())
    accepted.use(folder)


def tries(path: Path, limits: Limits | None = None) -> bool:
    """Whether inspecting it takes a process of its own; of which the model is found sound."""
    before_s = psutil.Process().cpu_times().children_user
    assert inspect(path, limits).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return bool(psutil.Process().cpu_times().children_user > before_s)


def test_the_next_process_need_not_try_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report is the same; other limits, or another model, are another question."""
    first = inspect(MODEL)
    another_process(folder, monkeypatch)
    assert not tries(MODEL)
    assert inspect(MODEL) == first
    assert tries(MODEL, replace(Limits(), seconds=21))
    assert tries(DATA.parent.parent / "graphs" / "digits" / "model.onnx")


def test_what_is_refused_is_tried_again(folder: Path, tmp_path: Path) -> None:
    """For want of time today, it may pass tomorrow; nothing is written of it."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(MODEL.read_bytes()[:-1])
    for _ in range(2):
        with pytest.raises(ConfigError):
            inspect(broken)
    assert not folder.exists()


@pytest.mark.parametrize("judge", ["onnxruntime 2", "another host"])
def test_another_judge_tries_it_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, judge: str
) -> None:
    """Another runtime may refuse it, another processor may round otherwise."""
    inspect(MODEL)
    another_process(folder, monkeypatch)
    monkeypatch.setattr(accepted, "_judge", lambda: [judge])
    assert tries(MODEL)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b'{"sha256": "', b"[]", b"\xff", b'{"sha256": "0"}'),
        b'{"sha256": "%b"}' % DIGEST,
        b'{"sha256": "%b", "inputs": {}, "outputs": 1}' % DIGEST,
    ],
)
def test_what_was_cut_short_is_not_believed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """Nor what is of another model, or was tampered with; it is replaced."""
    inspect(MODEL)
    (written,) = folder.iterdir()
    written.write_bytes(content)
    another_process(folder, monkeypatch)
    assert tries(MODEL)
    assert list(folder.iterdir()) == [written]
    assert json.loads(written.read_bytes())["inputs"] == {"X": ["float32", [2]]}


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_folder_that_others_can_write_to_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """They could have a model run that nobody tried."""
    inspect(MODEL)
    folder.chmod(mode)
    another_process(folder, monkeypatch)
    assert tries(MODEL)


def test_a_folder_that_cannot_be_written_to_costs_only_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container with a read-only file system; here a file stands in its place."""
    folder.write_bytes(b"")
    assert tries(MODEL)
    another_process(folder, monkeypatch)
    assert tries(MODEL)


def test_old_entries_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder does not grow without end."""
    monkeypatch.setattr(accepted, "_MAX_FILES", 2)
    for seconds in (21.0, 22.0, 23.0):
        inspect(MODEL, replace(Limits(), seconds=seconds))
    assert len(list(folder.iterdir())) == 2
    another_process(folder, monkeypatch)
    assert not tries(MODEL, replace(Limits(), seconds=23.0))


def test_the_folder_is_the_owner_s_alone(folder: Path) -> None:
    """From the start, whatever the umask."""
    inspect(MODEL)
    assert folder.stat().st_mode & 0o777 == 0o700
