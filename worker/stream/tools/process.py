"""A worker in a process of its own, as users run it: started, asked how it is, stopped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from worker.errors import RtmlError
from worker.settings import HTTP_STOP_TIMEOUT_S, Settings, load
from worker.stream import connect
from worker.stream.tools import command

POLL_S = 0.05
HTTP_TIMEOUT_S = 2.0
EXIT_S = 3.0
"""For what has no bound of its own in the worker: ending the loop and the process."""

# Not by Prometheus' parser: it lets `int("1.0")` fail for every sample, and CPython loses a Ctrl-C
# that comes while it words that error: 31 of 600.
_DROPPED = re.compile(
    r'^rtml_events_dropped_total\{.*?\breason="((?:[^"\\]|\\.)*)".*\} (\S+)$', re.MULTILINE
)

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Past the proxy that the surroundings may name: it cannot reach this machine's own ports."""


def stop_timeout_s(settings: Settings) -> float:
    """More than a worker with these settings takes to stop: the sum of its own bounds."""
    # The consumer, then the producer, which has two parts.
    closing_s = 2 * connect.STOP_TIMEOUT_S + 3 * connect.CLOSE_TIMEOUT_S
    return settings.drain_timeout_ms / 1_000 + closing_s + HTTP_STOP_TIMEOUT_S + EXIT_S


def dropped_by(page: str) -> Counter[str]:
    """How many events were dropped by reason, from a worker's page of metrics."""
    found: Counter[str] = Counter()
    for reason, count in _DROPPED.findall(page):
        # The escapes of a label are some of JSON's.
        found[json.loads(f'"{reason}"', strict=False)] += int(float(count))
    return found


class WorkerEnded(RtmlError):
    """The worker ended by itself, or did not become ready."""


class WorkerProcess:
    """``rtml run`` with its log in a file; leaving the context stops it, whatever happens.

    It drains also where this process is killed.

    Attributes:
        log: the file; removed in the end unless ``keep_log`` is set.
        url: where its health and metrics are, once it is ready.
        stop_timeout_s: how long `stop` waits before it kills.
    """

    def __init__(self, graph: Path, options: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts it; ``environment`` is all it gets.

        Raises:
            ConfigError: a setting in ``environment`` is wrong.
        """
        self.stop_timeout_s = stop_timeout_s(load(environment, {})[0])
        with tempfile.NamedTemporaryFile(prefix="rtml-worker-", suffix=".log", delete=False) as log:
            self.log = Path(log.name)
            # Nothing is written to it: its end closes with this process, however that ends.
            watched, self._held = os.pipe()
            own = ["--http-port", "0", command.WHILE_OPEN, str(watched)]
            self._process = subprocess.Popen(
                command.command("run", str(graph), *own, *options),
                env=command.environment(
                    {**environment, "RTML_LOG_FORMAT": "json", "RTML_LOG_LEVEL": "info"}
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[watched],
            )
            os.close(watched)
        self.url, self.keep_log = "", False

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait_ready(self, timeout_s: float) -> None:
        """Returns once it has joined its group and can serve.

        Raises:
            WorkerEnded: it ended, or is not ready in time; with its reasons.
        """
        deadline_s = time.monotonic() + timeout_s
        reasons = "it does not listen yet"
        while time.monotonic() < deadline_s:
            self.check()
            if not self.url:
                found = self.logged("http_listening")
                self.url = f"http://127.0.0.1:{found[0]['port']}" if found else ""
            if self.url:
                status, body = self._get("/health/ready")
                if status == 200:
                    return
                reasons = body or reasons
            time.sleep(POLL_S)
        raise WorkerEnded(f"the worker is not ready after {timeout_s:.0f} s: {reasons}")

    def check(self) -> None:
        """Notices a worker that ended by itself.

        Raises:
            WorkerEnded: it did; with the end of its log.
        """
        code = self._process.poll()
        if code is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
            raise WorkerEnded(f"the worker ended with exit code {code}; its log ends:\n{tail}")

    def dropped(self) -> Counter[str] | None:
        """How many events it dropped so far, by reason; None where it does not answer."""
        status, text = self._get("/metrics")
        return dropped_by(text) if status == 200 else None

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log's entries of that name so far."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the message that a command ends with
            if isinstance(entry, dict) and entry.get("event") == event:
                found.append(entry)
        return found

    def stop(self) -> int:
        """SIGTERM, so that it drains; SIGKILL after a bound. The exit code."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self.stop_timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
            except KeyboardInterrupt:  # a second Ctrl-C: nothing may be left behind
                self._process.kill()
                raise
        return self._process.wait()

    def _get(self, path: str) -> tuple[int, str]:
        try:
            with _direct.open(self.url + path, timeout=HTTP_TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        os.close(self._held)
        if not self.keep_log:
            self.log.unlink(missing_ok=True)
