"""Sizes: at the limit and a byte beyond, what explodes when it is read, what is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faults.finding import Finding
from faults.payload import check, event, record
from faults.stage import PATIENCE_S, Stage
from tests.kafka.client import Header, Record, produce
from tests.kafka.metrics import total
from tests.kafka.verdict import START_MS
from tests.kafka.worker import Worker
from worker.stream.tools.bench.use import use_of
from worker.stream.tools.bench.watch import Watch

LIMIT = 20_000
DIGITS = 12
"""What the text of one score may be longer than another's: a size may be left out by that."""
SPREAD = 300
"""Events that grow by a byte each, around the limit."""
MOST_RSS_BYTES = 1 << 30
HEADERS = 10_000
BOMBS, BOMB_BYTES = 6, 32_000_000
BOMB_LIMIT = 40_000_000


def _memory(worker: Worker) -> Watch:
    pid = worker.process.pid
    return Watch(lambda: use_of(pid))


def _is_small(memory: Watch) -> bool:
    """Whether memory was seen, and stayed below the limit."""
    return 0 < memory.peak_rss_bytes <= MOST_RSS_BYTES


def run(stage: Stage) -> Iterator[Finding]:
    """The limit of the sink, odd records, and bombs."""
    stage.say("at the limit")
    yield _limit(stage)
    stage.say("odd records")
    yield _odd(stage)
    stage.say("compression bombs")
    yield _bombs(stage)


def _padded(seq: int, size: int, key: bytes = b"k") -> Record:
    """An event that is padded to about so many bytes."""
    return Record(event(seq, key.decode(), pad="x" * size), key, timestamp_ms=START_MS + seq)


def _limit(stage: Stage) -> Finding:
    service = stage.service(sink_config={"max.message.bytes": str(LIMIT)})
    sent = [_padded(seq, LIMIT - 600 + seq) for seq in range(2 * SPREAD)]
    produce(stage.bootstrap, service.source, sent)
    with service.worker() as worker, _memory(worker) as memory:
        service.settled(timeout_s=PATIENCE_S)
        code = worker.terminate()
    scored, dead = service.scored(), service.dead_letters()
    verdict = check(sent, scored, dead)
    told = [one.header("rtml-dlq-message") or b"" for one in dead]
    sizes = sorted(int(found[0]) for text in told if (found := re.findall(rb"(\d+) bytes", text)))
    first = min(sizes, default=0)
    exact = len(sizes) == len(dead) and LIMIT < first <= LIMIT + DIGITS
    return Finding(
        "sizes",
        f"{len(sent)} events that grow by a byte, around the sink's {LIMIT:,}",
        f"scored {len(scored)}, dead letters {len(dead)} from {first:,} bytes on, "
        f"lost {verdict.lost}, exit {code}, RSS {memory.peak_rss_bytes / 1e6:.0f} MB",
        f"all accounted, the smallest refused has {LIMIT + 1:,} to {LIMIT + DIGITS:,} bytes, by "
        "the digits of its score, RSS <= 1 GiB",
        not verdict.lost and exact and bool(scored) and code == 0 and _is_small(memory),
    )


def _odd(stage: Stage) -> Finding:
    service = stage.service()
    headers: list[Header] = [(f"h{number}", b"v") for number in range(HEADERS)]
    many = record(1)
    key = b"x" * 1_000_000
    sent = [
        record(0),
        Record(many.value, many.key, headers, many.timestamp_ms),
        Record(event(2, "key"), key, timestamp_ms=START_MS + 2),
        Record(b"", b"empty", timestamp_ms=START_MS + 3),
        *(record(seq) for seq in range(4, 100)),
    ]
    tombstone = Record(None, b"tombstone", timestamp_ms=START_MS)
    produce(stage.bootstrap, service.source, [*sent[:4], tombstone, *sent[4:]])
    with service.worker() as worker, _memory(worker) as memory:
        service.settled(timeout_s=PATIENCE_S)
        dropped = total(worker.get("/metrics")[1], "rtml_events_dropped_total", reason="tombstone")
        code = worker.terminate()
    scored, letters = service.scored(), service.dead_letters()
    accounted = len(scored) + len(letters) + int(dropped)
    reasons = [one.header("rtml-dlq-message") or b"" for one in letters]
    told = sum(b"RTML_MAX_HEADERS" in reason for reason in reasons)
    return Finding(
        "sizes",
        f"{HEADERS:,} headers, a key of 1 MB, a tombstone, an empty value, among {len(sent):,}",
        f"accounted {accounted}/{len(sent) + 1}: scored {len(scored)}, dead letters "
        f"{len(letters)}, dropped {dropped:.0f}; for too many headers {told}/1, exit {code}, "
        f"RSS {memory.peak_rss_bytes / 1e6:.0f} MB",
        "all accounted, the limit of headers told, RSS <= 1 GiB",
        accounted == len(sent) + 1 and told == 1 and code == 0 and _is_small(memory),
    )


def _bombs(stage: Stage) -> Finding:
    """Values that are a thousand times as large as what was sent."""
    room = {"max.message.bytes": str(BOMB_LIMIT)}
    service = stage.service(sink_config=room, dead_config=room)
    bombs = [_padded(seq, BOMB_BYTES, b"key-%d" % seq) for seq in range(BOMBS)]
    good = [record(seq) for seq in range(BOMBS, BOMBS + 500)]
    produce(stage.bootstrap, service.source, [*bombs, *good], "gzip")
    with service.worker() as worker, _memory(worker) as memory:
        service.settled(timeout_s=PATIENCE_S)
        code = worker.terminate()
    scored, dead = service.scored(), service.dead_letters()
    verdict = check([*bombs, *good], scored, dead)
    return Finding(
        "sizes",
        f"{BOMBS} compression bombs, {BOMB_BYTES / 1e6:.0f} MB each when read, and {len(good)} "
        "events behind them",
        f"lost {verdict.lost}/{verdict.sent}, scored {len(scored)}, dead letters {len(dead)}, "
        f"exit {code}, RSS {memory.peak_rss_bytes / 1e6:.0f} MB",
        "all accounted, exit 0, RSS <= 1 GiB",
        not verdict.lost and code == 0 and _is_small(memory),
    )
