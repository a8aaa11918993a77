"""A real Apache Kafka for tests and benchmarks, without Docker: one KRaft node in one JVM.

``python -m tests.broker`` starts one, prints its address and stops it on Ctrl-C.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.jars import VERSION, class_archive, find_jars, find_java
from tests.net import answers, free_ports

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 20.0
# The first compiler only: a test's broker is over before the second one would pay off.
QUICK_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

_CLUSTER_ID = "rtml-test-kafka-000001"

# One node, few internal partitions, and short waits where a test would have to sit them out.
SINGLE_NODE: Mapping[str, str] = {
    "node.id": "1",
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "4",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # After a SIGKILL the node is not let in again before its former session has expired.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.initial.task.delay.ms": "500",
    # Events of tests carry timestamps of long ago; a topic that shall forget says so itself.
    "log.retention.ms": "-1",
    "log.retention.check.interval.ms": "500",
    "log.segment.delete.delay.ms": "100",
    "log.cleaner.backoff.ms": "200",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """One more address of the broker, such as one that clients reach through a proxy.

    Attributes:
        name: capitals, for instance ``PROXIED``.
        protocol: ``PLAINTEXT``, ``SASL_PLAINTEXT``, ...; its settings go into `properties`.
        advertised_port: what clients are told to connect to; the broker's own port if None.
    """

    name: str
    protocol: str = "PLAINTEXT"
    advertised_port: int | None = None


class RealKafka:
    """Apache Kafka with its data in a folder of its own; ``with`` starts it and removes everything.

    Args:
        properties: server properties that add to `SINGLE_NODE` or replace it.
        listeners: addresses besides the plain one that `bootstrap` names.
        jvm: options of the Java virtual machine.

    Raises:
        KafkaUnavailable: no Java, or the jars cannot be had.
    """

    def __init__(
        self,
        properties: Mapping[str, str] | None = None,
        listeners: Sequence[Listener] = (),
        jvm: Sequence[str] = QUICK_JVM,
    ) -> None:
        java = find_java()
        jars = find_jars(java)
        level = "-Dorg.apache.logging.log4j.level=WARN"
        self._command = [str(java), *jvm, level, "-cp", str(jars / "*")]
        self._archive = class_archive(java, jars)
        self._process: subprocess.Popen[bytes] | None = None
        every = [Listener("CONTROLLER"), Listener("PLAINTEXT"), *listeners]
        self.ports = dict(zip([one.name for one in every], free_ports(len(every)), strict=True))
        self.folder = Path(tempfile.mkdtemp(prefix="rtml-kafka-"))
        self.log = self.folder / "broker.log"
        self._settings = self.folder / "server.properties"
        # Beside the final one, so that it takes its place in one step.
        self._fresh_archive = self._archive.with_suffix(f".{self.folder.name}")
        lines = {**SINGLE_NODE, **self._addresses(every), **(properties or {})}
        self._settings.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))

    def _addresses(self, listeners: Sequence[Listener]) -> dict[str, str]:
        own = {one.name: f"{one.name}://127.0.0.1:{self.ports[one.name]}" for one in listeners}
        told = [
            f"{one.name}://127.0.0.1:{one.advertised_port or self.ports[one.name]}"
            for one in listeners
            if one.name != "CONTROLLER"
        ]
        return {
            "controller.quorum.voters": f"1@127.0.0.1:{self.ports['CONTROLLER']}",
            "listeners": ",".join(own.values()),
            "advertised.listeners": ",".join(told),
            "listener.security.protocol.map": ",".join(f"{x.name}:{x.protocol}" for x in listeners),
            "log.dirs": str(self.folder / "data"),
        }

    @property
    def bootstrap(self) -> str:
        """The plain address, ``127.0.0.1:<port>``; the same after every start."""
        return self.address("PLAINTEXT")

    def address(self, listener: str) -> str:
        """Where the broker itself accepts the connections of a listener."""
        return f"127.0.0.1:{self.ports[listener]}"

    @property
    def pid(self) -> int | None:
        """The process that runs the broker, None while it is stopped."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start on the data that are there, and return once the broker answers.

        Raises:
            RuntimeError: it ended or did not answer in time; with the end of its log.
        """
        if self._process:
            raise RuntimeError("Kafka is running already")
        if self._archive.exists():
            classes = f"-XX:SharedArchiveFile={self._archive}"
        else:
            classes = f"-XX:ArchiveClassesAtExit={self._fresh_archive}"
        with self.log.open("ab") as log:
            if not (self.folder / "data").exists():
                self._format(log)
            # A session of its own, so that Ctrl-C ends the tests before it ends their broker.
            self._process = subprocess.Popen(
                [*self._command, classes, "kafka.Kafka", str(self._settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(self.bootstrap):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"Kafka did not start; the end of its log:\n{self._tail()}")

    def _format(self, log: IO[bytes]) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(self._settings)]
        done = subprocess.run([*self._command, *tool], stdout=log, stderr=log, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"Kafka refused its settings; the end of its log:\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for a process that does not end within `STOP_TIMEOUT_S`."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
                self._process = None
            except subprocess.TimeoutExpired:
                self.kill()
            if self._fresh_archive.exists():
                self._fresh_archive.replace(self._archive)

    def kill(self) -> None:
        """SIGKILL; the data stay, and `start` may follow."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> RealKafka:
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> None:
    """Run a broker until Ctrl-C or SIGTERM."""
    about = "A real Apache Kafka on free ports, without Docker: prints its address, ends on Ctrl-C."
    end = "Needs Java 17; its jars are looked for, else fetched by Maven. Example: python -m "
    end += "tests.broker, then: rtml run graphs/digits --create-topics --brokers ADDRESS"
    argparse.ArgumentParser("python -m tests.broker", None, about, end).parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), RealKafka() as kafka:
        print(kafka.bootstrap, flush=True)
        print(f"Kafka {VERSION} runs in {kafka.folder}; Ctrl-C ends it", file=sys.stderr)
        signal.pause()


if __name__ == "__main__":
    main()
