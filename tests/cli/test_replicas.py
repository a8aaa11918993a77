"""``rtml run --replicas``: real processes; none reaches a Kafka, which listening does not need."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import ROOT, Rtml
from tests.kafka.waiting import until
from tests.net import free_ports

pytestmark = pytest.mark.long

WAIT_S = 60


class Supervisor:
    """A running ``rtml run --replicas N`` in a folder whose ``worker.py`` must not be run."""

    def __init__(self, graph: Path, options: tuple[str, ...], variables: dict[str, str]) -> None:
        self.folder = graph.parent
        (self.folder / "worker.py").write_text("raise SystemExit(99)")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RTML_", "PYTHON"))}
        command = [sys.executable, "-P", "-m", "worker", "run", graph.name, *options]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--brokers", "127.0.0.1:1"],
                cwd=self.folder,
                env={**kept, "PYTHONPATH": str(ROOT), **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def replicas(self) -> list[psutil.Process]:
        """Its child processes."""
        return psutil.Process(self.process.pid).children()

    def ports(self) -> list[int]:
        """Where the replicas listen, as logged so far."""
        logged = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return sorted(one["port"] for one in logged if one["event"] == "http_listening")

    def log(self) -> str:
        """What all of them wrote."""
        return (self.folder / "log").read_text()

    def listening(self, replicas: int) -> None:
        """Returns once so many replicas listen."""
        until(lambda: len(self.ports()) == replicas or self.process.poll() is not None, WAIT_S)
        assert self.process.poll() is None, self.log()


Start = Callable[..., Supervisor]


@pytest.fixture
def start(graph: Path) -> Iterator[Start]:
    """Starts a supervisor; it and its replicas are gone after the test, also without it."""
    started: list[Supervisor] = []

    def run(*options: str, **variables: str) -> Supervisor:
        started.append(Supervisor(graph, options, variables))
        return started[-1]

    yield run
    for one in started:
        with suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait()


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_a_fixed_port_is_the_first_of_the_replicas(start: Start, how: str) -> None:
    """Replicas listen on P, P+1 and P+2, however P is given; SIGTERM ends all with 0."""
    (port,) = free_ports(1)
    by_flag = ("--http-port", str(port)) if how == "flag" else ()
    supervisor = start("--replicas", "3", *by_flag, RTML_HTTP_PORT=str(port))
    supervisor.listening(3)
    assert supervisor.ports() == [port, port + 1, port + 2]
    replicas = supervisor.replicas()
    supervisor.process.terminate()
    assert supervisor.process.wait(WAIT_S) == 0, supervisor.log()
    assert [one.pid for one in replicas if one.is_running()] == []


def test_port_0_is_any_for_each(start: Start) -> None:
    """Each replica picks a free port of its own."""
    supervisor = start("--replicas=2", "--http-port=0")
    supervisor.listening(2)
    assert len({*supervisor.ports(), 0}) == 3


def test_each_replica_is_a_member_of_its_own(start: Start) -> None:
    """A group instance id gets a suffix: Kafka fences a member that has another one's name."""
    supervisor = start("--replicas", "2", RTML_GROUP_INSTANCE_ID="one")
    supervisor.listening(2)
    names = {one.environ()["RTML_GROUP_INSTANCE_ID"] for one in supervisor.replicas()}
    assert names == {"one-0", "one-1"}


def test_ports_above_the_last_are_refused(rtml: Rtml, graph: Path) -> None:
    """A port that leaves no room for all replicas is refused before any is started."""
    done = rtml("run", graph, "--replicas", "3", "--http-port", "65534")
    assert done.code == 2
    assert "--http-port: 3 replicas from 65534 on need ports above 65535" in done.err


def test_one_url_for_several_replicas_is_refused(
    rtml: Rtml, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each listens on a port of its own."""
    monkeypatch.setenv("RTML_ADVERTISED_URL", "http://worker-0:6066")
    done = rtml("run", graph, "--replicas", "2")
    assert done.code == 2
    assert done.err.startswith("RTML_ADVERTISED_URL: 2 replicas have a port each; ")


def test_sigterm_while_replicas_are_started_leaves_none(start: Start) -> None:
    """It comes when the first of many has just been started: exit 0, and no process is left."""
    supervisor = start("--replicas", "16")
    until(supervisor.replicas, WAIT_S)
    supervisor.process.terminate()
    seen = supervisor.replicas()
    assert supervisor.process.wait(WAIT_S) == 0, supervisor.log()
    assert [one.pid for one in seen if one.is_running()] == []


def test_a_killed_replica_ends_the_others_with_1(start: Start) -> None:
    """SIGKILL of one: the other is drained, and the exit code says that something went wrong."""
    supervisor = start("--replicas", "2")
    supervisor.listening(2)
    first, second = supervisor.replicas()
    first.kill()
    assert supervisor.process.wait(WAIT_S) == 1
    assert not second.is_running()
    assert supervisor.log().count('"worker_stopped"') == 1


def test_the_code_of_a_replica_that_fails_is_passed_on(start: Start, graph: Path) -> None:
    """A graph that is refused by every replica is exit code 2."""
    (graph / "lr.onnx").unlink()
    supervisor = start("--replicas", "2")
    assert supervisor.process.wait(WAIT_S) == 2, supervisor.log()


def test_sigint_drains_all_and_exits_130(start: Start) -> None:
    """Also where it reaches the replicas as well, as Ctrl-C in a terminal does: they drain."""
    supervisor = start("--replicas", "2")
    supervisor.listening(2)
    for process in [supervisor.process, *supervisor.replicas()]:
        process.send_signal(signal.SIGINT)
    assert supervisor.process.wait(WAIT_S) == 130, supervisor.log()
    assert supervisor.log().count('"worker_stopped"') == 2


def test_a_second_sigint_kills_what_does_not_end(start: Start) -> None:
    """A replica that hangs is not waited for any longer."""
    supervisor = start("--replicas", "2")
    supervisor.listening(2)
    stuck, other = supervisor.replicas()
    stuck.suspend()
    supervisor.process.send_signal(signal.SIGINT)
    until(lambda: not other.is_running() or other.status() == psutil.STATUS_ZOMBIE)
    assert supervisor.process.poll() is None
    supervisor.process.send_signal(signal.SIGINT)
    assert supervisor.process.wait(WAIT_S) == 130
    assert not stuck.is_running()
