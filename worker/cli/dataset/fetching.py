"""The records of a topic that fit a schema, into a file."""

from __future__ import annotations

from collections.abc import Callable

from worker.cli.dataset.tally import Tally
from worker.dataset.check import Checker, Reason, parsed
from worker.dataset.rows import Row
from worker.dataset.write import Output
from worker.stream.tools.span import Span

Progress = Callable[[int, float | None], None]


def copy(
    span: Span, file: Output, checker: Checker, tally: Tally, most: int | None, progress: Progress
) -> int:
    """Adds the events that fit to a file; how many tombstones were passed over.

    Args:
        span: what is read.
        file: where to.
        checker: what an event must fit.
        tally: counts the records, and keeps the rejected ones.
        most: events to write; None for all.
        progress: told the number of events, and which part of the offsets was read.

    Raises:
        TransportError: Kafka does not answer any more.
    """
    tombstones, total = 0, span.offsets
    for read, record in enumerate(span.records(), 1):
        if record.value is None:
            tombstones += 1
            continue
        tally.rows += 1
        event, reasons = parsed(Row(record.offset, record.value))
        no_event = bool(reasons)
        if not reasons and not isinstance(event, dict):
            reasons, no_event = [Reason("$", "type", "no JSON object")], True
        reasons = reasons or checker.reasons(event)
        if reasons:
            place = {"partition": record.partition, "offset": record.offset}
            tally.reject(place, reasons, record.value, no_event=no_event)
        else:
            file.add(event, record.value)
        if file.events == most:
            break
        progress(file.events, read / total if total else None)
    return tombstones
