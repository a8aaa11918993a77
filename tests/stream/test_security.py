"""Certificates and keys are looked at before a connection needs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT
from worker.errors import ConfigError
from worker.settings import load
from worker.stream.security import security


def refused(**files: Path | str) -> dict[str, str]:
    """Variable -> what is wrong with the file it names."""
    environ = {f"RTML_SSL_{name.upper()}": str(path) for name, path in files.items()}
    settings, _ = load({"RTML_SECURITY_PROTOCOL": "SSL", **environ}, {})
    with pytest.raises(ConfigError) as caught:
        security(settings)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_every_file_that_cannot_be_used_is_named_with_its_variable(tmp_path: Path) -> None:
    """Missing, a folder, and without a certificate: all at once, each where it was set."""
    none = tmp_path / "none.pem"
    none.write_text("no certificate")
    assert refused(cafile=none, certfile=tmp_path / "missing.pem", keyfile=tmp_path) == {
        "RTML_SSL_CAFILE": f"{none} holds no certificate in PEM format",
        "RTML_SSL_CERTFILE": f"{tmp_path}/missing.pem cannot be read: No such file or directory",
        "RTML_SSL_KEYFILE": f"{tmp_path} cannot be read: Is a directory",
    }
    message = refused(certfile=none, keyfile=none)["RTML_SSL_CERTFILE"]
    assert message.startswith(f"{none} and the key in {none} cannot be used: ")


def test_run_refuses_them_before_anything_starts(tmp_path: Path) -> None:
    """Exit 2 without a log line: no server, no client, no replica."""
    command = [sys.executable, "-m", "worker", "run", "graphs/digits", "--replicas", "2"]
    environ = {"RTML_SECURITY_PROTOCOL": "SSL", "RTML_SSL_CAFILE": str(tmp_path / "ca.pem")}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    message = f"RTML_SSL_CAFILE: {tmp_path}/ca.pem cannot be read: No such file or directory"
    assert (done.returncode, done.stderr) == (2, f"{message}\n1 problem\n")
