"""Storey, the engine of MLRun's serving graphs: a flow that is fed from Kafka.

The steps are those of https://docs.mlrun.org/en/stable/serving/available-steps.html: ``Batch``
for the model, then one event each for ``KafkaTarget``. In MLRun the events come from a Nuclio
trigger, which is Go; here librdkafka reads them, and offsets are stored as they are handed over.
"""

from __future__ import annotations

import signal
import sys

import orjson
from confluent_kafka import Consumer
from storey import Batch, Event, FlatMap, SyncEmitSource, build_flow
from storey.targets import KafkaTarget

from bench.peers.scorer import Scorer

READ_EVENTS = 500
BATCH_EVENTS = 500
FLUSH_S = 0.005


def main(brokers: str, group: str, source: str, sink: str, model: str) -> None:
    """Runs until SIGTERM."""
    safe = {"acks": "all", "linger_ms": 5, "batch_size": 900_000}
    controller = build_flow(
        [
            SyncEmitSource(buffer_size=BATCH_EVENTS),
            Batch(BATCH_EVENTS, flush_after_seconds=FLUSH_S, full_event=False),
            FlatMap(Scorer(model).score_all),
            KafkaTarget(brokers, sink, producer_options=safe),
        ]
    ).run()
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([source])
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    while running:
        for message in consumer.consume(READ_EVENTS, 0.01):
            controller.emit(Event(orjson.loads(message.value())))
    controller.terminate()
    controller.await_termination()
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
