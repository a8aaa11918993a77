"""Record batches that no ordinary client makes: small on the wire, large when decompressed."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence

import cramjam
from aiokafka import AIOKafkaProducer
from aiokafka.codec import snappy_encode
from aiokafka.record.util import calc_crc32c

HEADER = struct.Struct(">qiibIhiqqqhii")
CRC_AT = 17


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(data) + packer.flush()


def _lz4(data: bytes) -> bytes:
    packer = cramjam.lz4.Compressor(level=1, content_checksum=False, block_linked=False)
    packer.compress(data)
    return bytes(packer.finish())


def _zstd(data: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(data, level=1))


PACK: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, _gzip),
    "snappy": (2, snappy_encode),
    "lz4": (3, _lz4),
    "zstd": (4, _zstd),
}


def varint(number: int) -> bytes:
    """A number as records hold it."""
    raw = number << 1 if number >= 0 else (-number << 1) - 1
    found = bytearray()
    while raw > 0x7F:
        found.append(raw & 0x7F | 0x80)
        raw >>= 7
    found.append(raw)
    return bytes(found)


def record(
    index: int,
    value: bytes | None,
    key: bytes | None = None,
    headers: Sequence[tuple[bytes, bytes]] = (),
    raw_headers: bytes = b"",
) -> bytes:
    """One record of a batch; ``raw_headers`` as they stand there, their count before them."""
    listed = b"".join(varint(len(n)) + n + varint(len(c)) + c for n, c in headers)
    inner = b"\0\0" + varint(index) + _data(key) + _data(value)
    inner += raw_headers or varint(len(headers)) + listed
    return varint(len(inner)) + inner


def _data(content: bytes | None) -> bytes:
    return varint(-1) if content is None else varint(len(content)) + content


def batch(records: Iterable[bytes], codec: str, now_ms: int) -> bytearray:
    """A record batch as it is on the wire; codec ``none`` packs nothing."""
    given = list(records)
    kind, pack = PACK.get(codec, (0, bytes))
    packed = pack(b"".join(given))
    most = len(given)
    head = (0, len(packed) + HEADER.size - 12, -1, 2, 0, kind, most - 1, now_ms, now_ms, -1, -1, -1)
    built = bytearray(HEADER.pack(*head, most) + packed)
    struct.pack_into(">I", built, CRC_AT, calc_crc32c(bytes(built[CRC_AT + 4 :])))
    return built


def send(bootstrap: str, topic: str, batches: Iterable[bytearray]) -> list[int]:
    """Stores batches in partition 0 as they are; the offset of each one's first record."""
    return asyncio.run(_send(bootstrap, topic, batches))


async def _send(bootstrap: str, topic: str, batches: Iterable[bytearray]) -> list[int]:
    offsets = []
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_request_size=100_000_000, request_timeout_ms=120_000
    ) as producer:
        for built in batches:
            holder = producer.create_batch()
            holder.append(timestamp=None, key=None, value=b"{}")
            holder._build()
            holder._buffer = built
            sent = await producer.send_batch(holder, topic, partition=0)
            offsets.append((await sent).offset)
    return offsets
