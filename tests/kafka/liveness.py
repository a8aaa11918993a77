"""Health as a supervisor sees it, asked while something is broken."""

from __future__ import annotations

import json
import threading
from types import TracebackType

from tests.kafka.worker import Worker


def ready(worker: Worker) -> tuple[int, list[str]]:
    """The status of readiness and its reasons."""
    status, body = worker.get("/health/ready")
    return status, json.loads(body)["reasons"]


class Liveness:
    """Asks for liveness the whole time; counts the answers that were not 200."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self._end = worker, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.asked = self.failed = 0

    def _run(self) -> None:
        while not self._end.wait(0.25):
            self.asked += 1
            try:
                self.failed += self._worker.get("/health/live")[0] != 200
            except OSError:
                self.failed += 1

    def stop(self) -> None:
        """Asks no more: who ends the worker would be counted as well."""
        self._end.set()
        self._thread.join()

    def __enter__(self) -> Liveness:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
