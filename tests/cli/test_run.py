"""``rtml run`` before it serves: what it refuses, and being stopped while it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Rtml
from tests.kafka.waiting import until
from tests.models.inspectors import ended, until_it_inspects


@pytest.mark.parametrize(
    "command",
    [["run"], ["run", "--replicas", "2"], ["topics", "create"], ["produce", "tx"], ["consume"]],
    ids=" ".join,
)
def test_brokers_that_are_no_addresses_are_refused(
    rtml: Rtml, graph: Path, command: list[str]
) -> None:
    """Exit 2, the item, and an example; by every command that talks to Kafka."""
    done = rtml(*command, graph, "--brokers", "a:1,kafka:99999")
    assert (done.code, done.out) == (2, "")
    assert "--brokers: 'kafka:99999': no host, or no port from 1 to 65535; " in done.err
    assert "such as kafka-1:9092" in done.err


def test_an_empty_address_is_refused(
    rtml: Rtml, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that a deployment forgot to fill in does not mean localhost."""
    monkeypatch.setenv("RTML_BROKERS", "")
    done = rtml("run", graph)
    assert done.code == 2
    assert done.err.startswith("RTML_BROKERS: ''")


def test_sigterm_while_it_loads(graph: Path, tmp_path: Path) -> None:
    """Nothing is in flight yet: exit 0, as for every SIGTERM, and no inspector is left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "worker", "run", str(graph), "--brokers", "127.0.0.1:1"],
        cwd=ROOT,
        # Elsewhere it may be written down that the model is sound, and nothing is inspected.
        env={**os.environ, "RTML_LOG_FORMAT": "json", "XDG_CACHE_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        inspectors = until_it_inspects(process)
        process.terminate()
        said = process.communicate(timeout=60)[1].decode()
    finally:
        process.kill()
    assert (process.returncode, said) == (0, "")
    until(lambda: all(map(ended, inspectors)), 10)
