"""Free ports, and whether a Kafka answers."""

from __future__ import annotations

import random
import socket
import time
from contextlib import suppress

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient


def answers(bootstrap: str) -> bool:
    """Whether a broker lists its topics; returns after a moment where nobody listens yet."""
    host, port = bootstrap.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1.0).close()
    except OSError:
        time.sleep(0.05)
        return False
    try:
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        return bool(admin.list_topics(timeout=1.0).brokers)
    except KafkaException:
        return False


def free_ports(count: int) -> list[int]:
    """Ports on 127.0.0.1 that nobody uses.

    They lie below the range of outgoing connections: a client that keeps trying a port of that
    range while the broker is away can by chance connect to itself and block the port.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found
