"""Standard streams that are full, closed or know few characters, and Ctrl-C while loading."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Done, Rtml
from worker.cli import app, streams

FULL = "rtml: output cannot be written: No space left on device\n"
COMMANDS = [
    *("--help", "--version", "schema"),
    pytest.param("check graphs/digits", marks=pytest.mark.long),
    "score graphs/digits graphs/digits/events.jsonl",
]

Shell = Callable[[str], Done]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_one_line(shell: Shell, command: str) -> None:
    """Exit 2 and the reason, whatever was to be written."""
    done = shell(f"rtml {command} > /dev/full")
    assert (done.code, done.err.endswith(FULL), "Traceback" in done.err) == (2, True, False)


def test_a_full_disk_that_nobody_can_be_told_of(shell: Shell) -> None:
    """The exit code is the same."""
    assert shell("rtml schema > /dev/full 2>&1").code == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stdout_is_one_line(shell: Shell, command: str) -> None:
    """Exit 2; no file that is opened later takes its place."""
    done = shell(f"rtml {command} >&-")
    assert (done.code, done.err.endswith("stdout is closed\n1 problem\n")) == (2, True)
    assert "Traceback" not in done.err


@pytest.mark.parametrize("flag", ["--out", "--rejects"])
def test_a_full_disk_under_a_file_is_told_with_its_name(
    shell: Shell, graph: Path, flag: str
) -> None:
    """The file of a flag, not stdout, is to blame."""
    done = shell(f"printf '%s\\n' '{{\"f0\": 1}}' '[]' | rtml score {graph} {flag} /dev/full")
    message = "/dev/full cannot be written: No space left on device\n1 problem\n"
    assert (done.code, done.err.endswith(message)) == (2, True)
    assert "Traceback" not in done.err


@pytest.mark.long
def test_a_closed_stdin_is_refused_where_it_is_read(shell: Shell, graph: Path) -> None:
    """Commands that do not read it run as ever."""
    assert shell(f"rtml score {graph} <&-") == Done(2, "", "stdin is closed\n1 problem\n")
    assert shell("rtml dataset infer - <&-").err == "stdin is closed\n1 problem\n"
    assert shell(f"rtml check {graph} <&-").code == 0


def test_a_closed_stderr_hides_the_talk_only(shell: Shell, graph: Path, tmp_path: Path) -> None:
    """The data and the exit code are the same; what is said goes into no file."""
    to = tmp_path / "scored"
    done = shell(f"echo '{{\"f0\": 1}}' | rtml score {graph} --out {to} 2>&-")
    assert (done.code, len(to.read_text().splitlines())) == (0, 1)


@pytest.mark.long
@pytest.mark.parametrize("surroundings", ["PYTHONIOENCODING=latin-1", "LC_ALL=C PYTHONUTF8=0"])
def test_few_characters_are_enough(shell: Shell, tmp_path: Path, surroundings: str) -> None:
    """Frames, ellipses and names are shown as well as can be; JSON is escaped, so it is the same.

    The second is a terminal that knows ASCII only.
    """
    env = f"env PYTHONCOERCECLOCALE=0 {surroundings}"
    program = f"{env} {sys.executable} -m worker"
    graph = tmp_path / "graph.yaml"
    text = (ROOT / "tests/cli/conftest.py").read_text().partition('GRAPH = """\\\n')[2]
    graph.write_text(text.partition('"""')[0].replace("f1", "größe…"))
    (tmp_path / "lr.onnx").write_bytes((ROOT / "tests/data/lr.onnx").read_bytes())
    for command in ("--help", "nodes", f"check {graph}"):
        done = shell(f"{program} {command} > {tmp_path}/out")
        assert (done.code, "Traceback" in done.err) == (0, False)
    plain = shell(f"rtml check {graph} --output json")
    escaped = shell(f"{program} check {graph} --output json")
    assert (escaped.code, escaped.out.isascii(), escaped.json) == (0, True, plain.json)


def test_a_descriptor_that_was_closed_is_taken() -> None:
    """So that no other file gets the number of a standard stream."""
    program = "import sys; from worker.cli.streams import prepare; prepare(); print(sys.stdin)"
    line = f"{sys.executable} -c \"{program}; print(open('/dev/null').fileno())\" <&-"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout.splitlines()[-1]) > 2


def test_only_output_is_meant_by_a_full_disk() -> None:
    """An error that names its file, or has another reason, is not told as one of output."""
    assert streams.is_full(OSError(28, "full"))
    assert not streams.is_full(OSError(28, "full", "file"))
    assert not streams.is_full(OSError(13, "not allowed"))


@pytest.mark.parametrize("library", ["typer", "pydantic", "numpy", "onnxruntime", "yaml"])
def test_ctrl_c_while_a_library_is_loaded(library: str) -> None:
    """Exit 130 and not a word, from the first import of the command on."""
    program = f"""
import runpy, signal, sys
class Interrupts:
    @staticmethod
    def find_spec(name, *_):
        if name == "{library}":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupts)
sys.argv = ["rtml", "check", "graphs/digits"]
runpy.run_module("worker", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_that_a_library_turns_into_an_error(
    rtml: Rtml, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime raises ImportError for it: still exit 130, and no traceback."""

    def fail() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    app.command("fail")(fail)
    before = signal.getsignal(signal.SIGINT)
    assert rtml("fail") == Done(130, "", "")
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_within_exec_ends_with_130() -> None:
    """CPython would end by the signal, however it is caught: dataclasses are made by `exec`."""
    program = """
import sys
from worker.cli import app, main
def fail():
    exec("import signal; signal.raise_signal(signal.SIGINT)")
app.command("fail")(fail)
sys.argv = ["rtml", "fail"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")
