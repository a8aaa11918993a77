"""Storey, the engine of MLRun's serving graphs: a flow that is fed from Kafka.

The steps are those of https://docs.mlrun.org/en/stable/serving/available-steps.html: ``Batch``
for the model, then one event each for ``KafkaTarget``. In MLRun the events come from a Nuclio
trigger, which is Go; here librdkafka reads them, and offsets are stored as they are handed over.
The source is the asynchronous one, whose events need no change of threads: 26 instead of 226 µs.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import orjson
from confluent_kafka import Consumer
from storey import AsyncEmitSource, Batch, Event, FlatMap, build_flow
from storey.targets import KafkaTarget

from bench.peers.scorer import Scorer

BATCH_EVENTS = 500
FLUSH_S = 0.005
POLL_S = 0.005


async def main(brokers: str, group: str, source: str, sink: str, model: str) -> None:
    """Runs until SIGTERM."""
    safe = {"acks": "all", "linger_ms": 5, "batch_size": 900_000}
    flow = build_flow(
        [
            AsyncEmitSource(),
            Batch(BATCH_EVENTS, flush_after_seconds=FLUSH_S, full_event=False),
            FlatMap(Scorer(model).score_all),
            KafkaTarget(brokers, sink, producer_options=safe),
        ]
    ).run()
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([source])
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    while not stopped.is_set():
        for message in await asyncio.to_thread(consumer.consume, BATCH_EVENTS, POLL_S):
            await flow.emit(Event(orjson.loads(message.value())))
    await flow.terminate(wait=True)
    consumer.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
