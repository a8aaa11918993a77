"""Events that keep coming while something happens to the workers or the broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType

from tests.kafka.sending import Record, make_producer, send

SLICE_S = 0.05


class Feeder:
    """Sends records at an even rate from a thread.

    Leaving the context waits for the last one; after an error nothing more is sent.

    Args:
        bootstrap: the broker's address.
        topic: where the records go.
        records: in the order in which they are sent.
        per_s: how many each second.
    """

    def __init__(self, bootstrap: str, topic: str, records: Sequence[Record], per_s: int) -> None:
        self._producer = make_producer(bootstrap, idempotent=True)
        self._topic, self._records, self.per_s = topic, records, per_s
        self._slice = max(1, int(per_s * SLICE_S))
        self._thread = threading.Thread(target=self._run)
        self._error: BaseException | None = None
        self._enough = threading.Event()
        self.sent = 0

    def _run(self) -> None:
        begin = time.monotonic()
        try:
            while self.sent < len(self._records) and not self._enough.is_set():
                chunk = self._records[self.sent : self.sent + self._slice]
                send(self._producer, self._topic, chunk)
                self.sent += len(chunk)
                due = begin + SLICE_S * self.sent / self._slice
                time.sleep(max(0.0, due - time.monotonic()))
        except BaseException as error:  # noqa: BLE001 - raised again where the context is left
            self._error = error

    def stop(self) -> None:
        """Sends no more than what is on its way; ``sent`` says how much that is."""
        self._enough.set()
        self._thread.join()

    def wait_sent(self, count: int, timeout_s: float = 60.0) -> None:
        """Return once so many records are in Kafka."""
        deadline = time.monotonic() + timeout_s
        while self.sent < count and self._error is None:
            assert time.monotonic() < deadline, f"{self.sent} of {count} sent"
            time.sleep(0.01)
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Feeder:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._enough.set()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error
