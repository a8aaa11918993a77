"""A Kafka broker inside this process, for the demo and for fast tests."""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from types import TracebackType

from confluent_kafka import cimpl

from worker.errors import TransportError

PARTITIONS = 16
RETAINED_BYTES_PER_PARTITION = 5 * 1024 * 1024

_PRODUCER = 0
_NO_ERROR = 0
_ERROR_TEXT_BYTES = 512
_SETTLE_S = 5.0


class EmbeddedBroker:
    """One broker on 127.0.0.1, speaking Kafka's protocol, without Java and without Docker.

    It is the mock cluster of librdkafka, which every wheel of confluent-kafka carries. The
    constructor returns a broker that accepts connections, also from other processes; leaving the
    context ends it and everything it holds, which is in memory only.

    Good for: producing with acks=all and idempotence (batches, headers, timestamps, null keys and
    values, every codec), listing topics, a consumer group of one member, committed offsets.

    Not for guarantees, and not for latency as Kafka has it:

    - A partition keeps `RETAINED_BYTES_PER_PARTITION` as they came over the wire, and drops its
      oldest batches beyond that, also those nobody has read.
    - A fetch that finds nothing answers after the whole ``fetch_max_wait_ms``, even if a record
      comes earlier: set it to about 10 ms.
    - A second member of a group never gets its partitions, and a commit during a rebalance is
      refused. A member that comes after one has left waits the session timeout less a second.
    - Offsets cannot be looked up by time: every look-up finds none.
    - Topics cannot be created, described or changed over the wire. One that is used or asked for by
      name, but does not exist, appears with 4 partitions; listing all topics creates none.
    - The timestamp in the acknowledgement of a produce request means nothing.
    - Transactions: offsets are not stored, aborted records stay visible, nobody is fenced.

    Args:
        topics: name -> number of partitions of the topics to begin with.

    Raises:
        TransportError: the broker or a topic could not be made; not retriable.
    """

    def __init__(self, topics: Mapping[str, int] | None = None) -> None:
        self._library = _library()
        text = ctypes.create_string_buffer(_ERROR_TEXT_BYTES)
        settings = self._library.rd_kafka_conf_new()
        # The client that hosts the cluster would else report each closed connection on stderr.
        self._library.rd_kafka_conf_set(settings, b"log_level", b"0", text, len(text))
        self._client = self._library.rd_kafka_new(_PRODUCER, settings, text, len(text))
        if not self._client:
            reason = text.value.decode(errors="replace")
            raise TransportError(f"the embedded broker cannot start: {reason}", retriable=False)
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        if not self._cluster:
            self._library.rd_kafka_destroy(self._client)
            raise TransportError("the embedded broker cannot start", retriable=False)
        # The first member of a group would else wait 3 s for others that might join.
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        self._bootstrap = address.decode()
        try:
            for name, partitions in (topics or {}).items():
                self.create_topic(name, partitions)
        except TransportError:
            self.stop()
            raise

    @property
    def bootstrap(self) -> str:
        """The address for clients, ``127.0.0.1:<port>``."""
        return self._bootstrap

    def create_topic(self, name: str, partitions: int = PARTITIONS) -> None:
        """Create a topic, which no client can do over the wire here.

        Raises:
            TransportError: there is one of that name, or no partition, or the broker is stopped;
                not retriable.
        """
        if not self._cluster:
            raise TransportError("the embedded broker is stopped", retriable=False)
        if partitions < 1:
            raise TransportError(f"topic '{name}' needs a partition", retriable=False)
        self._settle()
        code = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if code != _NO_ERROR:
            reason = self._library.rd_kafka_err2str(code).decode(errors="replace")
            raise TransportError(f"cannot create topic '{name}': {reason}", retriable=False)

    def stop(self) -> None:
        """End the broker and drop everything it holds; a second call does nothing."""
        if self._cluster:
            self._settle()
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._client)
            self._cluster = self._client = None

    def _settle(self) -> None:
        """Wait until the broker's loop is ready for a command.

        A command sent right after another one can miss its wake-up and then takes a full second. A
        connection that is opened and closed is answered only after the loop has come around.
        """
        host, port = self._bootstrap.split(":")
        with (
            suppress(OSError),
            socket.create_connection((host, int(port)), _SETTLE_S) as connection,
        ):
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    def __enter__(self) -> EmbeddedBroker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@cache
def _library() -> ctypes.CDLL:
    """Librdkafka as confluent-kafka has loaded it, with the C signatures that are used here.

    A handle of the extension module finds the symbols of the library that it is linked to, so the
    wheel's folder layout does not matter. The signatures are those of rdkafka.h and rdkafka_mock.h.

    Raises:
        TransportError: this build of confluent-kafka has no mock cluster; not retriable.
    """
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    library = ctypes.CDLL(cimpl.__file__)
    signatures: dict[str, tuple[type | None, list[type]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, ctypes.c_size_t]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_err2str": (text, [number]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
    }
    try:
        for name, (result, arguments) in signatures.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as error:
        message = f"this build of confluent-kafka has no embedded broker: {error}"
        raise TransportError(message, retriable=False) from error
    return library
