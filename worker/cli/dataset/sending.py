"""Rows of a file on their way to a topic: checked, keyed, sent, and known when they are done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from worker.cli.dataset.tally import Tally
from worker.dataset.check import Checker, Reason, json_path, parsed
from worker.dataset.instants import epoch_ms
from worker.dataset.rows import Row
from worker.schema import path_of, value_at
from worker.settings import Settings
from worker.stream.tools.events import Pace, key_of
from worker.stream.tools.send import Sender
from worker.stream.topics import TopicLimits

_MAX_SLEEP_S = 0.2


@dataclass(frozen=True, slots=True)
class Around:
    """What a record has beside its value.

    Attributes:
        key: the field that becomes the key, as a dotted path or JSON Pointer; None for none.
        timestamp: the field that becomes the record's time; None for now.
        limits: of the topic. Kafka refuses a whole batch for the time of one record.
    """

    key: str | None
    timestamp: str | None
    limits: TopicLimits


class Sending:
    """Sends the rows that fit, and counts the others.

    Attributes:
        sender: counts what Kafka acknowledged.
        tally: of the rows.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        checker: Checker,
        tally: Tally,
        around: Around,
        timeout_s: float,
        waiting: Callable[[str], None],
    ) -> None:
        """Asks nothing of Kafka yet.

        Args:
            settings: whose brokers are used.
            topic: where to.
            checker: what a row must fit.
            tally: counts the rows, and keeps the rejected ones.
            around: which fields become a record's key and time.
            timeout_s: a row that is not acknowledged for so long has failed.
            waiting: told why Kafka does not answer.
        """
        self.tally = tally
        self.sender = Sender(settings, topic, timeout_s, waiting)
        self._checker = checker
        self._key = None if around.key is None else path_of(around.key)
        self._time = None if around.timestamp is None else path_of(around.timestamp)
        self._limits = around.limits
        self._in_flight: dict[int, bytes] = {}
        self._last = 0

    @property
    def next_row(self) -> int:
        """The first row that is neither acknowledged nor rejected."""
        return min(self._in_flight, default=self._last + 1)

    def send_all(
        self,
        rows: Iterable[Row],
        first: int,
        per_second: float | None,
        progress: Callable[[], None],
    ) -> None:
        """Sends the rows from a number on at a rate, until Kafka does not answer any more."""
        self._last, pace = first - 1, Pace(per_second)
        for i, row in enumerate(row for row in rows if row.number >= first):
            while (due_s := pace.due_in_s(i)) > 0:
                time.sleep(min(due_s, _MAX_SLEEP_S))
                self.sender.poll()
            self._take(row)
            if self.sender.unreachable:
                return
            progress()

    def _take(self, row: Row) -> None:
        self.tally.rows += 1
        event, reasons = parsed(row)
        no_event = bool(reasons)
        reasons = reasons or self._checker.reasons(event)
        key = at_ms = None
        if not reasons:
            key, at_ms, reasons = self._around(event)
        if reasons:
            self.tally.reject({"row": row.number}, reasons, row.value, no_event=no_event)
        else:
            # In this order: whenever Ctrl-C comes, no row counts as done that is not.
            self._in_flight[row.number] = row.value
            self._last = row.number
            self.sender.send(row.value, key, at_ms, partial(self._settled, row.number))
        self._last = row.number

    def _around(self, event: Any) -> tuple[bytes | None, int | None, list[Reason]]:
        """The key and the time of a row, or why there are none."""
        key: bytes | None = None
        at_ms: int | None = None
        reasons: list[Reason] = []
        if self._key is not None:
            try:
                key = key_of(event, self._key)
            except ValueError as error:
                reasons.append(Reason(json_path(self._key), "key", str(error)))
        if self._time is not None:
            at_ms = epoch_ms(value_at(event, self._time))
            if at_ms is None:
                message = "no instant to take the time from: text (RFC 3339) or epoch ms"
                reasons.append(Reason(json_path(self._time), "timestamp", message))
            elif not self._limits.accepts(at_ms, int(time.time() * 1_000)):
                message = "the topic does not take records of that time, see its "
                message += "message.timestamp.after.max.ms and message.timestamp.before.max.ms"
                reasons.append(Reason(json_path(self._time), "timestamp", message))
        return key, at_ms, reasons

    def _settled(self, number: int, refused: str) -> None:
        value = self._in_flight.pop(number)
        if refused:
            reasons = [Reason("$", "kafka", f"Kafka refused it: {refused}")]
            self.tally.reject({"row": number}, reasons, value, no_event=False)
