"""One look at a worker from outside: memory, files, threads, connections, and its own counts."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil

from bench.subject import Subject
from tests.kafka.metrics import total
from tests.net import free_ports

ANSWER_TIMEOUT_S = 30.0
READY_TIMEOUT_S = 120.0
PAUSE_S = 0.1
NEVER_S = 1e6
"""Looks of `Subject` itself take no part."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a worker holds at one moment.

    Attributes:
        rss_mb: resident memory, in 10^6 bytes.
        files: open file descriptors, sockets among them.
        connections: established ones to Kafka.
        tasks: of asyncio.
    """

    rss_mb: float
    files: int
    threads: int
    connections: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Told:
    """What the worker counts itself, over all its services."""

    received: int
    scored: int
    dropped: int
    dead: int


class Watched:
    """A worker process that can be looked into; ``with`` starts and stops it."""

    def __init__(
        self,
        brokers: str,
        folder: Path,
        options: Sequence[str],
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``options`` are those of ``rtml run``; ``folder`` takes its log."""
        (self._port,) = free_ports(1)
        self._kafka_port = int(brokers.rpartition(":")[2])
        self._tasks = folder / "tasks.json"
        command = [sys.executable, "-m", "bench.soak.watched", str(self._tasks), "run", *options]
        command += ["--brokers", brokers, "--http-port", str(self._port)]
        self.subject = Subject(command, folder / "worker.log", NEVER_S, environment)

    def __enter__(self) -> Watched:
        self.subject.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.subject.__exit__()

    def wait_ready(self) -> None:
        """Returns once it says so.

        Raises:
            RuntimeError: it has ended, or is not ready in time.
        """
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while True:
            self.subject.check()
            try:
                self.get("/health/ready")
            except OSError:
                if time.monotonic() > deadline_s:
                    raise RuntimeError(f"not ready within {READY_TIMEOUT_S:.0f} s") from None
                time.sleep(PAUSE_S)
            else:
                return

    def look(self) -> Look:
        """What it holds now.

        Raises:
            RuntimeError: it has ended.
        """
        self.subject.check()
        process = psutil.Process(self.subject.pid)
        with process.oneshot():
            held = (process.memory_info().rss / 1e6, process.num_fds(), process.num_threads())
            connections = sum(
                one.status == psutil.CONN_ESTABLISHED and one.raddr[1:] == (self._kafka_port,)
                for one in process.net_connections("tcp")
            )
        return Look(*held, connections, sum(self.tasks().values()))

    def tasks(self) -> dict[str, int]:
        """How many asyncio tasks there are of each coroutine, a second ago at most."""
        found: dict[str, int] = json.loads(self._tasks.read_text())
        return found

    def told(self) -> Told:
        """Its counters."""
        page = self.get("/metrics")
        names = ("received", "scored", "dropped")
        counts = [int(total(page, f"rtml_events_{name}_total")) for name in names]
        return Told(*counts, int(total(page, "rtml_dead_letters_total")))

    def get(self, path: str) -> str:
        """The body of an HTTP route."""
        url = f"http://127.0.0.1:{self._port}{path}"
        with urllib.request.urlopen(url, timeout=ANSWER_TIMEOUT_S) as answer:
            return str(answer.read().decode())
