"""Pathway: a table over the topic, and a function that is given many rows at once.

``autocommit_duration_ms`` of the source is that of
https://pathway.com/developers/user-guide/connectors/kafka_connectors; a short one keeps its latency
low. ``max_batch_size`` and ``deterministic``, which spares it from remembering every result, are
described with ``pw.udf``.
"""

from __future__ import annotations

import sys

import orjson
import pathway as pw

from bench.peers.scorer import Scorer

BATCH_EVENTS = 2_048
COMMIT_MS = 20


def main(brokers: str, group: str, source: str, sink: str, model: str) -> None:
    """Runs until it is stopped."""
    scorer = Scorer(model)

    @pw.udf(max_batch_size=BATCH_EVENTS, deterministic=True)
    def score(values: list[bytes]) -> list[bytes]:
        return [orjson.dumps(event) for event in scorer.score_all([*map(orjson.loads, values)])]

    common = {"bootstrap.servers": brokers}
    events = pw.io.kafka.read(
        {**common, "group.id": group, "auto.offset.reset": "earliest"},
        source,
        format="raw",
        autocommit_duration_ms=COMMIT_MS,
    )
    scored = events.select(key=events.key, value=score(events.data))
    safe = {"acks": "all", "enable.idempotence": "true"}
    pw.io.kafka.write(
        scored, {**common, **safe}, sink, format="raw", key=scored.key, value=scored.value
    )
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main(*sys.argv[1:])
