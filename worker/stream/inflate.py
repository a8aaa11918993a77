"""Decompression of record batches within a bound; aiokafka's own has none.

261 KB of gzip, or 8 KB of zstd, hold 256 MiB. Each codec is asked for no more than the bound:
gzip stops there, snappy's blocks declare their size, lz4 and zstd write into a buffer that ends.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Callable

import aiokafka.record.default_records as plain
import aiokafka.record.legacy_records as legacy
import cramjam
import numpy as np

from worker.bounds import bounds
from worker.stream.headers import LARGE_BYTES, has_long_list

_GZIP_WINDOW = 31
_XERIAL = b"\x82SNAPPY\0\0\0\0\1\0\0\0\1"
"""How Java begins snappy: blocks follow, each with its length before it."""
_BLOCK = struct.Struct(">i")
_USUAL_RATIO = 20
_FULL = "failed to write whole buffer"


class Turn:
    """What was decompressed since the event loop last turned.

    Attributes:
        spent: bytes; a batch that was given up counts as much as it was allowed.
    """

    def __init__(self) -> None:
        self.spent = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def watch(self) -> None:
        """Sees to it that the count begins anew when the running loop turns."""
        if not self.spent:
            return
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:  # it ended before it turned
                self.spent = 0
            self._loop = loop
            loop.call_soon(self._begin)

    def _begin(self) -> None:
        self.spent, self._loop = 0, None


turn = Turn()


class UnfitBatchError(Exception):
    """A record batch is not looked at: it is too large, or holds what would be."""


def _too_large() -> UnfitBatchError:
    most = bounds().max_decompressed_bytes
    turn.spent += most
    return UnfitBatchError(
        "its record batch is larger when it is decompressed than RTML_MAX_DECOMPRESSED_BYTES, "
        f"{most}"
    )


def gzip_decode(payload: bytes) -> bytes:
    """What one or several gzip members hold."""
    most, parts, rest = bounds().max_decompressed_bytes, [], bytes(payload)
    while rest:
        member = zlib.decompressobj(_GZIP_WINDOW)
        part = member.decompress(rest, most + 1)
        most -= len(part)
        if most < 0:
            raise _too_large()
        if not member.eof:
            raise EOFError("the gzip stream ends too early")
        parts.append(part)
        rest = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def snappy_decode(payload: bytes) -> bytes:
    """What snappy holds, as one block or as Java writes it."""
    data = memoryview(payload)
    blocks = [data]
    if bytes(data[: len(_XERIAL)]) == _XERIAL:
        blocks, at = [], len(_XERIAL)
        while at < len(data):
            (length,) = _BLOCK.unpack_from(data, at)
            at += _BLOCK.size
            if not 0 < length <= len(data) - at:
                raise ValueError("a block of snappy is longer than what follows it")
            blocks.append(data[at : at + length])
            at += length
    size = sum(map(cramjam.snappy.decompress_raw_len, blocks))
    if size > bounds().max_decompressed_bytes:
        raise _too_large()
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def lz4_decode(payload: bytes) -> bytes:
    """What frames of lz4 hold."""
    return _into_buffer(cramjam.lz4.decompress_into, payload)


def zstd_decode(payload: bytes) -> bytes:
    """What frames of zstd hold."""
    return _into_buffer(cramjam.zstd.decompress_into, payload)


def _into_buffer(decompress_into: Callable[..., int], payload: bytes) -> bytes:
    most = bounds().max_decompressed_bytes
    # A large buffer is cheap, only what is written takes memory; but 10 us are much for one event.
    for size in (min(len(payload) * _USUAL_RATIO, most), most):
        buffer = np.empty(size, dtype=np.uint8)
        try:
            return buffer[: decompress_into(payload, buffer)].tobytes()
        except cramjam.DecompressionError as error:
            if _FULL not in str(error):
                raise
    raise _too_large()


def _watched(decode: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Counts what it gives, and looks into what is large."""

    def watched(payload: bytes) -> bytes:
        data = decode(payload)
        turn.spent += len(data)
        if len(data) > LARGE_BYTES and has_long_list(data, bounds().max_headers):
            raise UnfitBatchError(
                "a record of its batch has more headers than RTML_MAX_HEADERS, "
                f"{bounds().max_headers}"
            )
        return data

    return watched


_DECODERS = (gzip_decode, snappy_decode, lz4_decode, zstd_decode)


def install() -> None:
    """Makes aiokafka decompress by these: its classes find the functions in their modules."""
    modules = [plain, legacy]
    try:
        from aiokafka.record._crecords import default_records, legacy_records
    except ImportError:
        pass  # a platform without its extension
    else:
        modules += [default_records, legacy_records]
    for module in modules:
        for decode in _DECODERS:
            if hasattr(module, decode.__name__):
                setattr(module, decode.__name__, _watched(decode))
