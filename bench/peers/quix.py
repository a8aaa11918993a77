"""Quix Streams: a StreamingDataFrame that updates each event.

At least once, with commits by interval, is its default:
https://docs.quix.io/quix-streams/configuration.html. The producer has acks=all and idempotence; its
JSON is orjson. There is no operation on batches other than windows.
"""

from __future__ import annotations

import sys
import tempfile

from quixstreams import Application

from bench.peers.scorer import Scorer


def main(brokers: str, group: str, source: str, sink: str, model: str) -> None:
    """Runs until SIGTERM."""
    app = Application(
        broker_address=brokers,
        consumer_group=group,
        auto_offset_reset="earliest",
        producer_extra_config={"acks": "all", "enable.idempotence": True, "linger.ms": 5},
        state_dir=tempfile.mkdtemp(prefix="rtml-bench-quix-"),
        auto_create_topics=False,
        loglevel="WARNING",
    )
    events = app.topic(source, value_deserializer="json", key_deserializer="bytes")
    scored = app.topic(sink, value_serializer="json", key_serializer="bytes")
    app.dataframe(events).apply(Scorer(model).score).to_topic(scored)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
