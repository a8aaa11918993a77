"""Values to a batch of columns.

Each value is decoded by itself: joining messages into one parse would let a crafted message
shift its neighbours' rows. Undeclared fields are not read, but they are passed on, so the whole
value must be valid UTF-8 JSON. Of duplicate keys the last one wins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import is_not
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from worker.batch import Batch, Column, ColumnType, DType
from worker.bounds import bounds
from worker.codec.depth import is_deeper
from worker.codec.fields import Fields, Values, watched_name
from worker.codec.instants import CARRIES, EPOCH, MILLISECOND, cut_off
from worker.codec.outcome import Drop
from worker.codec.reasons import MALFORMED, fault
from worker.codec.structs import event_struct
from worker.errors import Fault, Stage
from worker.schema import Schema, column_name, is_plain

TOMBSTONE = "tombstone"
"""Drop reason of a record whose value is null: on a compacted topic, a deletion."""

_FIRST, _LAST = np.datetime64("0001-01-01", "ms"), np.datetime64("9999-12-31T23:59:59.999", "ms")
_NAT = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was read from n values.

    Attributes:
        batch: the rows that could be read.
        faults: the others, ascending by row.
        drops: tombstones, ascending by row.
        carries: positions of records that already carry a field the sink will write, and maybe
            of others: the encoder looks again.
    """

    batch: Batch
    faults: list[Fault]
    drops: list[Drop]
    carries: frozenset[int]


class Decoder:
    """Decodes the events of one schema into the columns that a graph reads."""

    def __init__(self, schema: Schema, wanted: Collection[str], sink_fields: Sequence[str]) -> None:
        """Prepares the typed decoder.

        Args:
            schema: every declared field is checked in every event.
            wanted: the columns to build; the others are checked only.
            sink_fields: top-level names the sink writes into the event.
        """
        declared = schema.root.members
        self._depth = bounds().max_json_depth
        self._least = 2 * (self._depth + 1)  # bytes of a value that is deeper
        self._always_carries = any(name in declared or not is_plain(name) for name in sink_fields)
        watched = [name for name in sink_fields if name not in declared and is_plain(name)]
        if schema.root.closed:
            watched = []
        self._decode = msgspec.json.Decoder(event_struct(schema, watched)).decode
        self._fields = Fields(schema.root, wanted, n_watched=len(watched))
        self._watched = [watched_name(i) for i in range(len(watched))]
        self._columns = [
            (column_name(path), leaf.type)
            for path, leaf in schema.leaves()
            if column_name(path) in wanted
        ]
        self._times = {
            column_name(path): path
            for path, leaf in schema.leaves()
            if leaf.type.dtype is DType.DATETIME and column_name(path) in wanted
        }

    def decode(self, values: Sequence[bytes | None]) -> Decoded:
        """The columns of ``values``; no exception whatever they hold.

        Returns:
            A batch of the readable rows, and the reason for every other row.
        """
        given = list(filter(None, values))
        joined = b"".join(given)
        is_ascii = joined.isascii()
        try:
            if max(map(len, given), default=0) >= self._least:
                self._refuse_deep(given)
            if not is_ascii:
                # Each begins and ends with an ASCII character, so none completes another's.
                joined.decode()
        except MALFORMED:
            return self._decode_each(values)
        events, errors = self._events(values)
        rows = np.delete(np.arange(len(values), dtype=np.int64), list(errors))
        if not is_ascii:  # ASCII is UTF-8: it was told why it is no JSON
            errors = {row: self._reason(values[row], error) for row, error in errors.items()}
        carries = self._times and CARRIES.search(joined)
        return self._decoded(events, rows, *_fates(values, errors), values if carries else [])

    def _events(
        self, values: Sequence[bytes | None]
    ) -> tuple[list[msgspec.Struct], dict[int, Exception]]:
        """What can be read, and by row why the rest cannot; a traceback would hold the batch."""
        events: list[msgspec.Struct] = []
        errors: dict[int, Exception] = {}
        left = map(self._decode, values)  # type: ignore[arg-type]  # None raises
        while len(events) + len(errors) < len(values):
            try:
                events.extend(left)  # what was read before an error stays
            except (TypeError, *MALFORMED) as error:
                errors[len(events) + len(errors)] = error.with_traceback(None)
        return events, errors

    def _reason(self, value: bytes | None, error: Exception) -> Exception:
        """Why a value cannot be read, looked at by itself: no UTF-8 is told before no JSON."""
        try:
            if value is not None:
                self._one(value)
        except MALFORMED as own:
            return own.with_traceback(None)
        return error

    def _one(self, value: bytes) -> msgspec.Struct:
        """One event, by itself.

        Raises:
            MsgspecError: or another of `MALFORMED`: it is none.
        """
        if len(value) >= self._least:
            self._refuse_deep([value])
        value.decode()
        return self._decode(value)

    def _refuse_deep(self, values: Sequence[bytes]) -> None:
        """Looks closer at values that have more brackets than may be nested.

        Raises:
            RecursionError: one of them is nested too deeply.
        """
        objects, arrays = (max(map(bytes.count, values, repeat(one))) for one in (b"{", b"["))
        if objects + arrays > self._depth and any(is_deeper(v, self._depth) for v in values):
            raise RecursionError

    def _decode_each(self, values: Sequence[bytes | None]) -> Decoded:
        """The careful way: some are nested too deeply, or no UTF-8."""
        events: list[msgspec.Struct] = []
        rows: list[int] = []
        errors: dict[int, Exception] = {}
        for row, value in enumerate(values):
            try:
                events.append(self._one(value))  # type: ignore[arg-type]  # None raises
                rows.append(row)
            except (TypeError, *MALFORMED) as error:
                errors[row] = error.with_traceback(None)
        faults, drops = _fates(values, errors)
        return self._decoded(events, np.array(rows, dtype=np.int64), faults, drops, values)

    def _decoded(
        self,
        events: list[msgspec.Struct],
        rows: np.ndarray[Any, np.dtype[np.int64]],
        faults: list[Fault],
        drops: list[Drop],
        values: Sequence[bytes | None],
    ) -> Decoded:
        """The columns of events; ``values`` are empty where no time in them was rounded up."""
        found, read = self._fields.read(events), rows.tolist()
        columns = {name: _filled(found[name], kind) for name, kind in self._columns}
        if values and self._times:
            columns |= self._cut_off(columns, values, read)
        batch = Batch({}, rows).with_columns(columns)
        beyond = self._beyond_time(batch)
        if beyond:
            faults = sorted([*faults, *beyond], key=lambda fault: fault.row)
            gone = {fault.row for fault in beyond}
            kept = np.array([row not in gone for row in rows.tolist()], dtype=np.bool_)
            batch, rows = batch.take(kept), rows[kept]
        if self._always_carries:
            return Decoded(batch, faults, drops, frozenset(rows.tolist()))
        carries: set[int] = set()
        for name in self._watched:
            raws = found[name].tolist()
            if raws.count(msgspec.UNSET) != len(raws):
                carries.update(read[i] for i, raw in enumerate(raws) if raw is not msgspec.UNSET)
        return Decoded(batch, faults, drops, frozenset(carries))

    def _cut_off(
        self, columns: Mapping[str, Column], values: Sequence[bytes | None], rows: list[int]
    ) -> dict[str, Column]:
        names = list(self._times)
        ticks: dict[str, NDArray[Any]] = {}
        for i, j, moment in cut_off(values, rows, list(self._times.values())):
            held = ticks.setdefault(names[j], columns[names[j]].values.astype(np.int64))
            held[i] = moment
        return {name: Column(held.view("datetime64[ms]")) for name, held in ticks.items()}

    def _beyond_time(self, batch: Batch) -> list[Fault]:
        """Rows that an offset leads out of the years that text can carry, each once."""
        found: dict[int, Fault] = {}
        for name in self._times:
            ticks = batch[name].values
            for i in np.flatnonzero((ticks < _FIRST) | (ticks > _LAST)).tolist():
                row = int(batch.rows[i])
                message = f"outside the years 1 to 9999 in UTC - at `{name}`; correct the event"
                found.setdefault(row, Fault(row, Stage.DECODE, "SchemaMismatch", message))
        return list(found.values())


def _fates(
    values: Sequence[bytes | None], errors: Mapping[int, Exception]
) -> tuple[list[Fault], list[Drop]]:
    """The fate of rows that cannot be read."""
    drops = [Drop(row, TOMBSTONE) for row in errors if values[row] is None]
    return [fault(row, why) for row, why in errors.items() if values[row] is not None], drops


def _filled(found: Values, kind: ColumnType) -> Column:
    """A column from what was read of its field."""
    n = len(found)
    if kind.length is not None:
        none = [np.nan] * kind.length
        flat = chain.from_iterable(none if item is None else item for item in found)
        values = np.fromiter(flat, np.float64, n * kind.length)
        return Column(values.reshape(n, kind.length))
    if kind.dtype is DType.FLOAT64:
        return Column(found)
    items = found.tolist()
    if kind.dtype is DType.DATETIME:
        ticks = [_NAT if t is None else (t - EPOCH) // MILLISECOND for t in items]
        return Column(np.array(ticks, dtype=np.int64).view("datetime64[ms]"))
    valid = None
    if None in items:
        valid = np.fromiter(map(is_not, items, repeat(None)), np.bool_, n)
    if kind.dtype is DType.TEXT:
        return Column(found.copy(), valid)
    if valid is not None:
        found = np.where(valid, found, 0)
    return Column(found.astype(kind.numpy), valid)
