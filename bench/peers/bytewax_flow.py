"""Bytewax: a dataflow whose map takes a whole batch, so that the model runs once for it.

https://docs.bytewax.io/v0.21.0/api/bytewax/bytewax.operators.html has ``flat_map_batch`` for this;
``batch_size`` is that of the Kafka source. It has no consumer group, and no recovery store is set
up: it starts at the beginning whenever it starts.
"""

from __future__ import annotations

import sys

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from bench.peers.scorer import Scorer

Read = KafkaSourceMessage[bytes | None, bytes | None]
Written = KafkaSinkMessage[bytes | None, bytes | None]
BATCH_EVENTS = 2_048


def flow(brokers: str, _group: str, source: str, sink: str, model: str) -> Dataflow:
    """Kafka in, one step, Kafka out."""
    scorer = Scorer(model)

    def score(messages: list[Read]) -> list[Written]:
        events = scorer.score_all([orjson.loads(message.value or b"") for message in messages])
        return [
            KafkaSinkMessage(message.key, orjson.dumps(event))
            for message, event in zip(messages, events, strict=True)
        ]

    made = Dataflow("scoring")
    events = op.input("events", made, KafkaSource([brokers], [source], batch_size=BATCH_EVENTS))
    scored = op.flat_map_batch("score", events, score)
    safe = {"acks": "all", "enable.idempotence": "true"}
    op.output("scored", scored, KafkaSink([brokers], sink, add_config=safe))
    return made


if __name__ == "__main__":
    cli_main(flow(*sys.argv[1:]))
