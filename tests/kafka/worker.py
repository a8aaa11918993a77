"""The worker as users run it: a process of its own, started by its command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.net import free_ports

READY_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 60.0
ROOT = Path(__file__).parents[2]


class Worker:
    """A running ``rtml run``; leaving the context kills what still runs.

    Args:
        graphs: the graph files to serve.
        bootstrap: the broker's address.
        group: the consumer group.
        folder: where the log file goes, one for each worker.
        options: further arguments of ``rtml run``.
        environment: variables besides those of the tests' own process, from which every setting
            of the worker (``RTML_*``) is taken out.
        program: the module that is run: the worker, or one that changes it first.
    """

    def __init__(
        self,
        graphs: Path | Sequence[Path],
        bootstrap: str,
        group: str,
        folder: Path,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        program: str = "worker",
    ) -> None:
        (self.http_port,) = free_ports(1)
        self.log = folder / f"worker-{group}-{self.http_port}.log"
        paths = [graphs] if isinstance(graphs, Path) else graphs
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("RTML_")
        }
        command = [sys.executable, "-m", program, "run", *map(str, paths), "--brokers", bootstrap]
        command += ["--group", group, "--http-port", str(self.http_port), *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**inherited, "RTML_LOG_FORMAT": "json", **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return once ``/health/ready`` answers 200; a failure shows the end of the log."""
        deadline = time.monotonic() + timeout_s
        status, body = 0, ""
        while status != 200:
            code = self.process.poll()
            assert code is None, f"the worker ended with {code}; {self._tail()}"
            assert time.monotonic() < deadline, (
                f"not ready after {timeout_s:.0f} s: {status} {body}; {self._tail()}"
            )
            try:
                status, body = self.get("/health/ready")
            except OSError:
                status, body = 0, "nobody listens"
            if status != 200:
                time.sleep(0.05)

    def get(self, path: str) -> tuple[int, str]:
        """The status and the body of an HTTP route.

        Raises:
            OSError: nobody listens, or no answer came in time.
        """
        url = f"http://127.0.0.1:{self.http_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP and SIGCONT."""
        self.process.send_signal(number)

    def wait(self, timeout_s: float = DRAIN_TIMEOUT_S) -> int:
        """The exit code of a worker that ends by itself; a failure shows the end of the log."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the worker still runs after {timeout_s:.0f} s; {self._tail()}"
            ) from None

    def terminate(self, timeout_s: float = DRAIN_TIMEOUT_S) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.wait(timeout_s)

    def kill(self) -> None:
        """SIGKILL: the worker has no chance to finish anything."""
        self.process.kill()
        self.process.wait()

    def log_events(self, name: str | None = None) -> list[dict[str, Any]]:
        """The log's JSON lines so far, of one event name if given; other lines are left out."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and name in (None, event.get("event")):
                found.append(event)
        return found

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-40:]
        return "the end of its log:\n" + "\n".join(lines)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
