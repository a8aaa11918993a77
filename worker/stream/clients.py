"""Kafka clients with the settings that keep the promises; nothing else makes one."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from worker.errors import ConfigError, Problem, TransportError
from worker.settings import Settings

MAX_FETCH_BYTES = 16_000_000
MAX_PARTITION_FETCH_BYTES = 4_000_000
"""8 KB events: 2.5 times the speed of 256 KB."""
MAX_POLL_INTERVAL_MS = 300_000
REQUEST_TIMEOUT_MS = 40_000
BACKOFF_MAX_S = 5.0
STOP_TIMEOUT_S = 4.0
CAUSE_TIMEOUT_MS = 5_000


def security(settings: Settings) -> dict[str, Any]:
    """The connection arguments that every client shares.

    Raises:
        ConfigError: a certificate or key file that cannot be used.
    """
    given: dict[str, Any] = {
        "bootstrap_servers": settings.brokers,
        "client_id": settings.client_id,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        given["ssl_context"] = _ssl_context(settings)
    if settings.security_protocol.startswith("SASL") and settings.sasl_password is not None:
        given["sasl_mechanism"] = settings.sasl_mechanism
        given["sasl_plain_username"] = settings.sasl_username
        given["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return given


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    secret = settings.ssl_password
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile is not None:
            context.load_cert_chain(
                settings.ssl_certfile,
                settings.ssl_keyfile,
                secret.get_secret_value() if secret is not None else None,
            )
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(Problem("RTML_SSL_*", f"certificate or key: {error}")) from error
    return context


def consumer(settings: Settings, group: str, isolation: str) -> aiokafka.AIOKafkaConsumer:
    """A consumer that commits nothing by itself and never skips offsets by itself."""
    return aiokafka.AIOKafkaConsumer(
        **security(settings),
        group_id=group,
        group_instance_id=settings.group_instance_id,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level=isolation,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        fetch_max_bytes=MAX_FETCH_BYTES,
        max_partition_fetch_bytes=MAX_PARTITION_FETCH_BYTES,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=min(settings.session_timeout_ms // 3, 1_000),
        rebalance_timeout_ms=settings.rebalance_timeout_ms,
        max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        # JoinGroup is sent once per assignor, so exactly one.
        partition_assignment_strategy=(RoundRobinPartitionAssignor,),
    )


def producer(
    settings: Settings, compression: str, max_batch_bytes: int
) -> aiokafka.AIOKafkaProducer:
    """An idempotent producer with acks=all; batches are made by the caller, so no linger."""
    return aiokafka.AIOKafkaProducer(
        **security(settings),
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        compression_type=None if compression == "none" else compression,
        max_batch_size=max_batch_bytes,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


FORBIDDEN = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
"""Answers that trying again does not change."""


class Admin(AIOKafkaAdminClient):  # type: ignore[misc]  # aiokafka has no types
    """A client for topics and their configuration, stopped like the others."""

    async def stop(self) -> None:
        """Disconnects."""
        await self.close()


def admin(settings: Settings) -> Admin:
    """A client for topics and their configuration."""
    return Admin(**security(settings), request_timeout_ms=REQUEST_TIMEOUT_MS)


class Client(Protocol):
    """What all Kafka clients share."""

    async def start(self) -> None:
        """Connects."""

    async def stop(self) -> None:
        """Disconnects."""


ClientT = TypeVar("ClientT", bound=Client)


async def connect(
    settings: Settings,
    make: Callable[[], ClientT],
    deadline_s: float | None,
    waiting: Callable[[str], None],
) -> ClientT:
    """A started client; tries again until Kafka answers.

    Args:
        settings: whose brokers are tried.
        make: a new client for each try.
        deadline_s: on the loop's clock, when to give up; None waits for ever.
        waiting: told the reason before each further try.

    Raises:
        TransportError: not reached in time, or refused (credentials, authorization).
    """
    loop = asyncio.get_running_loop()
    pause_s = 0.25
    while True:
        client = make()
        try:
            await client.start()
        except (KafkaError, OSError) as error:
            await stop(client)
            cause = await _cause(settings, error)
            if isinstance(cause, FORBIDDEN):
                raise refused(cause) from None
            told = str(cause) or type(cause).__name__
            reason = f"cannot reach Kafka at {settings.brokers}: {told}"
            if deadline_s is not None and loop.time() + pause_s > deadline_s:
                raise TransportError(reason, retriable=True) from error
            waiting(reason)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, BACKOFF_MAX_S)
        else:
            return client


async def _cause(settings: Settings, error: Exception) -> Exception:
    """Why the first broker does not let us in: aiokafka tells that to its log only."""
    found = error
    if isinstance(error, KafkaConnectionError):
        given = security(settings)
        host, port, _ = collect_hosts(given.pop("bootstrap_servers"), randomize=False)[0]
        try:
            connection = await create_conn(host, port, request_timeout_ms=CAUSE_TIMEOUT_MS, **given)
            connection.close()
        except (KafkaError, OSError) as cause:
            found = cause
    return found


async def stop(client: Client) -> None:
    """Stops a client within a bound: a producer would flush for ever without a broker."""
    try:
        with contextlib.suppress(TimeoutError, KafkaError, OSError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await client.stop()
    except asyncio.CancelledError:  # aiokafka's fetcher lets that of its own task escape
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise


def refused(error: KafkaError) -> TransportError:
    """The error that stops the worker: Kafka answered, and its answer will not change."""
    return TransportError(f"Kafka refused: {type(error).__name__}: {error}", retriable=False)
