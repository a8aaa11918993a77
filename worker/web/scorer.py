"""Scores requests in threads of their own, so that the event loop and the stream go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

from worker.codec.outcome import Drop, Scored
from worker.errors import Fault
from worker.graph.plan import Plan
from worker.models.watchdog import limited
from worker.score import score
from worker.web.answers import Refusal
from worker.web.limits import Limits

CHUNK_EVENTS = 512
"""Scored at a time: between two chunks a request whose time is over ends."""

Outcome = Scored | Drop | Fault
T = TypeVar("T")


class Job:
    """One request's work; runs in a thread."""

    def __init__(self, model_s: float) -> None:
        """``model_s``: how long one run of a model may take."""
        self._over, self._model_s = threading.Event(), model_s

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self._over.set()

    def score(self, plan: Plan, values: Sequence[bytes]) -> list[Outcome]:
        """An outcome per value, in their order; the same bytes as on the stream."""
        return list(chain.from_iterable(self._chunks(plan, values)))

    def _chunks(self, plan: Plan, values: Sequence[bytes]) -> Iterator[Iterator[Outcome]]:
        for start in range(0, len(values), CHUNK_EVENTS):
            if self._over.is_set():
                return
            with limited(self._model_s):
                outcomes = score(plan, values[start : start + CHUNK_EVENTS])
            yield iter(outcomes)


class Scorer:
    """A few threads, a bounded queue before them, and a time limit over both."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = threading.BoundedSemaphore(limits.places)
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="http-score")

    async def run(self, work: Callable[[Job], T]) -> T:
        """What ``work`` returns, called in a thread.

        A thread whose time is over keeps its place until it ends, so that a graph that takes too
        long cannot pile up threads.

        Raises:
            Refusal: 503 where too many wait already, 504 after the time limit, or its own.
        """
        if not self._places.acquire(blocking=False):
            told = f"{self._limits.places} requests are being scored or wait for it"
            hint = "come again in a second, or send several events in one request"
            raise Refusal(503, told, hint=hint, headers={"Retry-After": "1"})
        job = Job(self._limits.model_s)
        done = self._threads.submit(work, job)
        done.add_done_callback(lambda _: self._places.release())
        try:
            async with asyncio.timeout(self._limits.score_s):
                return await asyncio.wrap_future(done)
        except TimeoutError:
            told = f"not scored within {self._limits.score_s:g} s"
            hint = "send fewer events at a time, or raise RTML_HTTP_TIMEOUT_MS"
            raise Refusal(504, told, hint=hint) from None
        finally:
            job.cancel()

    def close(self) -> None:
        """Takes nothing more; what waits is given up, what runs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
