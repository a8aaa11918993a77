"""Where the real Kafka of these tests comes from, and how a test gets its topics.

In this order: the address in KAFKA_BOOTSTRAP; a Docker daemon; Apache Kafka from Maven's jars. With
none of them the tests are skipped and say why, except where CI=true: there that is a failure.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.broker import QUICK_JVM, SINGLE_NODE, START_TIMEOUT_S, Listener, RealKafka
from tests.jars import VERSION, KafkaUnavailable
from tests.kafka.client import MakeTopic, create_topic
from tests.kafka.worker import Worker
from tests.net import answers, free_ports

if TYPE_CHECKING:
    from tests.kafka.secured import Secured

IMAGE = f"apache/kafka:{VERSION}"
PULL_TIMEOUT_S = 600.0
LOG_LINES = 30


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder with ``kafka``."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kafka)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the log of every worker of a test that failed."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if report.failed and isinstance(folder, Path):
        for log in sorted(folder.rglob("worker-*.log")):
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            report.sections.append((log.name, "\n".join(lines)))
    return report


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a Kafka that all tests share: use topics and groups of your own."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
    elif docker_runs():
        with docker_kafka() as bootstrap:
            yield bootstrap
    else:
        with jar_kafka() as own:
            yield own.bootstrap


@pytest.fixture
def own_kafka() -> Iterator[RealKafka]:
    """A Kafka that no other test uses, to be stopped, killed and started again."""
    with jar_kafka() as own:
        yield own


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A Kafka that asks everybody who they are, for all tests of that."""
    from tests.kafka.secured import secured_kafka

    with secured_kafka(tmp_path_factory.mktemp("secured")) as found:
        yield found


@pytest.fixture
def topic(kafka: str, request: pytest.FixtureRequest) -> MakeTopic:
    """A function that creates a topic of a unique name on the shared Kafka and returns the name."""
    test = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name).strip("-")[:60]

    def make(partitions: int = 4, config: Mapping[str, str] | None = None, suffix: str = "") -> str:
        name = f"{test}-{uuid.uuid4().hex[:8]}{suffix}"
        create_topic(kafka, name, partitions, config)
        return name

    return make


@pytest.fixture
def place(
    kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> dict[str, str]:
    """The settings of a location of the test's own, which the worker and the notebook share."""
    settings = {
        "RTML_BROKERS": kafka,
        "RTML_LOCATION": f"at-{abs(hash(request.node.name))}",
        "RTML_MODEL_STORE": str(tmp_path / "store"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def place_worker(kafka: str, place: dict[str, str], tmp_path: Path) -> Iterator[Worker]:
    """A worker that serves what is published there."""
    options = ["--location", place["RTML_LOCATION"]]
    with Worker([], kafka, place["RTML_LOCATION"], tmp_path, options, place) as worker:
        worker.wait_ready()
        yield worker
        assert worker.terminate() == 0


@contextmanager
def jar_kafka(
    properties: Mapping[str, str] | None = None,
    listeners: Sequence[Listener] = (),
    jvm: Sequence[str] = (),
) -> Iterator[RealKafka]:
    """A running Kafka from jars; the test is skipped or fails where there can be none."""
    try:
        own = RealKafka(properties, listeners, [*QUICK_JVM, *jvm])
    except KafkaUnavailable as reason:
        unavailable(str(reason))
    with own:
        yield own


def unavailable(reason: str) -> NoReturn:
    """End the test: skipped on a machine without Kafka, failed in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"no real Kafka, and CI=true: {reason}", pytrace=False)
    pytest.skip(f"no real Kafka: {reason}")


def docker_runs() -> bool:
    """Whether a Docker daemon answers."""
    try:
        done = docker("info", timeout_s=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def docker(*arguments: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run a docker command."""
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=timeout_s, check=False
    )


@contextmanager
def docker_kafka() -> Iterator[str]:
    """Kafka's own image with the settings of `SINGLE_NODE`, on a free port of this machine."""
    (port,) = free_ports(1)
    settings = {
        **SINGLE_NODE,
        "controller.quorum.voters": "1@localhost:9093",
        "listeners": f"PLAINTEXT://:{port},CONTROLLER://localhost:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    }
    # The image reads `log.dirs` from KAFKA_LOG_DIRS, and so on.
    pairs = [f"KAFKA_{key.upper().replace('.', '_')}={value}" for key, value in settings.items()]
    flags = [flag for pair in pairs for flag in ("--env", pair)]
    publish = f"127.0.0.1:{port}:{port}"
    done = docker(
        "run", "--detach", "--rm", "--publish", publish, *flags, IMAGE, timeout_s=PULL_TIMEOUT_S
    )
    if done.returncode != 0:
        unavailable(f"docker run {IMAGE}: {done.stderr.strip()}")
    container = done.stdout.strip()
    try:
        wait_until(lambda: answers(f"127.0.0.1:{port}"), lambda: docker("logs", container).stdout)
        yield f"127.0.0.1:{port}"
    finally:
        docker("stop", "--time", "5", container)


def wait_until(condition: Callable[[], bool], log: Callable[[], str]) -> None:
    """Wait for a broker that starts; a failure shows the end of its log."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"Kafka did not start; the end of its log:\n{log()[-3000:]}")
