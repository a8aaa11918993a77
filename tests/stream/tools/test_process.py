"""A worker of its own: which code it runs, and how long it is given to stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, generate_latest

from tests.kafka.waiting import until
from worker import __version__
from worker.settings import Settings
from worker.stream.connect import STOP_TIMEOUT_S
from worker.stream.tools.command import command, environment
from worker.stream.tools.process import WorkerProcess, dropped_by, stop_timeout_s

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "graphs" / "digits"


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: with a module and a package that have the worker's name."""
    (tmp_path / "worker.py").write_text("raise SystemExit(99)")
    (tmp_path / "worker").mkdir()
    for name in ("__init__", "__main__"):
        (tmp_path / "worker" / f"{name}.py").write_text("raise SystemExit(99)")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("path", ["", ".", "/nowhere"])
def test_a_worker_in_the_working_directory_is_not_run(path: str) -> None:
    """Neither by being there, nor where PYTHONPATH leads to it."""
    variables = environment({"PYTHONPATH": path})
    done = subprocess.run(
        command("--version"), env=variables, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"rtml {__version__}\n"), done.stderr


@pytest.mark.usefixtures("hostile")
def test_a_source_tree_is_found_without_being_installed() -> None:
    """The other process runs this tree, also where no package is installed at all (-S)."""
    program = [sys.executable, "-P", "-S", "-c", "import worker; print(worker.__file__)"]
    done = subprocess.run(program, env=environment({}), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(ROOT / "worker" / "__init__.py")


def test_variables_are_kept() -> None:
    """What the user names on PYTHONPATH comes after this package, the rest as it is."""
    found = environment({"PYTHONPATH": "/a:/b", "RTML_GROUP": "g"})
    assert found == {"PYTHONPATH": f"{ROOT}:/a:/b", "RTML_GROUP": "g"}


@pytest.mark.usefixtures("hostile")
def test_it_is_started_and_stopped_wherever_the_user_stands() -> None:
    """It listens although Kafka is away, and SIGTERM ends it with 0."""
    with WorkerProcess(DEMO, ["--brokers", "127.0.0.1:1"], {}) as worker:
        until(lambda: worker.check() or worker.logged("http_listening"), 60)
        assert worker.stop() == 0


def test_the_stop_is_given_what_the_worker_may_take() -> None:
    """More than draining, closing two clients and the HTTP server; it grows with the drain."""
    default = stop_timeout_s(Settings())
    longer = stop_timeout_s(Settings(drain_timeout_ms=50_000))
    assert default > 20 + 2 * STOP_TIMEOUT_S + 1
    assert longer == default + 30


def test_a_worker_is_given_the_time_of_its_own_settings() -> None:
    """What ``environment`` says of draining counts, for it is what the worker reads."""
    with WorkerProcess(DEMO, ["--brokers", "127.0.0.1:1"], {"RTML_DRAIN_TIMEOUT_MS": "0"}) as one:
        assert one.stop_timeout_s == stop_timeout_s(Settings(drain_timeout_ms=0))


def test_containers_are_given_longer() -> None:
    """Docker kills after its grace period: that must come after the worker's own end."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    grace = compose["services"]["worker"]["stop_grace_period"]
    assert float(grace.removesuffix("s")) > stop_timeout_s(Settings())


REASONS = ["too young", 'a "quoted" \\ one\n', "größe", "} 7"]


@pytest.fixture
def page() -> str:
    """Metrics as a worker tells them: each reason twice by service, among other things."""
    registry = CollectorRegistry()
    dropped = Counter("rtml_events_dropped", "Dropped", ["service", "reason"], registry=registry)
    other = Counter("rtml_events_scored", "Scored", ["service"], registry=registry)
    for number in range(200):
        other.labels(f"service-{number}").inc()
    for reason in REASONS:
        dropped.labels("one", reason).inc(3)
        dropped.labels("two", reason).inc(1_000_000)
    return generate_latest(registry).decode()


def test_drops_are_counted_by_reason(page: str) -> None:
    """Whatever its characters, and over all services; other metrics are not meant."""
    assert dropped_by(page) == dict.fromkeys(REASONS, 1_000_003)
    assert dropped_by("") == {}


@pytest.fixture
def interrupts() -> Iterator[None]:
    """A timer's signals raise KeyboardInterrupt, as Ctrl-C does."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("interrupts")
def test_ctrl_c_is_not_lost_while_metrics_are_read(page: str) -> None:
    """Each of 300 interrupts ends the reading, whenever it comes; a demo does little else."""
    for number in range(300):
        with pytest.raises(KeyboardInterrupt):
            read_on(page, interrupt_s=0.001 + number / 100_000)


def read_on(page: str, interrupt_s: float) -> None:
    """Reads until it is interrupted; comes to its end only where the signal was lost."""
    signal.setitimer(signal.ITIMER_REAL, interrupt_s)
    end_s = time.monotonic() + interrupt_s + 1.0
    while time.monotonic() < end_s:
        dropped_by(page)
