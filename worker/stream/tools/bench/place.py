"""The topics and groups of one benchmark: made under names of its own, and deleted with it."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from worker.errors import TransportError
from worker.settings import Settings
from worker.stream.tools.group import forget_groups
from worker.stream.tools.make import make_named
from worker.stream.tools.remove import remove_topics
from worker.stream.topics import DEAD_LETTER_EXTRA_BYTES, DEFAULT_MAX_RECORD_BYTES

PREFIX = "rtml-bench-"
RETENTION_MS = 3_600_000
"""What is left where this process was killed empties itself."""
EXPELLED_S = 5.0
"""Beyond its session timeout: then Kafka has expelled a member that did not leave."""


class Place:
    """Where one benchmark takes place; nothing else is touched.

    Attributes:
        partitions: of each topic.
        events: the topic of the events.
        scored: topics that stand for the sinks of the graph, its own first.
        dead: the topic of the dead letters.
        passed: where the floor passes events on to.
    """

    def __init__(self, settings: Settings, sinks: int, partitions: int) -> None:
        """Asks nothing of Kafka yet.

        Args:
            settings: whose brokers are used.
            sinks: how many topics the graph's scored events can go to.
            partitions: of each topic.
        """
        self._settings, self.partitions = settings, partitions
        self._name = f"{PREFIX}{secrets.token_hex(4)}"
        self._groups: list[str] = []
        self.events, self.dead, self.passed = (
            f"{self._name}-{what}" for what in ("events", "dead", "passed")
        )
        more = [f"{self._name}-scored-{number}" for number in range(2, sinks + 1)]
        self.scored = (f"{self._name}-scored", *more)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The topics of outcomes."""
        return (*self.scored, self.dead, self.passed)

    def make(self, wait_s: float, waiting: Callable[[str], None]) -> None:
        """Makes the topics; the broker stamps outcomes with the time of their append.

        Args:
            wait_s: give up reaching Kafka after so long.
            waiting: told the reason before each further try.

        Raises:
            TransportError: Kafka is not reached in time, or refuses.
        """
        short = {"retention.ms": str(RETENTION_MS)}
        stamped = {**short, "message.timestamp.type": "LogAppendTime"}
        configs = {self.events: short, **{topic: dict(stamped) for topic in self.outputs}}
        # As `worker.stream.topics.create` does: whatever could be read can be buried.
        most_bytes = DEFAULT_MAX_RECORD_BYTES + DEAD_LETTER_EXTRA_BYTES
        configs[self.dead]["max.message.bytes"] = str(most_bytes)
        topics = [self.events, *self.outputs]
        make_named(self._settings, topics, self.partitions, wait_s, waiting, configs)

    def group(self, name: str) -> str:
        """The name of one more group, which `remove` deletes."""
        self._groups.append(f"{self._name}-{len(self._groups)}-{name}")
        return self._groups[-1]

    def remove(self) -> dict[str, str]:
        """Deletes all of them that are there.

        Returns:
            Why, by the name of a topic or group, it is left.
        """
        settings = self._settings
        wait_s = settings.session_timeout_ms / 1_000 + EXPELLED_S
        try:
            groups = forget_groups(settings, self._groups, wait_s)
            return {**groups, **remove_topics(settings, [self.events, *self.outputs])}
        except TransportError as error:  # there is no token
            return dict.fromkeys([*self._groups, self.events, *self.outputs], str(error))
