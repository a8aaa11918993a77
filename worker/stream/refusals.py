"""Records that Kafka refuses to take, found by halving: they become dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from aiokafka.errors import KafkaError, ProducerClosed, ProducerFenced

from worker.codec.outcome import Outcomes
from worker.errors import Fault, Stage, TransportError
from worker.stream.denied import FORBIDDEN
from worker.stream.record import Record
from worker.stream.ticket import Taken

SHRINK = 16
"""A refused batch is read again in batches so much smaller, until the guilty record is alone."""
CONVICTED = 2
"""Refusals of a lone record: one may be a passing error, such as a lost sequence number."""


class Refusals:
    """How large a batch may be after a refusal, and which records are known to be refused.

    Attributes:
        most: events the next batch may have; grows back with every batch that is taken.
    """

    def __init__(self, max_events: int) -> None:
        self.most = self._max_events = max_events
        self._lone: Counter[tuple[int, int]] = Counter()
        self._guilty: dict[tuple[int, int], str] = {}

    @property
    def suspects(self) -> bool:
        """Whether a batch was refused of late, and the guilty record may be in the next one."""
        return self.most < self._max_events

    def note(self, error: KafkaError, taken: Sequence[Taken]) -> None:
        """A batch was refused: read it again in smaller ones, or know its only record guilty.

        Raises:
            KafkaError: ``error``, where it is not about a record.
            TransportError: it was the refusal of the guilty record's own dead letter.
        """
        if error.retriable:
            return
        if isinstance(error, (*FORBIDDEN, ProducerClosed, ProducerFenced)):
            raise error
        size = sum(part.span.events for part in taken)
        self.most = max(1, size // SHRINK)
        if size == 1:
            record = taken[0].records[0]
            place = (record.partition, record.offset)
            if place in self._guilty:
                raise TransportError(
                    f"dead letter of {record.topic}-{record.partition}@{record.offset} refused: "
                    f"{type(error).__name__}: {error}",
                    retriable=False,
                )
            self._lone[place] += 1
            if self._lone[place] == CONVICTED:
                self._guilty[place] = f"{type(error).__name__}: {error}"

    def condemn(self, records: Sequence[Record], outcomes: Outcomes) -> None:
        """Turns the outcomes of guilty records into faults of stage produce, in place."""
        if not self._guilty:
            return
        for row, record in enumerate(records):
            said = self._guilty.get((record.partition, record.offset))
            if said is not None and outcomes.values[row] is not None:
                outcomes.values[row] = None
                message = f"Kafka refused the scored record: {said}"
                outcomes.faults.append(Fault(row, Stage.PRODUCE, "ProduceRefused", message))
        outcomes.faults.sort(key=lambda fault: fault.row)

    def settled(self, taken: Sequence[Taken]) -> None:
        """A batch was taken: batches grow again, and its guilty records are forgotten."""
        self.most = min(self.most * 2, self._max_events)
        for part in taken if self._lone else ():
            partition = part.lane.partition.partition
            for place in list(self._lone):
                if place[0] == partition and place[1] < part.span.end:
                    del self._lone[place]
                    self._guilty.pop(place, None)
