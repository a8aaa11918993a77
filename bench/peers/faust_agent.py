"""A Faust agent, ``async for`` over its stream, as in the tutorial of faust-streaming.

Settings from https://faust-streaming.github.io/faust/userguide/settings.html: acks=all, batches of
the producer by size and a short linger, orjson as its codec, no web server. ``take`` would make
batches for the model, but acknowledges those that failed, and loses them.
"""

from __future__ import annotations

import sys
import tempfile

import faust

from bench.peers.scorer import Event, Scorer

BATCH_BYTES = 900_000
LINGER_MS = 5


def app(brokers: str, group: str, source: str, sink: str, model: str) -> faust.App:
    """The application with its only agent."""
    made = faust.App(
        group,
        broker=f"aiokafka://{brokers}",
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=500,
        producer_acks=-1,
        producer_linger_ms=LINGER_MS,
        producer_max_batch_size=BATCH_BYTES,
        datadir=tempfile.mkdtemp(prefix="rtml-bench-faust-"),
        topic_disable_leader=True,
        web_enabled=False,
    )
    events = made.topic(source, key_type=bytes, value_serializer="json")
    scored = made.topic(sink, key_type=bytes, value_serializer="json")
    scorer = Scorer(model)

    @made.agent(events)
    async def score(stream: faust.Stream[Event]) -> None:
        async for key, event in stream.items():
            await scored.send(key=key, value=scorer.score(event))

    return made


if __name__ == "__main__":
    faust.Worker(app(*sys.argv[1:]), loglevel="warn").execute_from_commandline()
