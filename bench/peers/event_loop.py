"""The loop that one writes by hand: aiokafka, and ONNX Runtime once per event.

At least once: a fetch is committed after its last acknowledgement. Settings as in
https://aiokafka.readthedocs.io/en/stable/producer.html: ``send`` in the loop and its future awaited
later, so that the client makes batches; idempotent, which needs acks=all; and uvloop.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.peers.scorer import Scorer
from worker.loop import new_event_loop

RECORDS = 2_048


async def run(brokers: str, group: str, source: str, sink: str, model: str) -> None:
    """Scores until cancelled."""
    scorer = Scorer(model)
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=brokers,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers,
        acks="all",
        enable_idempotence=True,
        max_batch_size=900_000,
    )
    async with consumer, producer:
        while True:
            found = await consumer.getmany(timeout_ms=200, max_records=RECORDS)
            sent = []
            for records in found.values():
                for record in records:
                    event = scorer.score(msgspec.json.decode(record.value))
                    value = msgspec.json.encode(event)
                    sent.append(await producer.send(sink, value, record.key))
            if sent:
                await asyncio.gather(*sent)
                await consumer.commit()


async def main(*arguments: str) -> None:
    """Runs until SIGTERM."""
    running = asyncio.create_task(run(*arguments))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
