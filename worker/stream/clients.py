"""Kafka clients with the settings that keep the promises; nothing else makes one."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.producer import sender

from worker.errors import ConfigError, Problem
from worker.files import open_file
from worker.settings import PREFIX, Settings
from worker.stream import connection, fetched

connection.install()
fetched.install()

MAX_FETCH_BYTES = 16_000_000
MAX_PARTITION_FETCH_BYTES = 4_000_000
"""8 KB events: 2.5 times the speed of 256 KB."""
MAX_POLL_INTERVAL_MS = 300_000
REQUEST_TIMEOUT_MS = 40_000
NEXT_TRANSACTION_S = 0.002
"""Kafka ends a transaction within some 3 ms of having said so; aiokafka begins the next one 20 ms
later: 35 ms each, back to back, are 11 ms."""
METADATA_MAX_AGE_MS = 10_000
"""How long added partitions, or a topic that is gone, may stay unnoticed; by default 5 minutes."""


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
    """Every file is tried, so that all that cannot be used are told at once."""
    names = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
    files = {name: path for name in names if (path := getattr(settings, name)) is not None}
    problems = [problem for name, path in files.items() if (problem := _unreadable(name, path))]
    wrong = {problem.path for problem in problems}
    context = ssl.create_default_context()
    try:
        if settings.ssl_cafile is not None and "RTML_SSL_CAFILE" not in wrong:
            context = ssl.create_default_context(cafile=settings.ssl_cafile)
    except OSError:
        message = f"{settings.ssl_cafile} holds no certificate in PEM format"
        problems.append(Problem("RTML_SSL_CAFILE", message))
    if settings.ssl_certfile is not None and not wrong & {"RTML_SSL_CERTFILE", "RTML_SSL_KEYFILE"}:
        problems += _load_chain(context, settings)
    if problems:
        raise ConfigError(problems)
    return context


def _unreadable(name: str, path: str) -> Problem | None:
    try:
        open_file(Path(path)).close()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        return Problem(PREFIX + name.upper(), message)
    return None


def _load_chain(context: ssl.SSLContext, settings: Settings) -> list[Problem]:
    """Takes our certificate and key into the context; why they cannot be used."""
    secret, certificate = settings.ssl_password, settings.ssl_certfile or ""
    key = settings.ssl_keyfile or certificate
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        password = secret.get_secret_value() if secret is not None else ""
        context.load_cert_chain(certificate, settings.ssl_keyfile, password)
    except ValueError as error:
        return [Problem("RTML_SSL_PASSWORD", str(error))]
    except OSError as error:
        reason = getattr(error, "reason", None) or "no PEM format, or RTML_SSL_PASSWORD is wrong"
        message = f"{certificate} and the key in {key} cannot be used: {reason}"
        return [Problem("RTML_SSL_CERTFILE", message)]
    return []


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
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        # JoinGroup is sent once per assignor, so exactly one.
        partition_assignment_strategy=(RoundRobinPartitionAssignor,),
    )


def reader(settings: Settings, isolation: str = "read_committed") -> aiokafka.AIOKafkaConsumer:
    """A consumer without a group, for topics that each process reads from their beginning."""
    return aiokafka.AIOKafkaConsumer(
        **security(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def transactional(
    settings: Settings, transactional_id: str, compression: str = "none", max_batch_bytes: int = 0
) -> aiokafka.AIOKafkaProducer:
    """A producer whose start fences every earlier one with the same id.

    Batches are made by the caller, so no linger; ``max_batch_bytes`` is by default aiokafka's.
    """
    sender.BACKOFF_OVERRIDE = NEXT_TRANSACTION_S
    given = {"max_batch_size": max_batch_bytes} if max_batch_bytes else {}
    return aiokafka.AIOKafkaProducer(
        **security(settings),
        transactional_id=transactional_id,
        transaction_timeout_ms=settings.transaction_timeout_ms,
        linger_ms=0,
        compression_type=None if compression == "none" else compression,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        **given,
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


class Admin(AIOKafkaAdminClient):  # type: ignore[misc]  # aiokafka has no types
    """A client for topics and their configuration, stopped like the others."""

    async def stop(self) -> None:
        """Disconnects."""
        await self.close()


def admin(settings: Settings) -> Admin:
    """A client for topics and their configuration."""
    return Admin(**security(settings), request_timeout_ms=REQUEST_TIMEOUT_MS)
