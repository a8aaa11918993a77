"""A worker in a process of its own, as users run it: started, asked how it is, stopped."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from worker.settings import HTTP_STOP_TIMEOUT_S, Settings, load
from worker.stream import connect
from worker.stream.tools.child import Child, ChildEnded
from worker.stream.tools.command import command

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


class WorkerProcess(Child):
    """``rtml run``, as users start it.

    Attributes:
        url: where its health and metrics are, once it is ready.
    """

    def __init__(self, graph: Path, options: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts it; ``environment`` is all it gets.

        Raises:
            ConfigError: a setting in ``environment`` is wrong.
        """
        super().__init__(
            "worker",
            command("run", str(graph), "--http-port", "0", *options),
            {**environment, "RTML_LOG_FORMAT": "json", "RTML_LOG_LEVEL": "info"},
            stop_timeout_s(load(environment, {})[0]),
        )
        self.url = ""

    def wait_ready(self, timeout_s: float) -> None:
        """Returns once it has joined its group and can serve.

        Raises:
            ChildEnded: it ended, or is not ready in time; with its reasons.
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
        raise ChildEnded(f"the worker is not ready after {timeout_s:.0f} s: {reasons}")

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

    def _get(self, path: str) -> tuple[int, str]:
        try:
            with _direct.open(self.url + path, timeout=HTTP_TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""
