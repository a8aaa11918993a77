"""The command as a whole: help, version, exit codes, start-up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from tests.cli.conftest import ROOT, Done, Rtml
from worker import __version__
from worker.cli import COMMANDS, app
from worker.errors import ConfigError, ModelError, Problem, TransportError

HEAVY = {"numpy", "onnxruntime", "onnx", "pydantic", "faust", "aiokafka", "pandas", "yaml"}


def test_help_lists_every_command(rtml: Rtml) -> None:
    """``rtml --help`` names all commands and ends with 0."""
    done = rtml("--help")
    assert done.code == 0
    assert [name for name in COMMANDS if f" {name} " not in done.out] == []


@pytest.mark.parametrize("group", ["topics", "model", "service", "dataset", "dlq"])
def test_every_group_of_commands_has_help_with_an_example(rtml: Rtml, group: str) -> None:
    """Whoever asks the group sees how one of its commands is used."""
    done = rtml(group, "--help")
    assert (done.code, f"Example: rtml {group} " in done.out) == (0, True)


def test_version(rtml: Rtml) -> None:
    """``rtml --version`` prints the version."""
    assert rtml("--version") == Done(0, f"rtml {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["bogus"], ["check"], ["check", "--bogus"], ["draw", "-o"]])
def test_usage_errors_exit_2(rtml: Rtml, arguments: list[str]) -> None:
    """Unknown commands and flags, and missing arguments, are refused with a hint on stderr."""
    done = rtml(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Usage: rtml" in done.err


def test_start_up_is_light() -> None:
    """Importing the command line loads none of the heavy libraries: help comes at once."""
    program = "import sys, worker.cli; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) & HEAVY == set()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            ConfigError([Problem("a.b", "is wrong", "f.yaml", 3), Problem("", "is bad", "g.yaml")]),
            2,
            "f.yaml:3 a.b: is wrong\ng.yaml is bad\n2 problems in 2 files\n",
        ),
        (ModelError("model 'm' does not run"), 2, "rtml: model 'm' does not run\n"),
        (TransportError("no broker", retriable=True), 3, "rtml: no broker\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=["config", "model", "transport", "interrupt"],
)
def test_expected_errors_have_exit_codes_and_no_traceback(
    rtml: Rtml, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    """Whatever a command raises on purpose ends with a message and the code of the contract."""

    def fail() -> None:
        raise error

    commands = list(app.registered_commands)
    monkeypatch.setattr(app, "registered_commands", commands)
    app.command("fail")(fail)
    assert rtml("fail") == Done(code, "", said)


def test_text_of_files_does_not_reach_the_terminal_raw(rtml: Rtml) -> None:
    """Control characters in a problem's message are shown, not obeyed."""
    done = rtml("nodes", "Cl\x1b[31mip\n")
    assert done.code == 2
    assert "\x1b" not in done.err
    assert "\\x1b[31mip\\n" in done.err


@pytest.mark.long
def test_a_closed_pipe_is_no_error(
    shell: Callable[[str], Done], graph: Path, tmp_path: Path
) -> None:
    """``rtml ... | head`` ends quietly with 0, whatever prints: scored bytes or text."""
    events = tmp_path / "events.jsonl"
    events.write_text('{"f0": 1}\n' * 20_000)
    assert shell(f"rtml score {graph} {events} | head -0") == Done(0, "", "")
    assert shell("rtml schema | head -1") == Done(0, "{\n", "")
    assert shell("rtml nodes --output json | head -1") == Done(0, "[\n", "")


def test_python_m_worker_is_rtml(shell: Callable[[str], Done]) -> None:
    """``python -m worker`` is the same command."""
    assert shell("rtml --version").out == f"rtml {__version__}\n"


def test_registering_is_one_line() -> None:
    """Every module of COMMANDS has ``register(app)``; nothing else is needed for a command."""
    for name in COMMANDS:
        module = sys.modules[f"worker.cli.{name}"]
        fresh = typer.Typer()
        module.register(fresh)
        assert fresh.registered_commands or fresh.registered_groups
