"""ParseVector: a text of numbers to a vector."""

from __future__ import annotations

import struct
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from worker.batch import Batch, Column, ColumnType, DType
from worker.nodes._names import Target
from worker.nodes._values import parse_float, shown
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_IN_NUMBERS = frozenset("0123456789+-.eE")
_FORMATS = {"float32": "f", "float64": "d"}
_decode = msgspec.json.Decoder(list[float]).decode


class ParseVectorParams(Params):
    """Which column, what stands between the numbers, how many there are, and the vector."""

    column: str
    separator: str = Field(default=",", min_length=1, max_length=8)
    length: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    into: Target
    dtype: Literal["float32", "float64"] = "float32"


class ParseVector(Node[ParseVectorParams]):
    """Reads text such as ``0.5, 1, -2e3`` into a vector; the text column stays.

    The column is ``(n,)`` text, the result ``(n, length)`` in ``dtype``, rounded to nearest. White
    space around numbers is allowed; a separator of white space stands for any run of it. A row is
    rejected (``VectorError``) where the text is missing, has another count of numbers, or holds an
    item that is empty, no decimal number (NaN and Infinity are none) or too large for ``dtype``.
    """

    Params = ParseVectorParams
    EXAMPLE: ClassVar = Example(
        params={"column": "points", "length": 3, "into": "vector"},
        types={"points": ColumnType(DType.TEXT)},
        given={"points": ["1,2,3", " 0.5 , -1e2, .25 ", "1,2", "1,x,3", None]},
        gives={"vector": [[1.0, 2.0, 3.0], [0.5, -100.0, 0.25]]},
    )

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs text, and a separator that cannot be part of a number."""
        params = self.params
        columns.need("column", params.column, {DType.TEXT})
        self._separator = params.separator.strip()
        if _IN_NUMBERS & set(self._separator):
            columns.problem("separator", f"'{params.separator}' may be part of a number", sure=True)
        # Of standard size ("="), struct refuses what overflows float32, as it does a wrong count.
        self._packer = struct.Struct(f"={params.length}{_FORMATS[params.dtype]}")
        self._type = ColumnType(DType(params.dtype), params.length)
        return Signature((params.column,), {params.into: self._type})

    def process(self, batch: Batch) -> Batch:
        """Each text by itself: as a JSON array where it is one, else item by item."""
        # 784 numbers: 30 us so, 38 by assigning the list to a row, 208 by float() of each item.
        pack, stride = self._packer.pack_into, self._packer.size
        vectors = np.zeros((len(batch), self.params.length), dtype=self._type.numpy)
        buffer, faults = vectors.data, dict[int, str]()
        for i, text in enumerate(batch[self.params.column].values.tolist()):
            try:
                pack(buffer, i * stride, *_decode(self._as_json(text)))
            except (msgspec.DecodeError, struct.error, OverflowError, UnicodeEncodeError):
                try:
                    vectors[i] = self._item_by_item(text)
                except ValueError as fault:
                    faults[i] = f"column '{self.params.column}': {fault}"
        rejected = np.zeros(len(batch), dtype=np.bool_)
        rejected[list(faults)] = True
        parsed = batch.with_columns({self.params.into: Column(vectors)})
        return parsed.reject(rejected, "VectorError", list(faults.values()))

    def _as_json(self, text: str | None) -> str:
        """The text as a JSON array if its items are JSON numbers; no valid JSON otherwise."""
        if text is None:
            return ""
        if self._separator == ",":
            return f"[{text}]"
        if "," in text:  # it would pass for a separator
            return ""
        if self._separator:
            return f"[{text.replace(self._separator, ',')}]"
        return f"[{','.join(text.split())}]"

    def _item_by_item(self, text: str | None) -> NDArray[Any]:
        """The numbers of a text that is no JSON array, such as ``+1`` or ``.5``.

        Raises:
            ValueError: what is wrong with the text, for its dead letter.
        """
        length, dtype = self.params.length, self.params.dtype
        if text is None:
            raise ValueError(f"missing, expected {length} numbers")
        items = text.split(self._separator or None) if text.strip() else []
        if len(items) != length:
            raise ValueError(f"{len(items)} numbers, expected {length}")
        numbers = np.empty(length)
        for i, item in enumerate(items):
            try:
                numbers[i] = parse_float(item)
            except ValueError:
                message = f"item {i + 1} of {length} is {shown(item)}, no finite number"
                raise ValueError(message) from None
        with np.errstate(over="ignore"):
            rounded = numbers.astype(self._type.numpy)
        if np.isinf(rounded).any():
            i = int(np.argmax(np.isinf(rounded)))
            message = f"item {i + 1} of {length} is {shown(items[i])}, too large for {dtype}"
            raise ValueError(message)
        return rounded
