"""How we prove to Kafka who we are, and how Kafka proves it to us: TLS and SASL for aiokafka."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed

from worker.errors import ConfigError, Problem, TransportError
from worker.files import open_file
from worker.settings import PREFIX, Settings
from worker.stream.tokens import Tokens, tokens_of


class Bearer(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Gives each connection a token that is good for a while."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        """The token.

        Raises:
            KafkaConnectionError: there is none now; waiting may help.
            SaslAuthenticationFailed: there is none, and will be none.
        """
        try:
            return (await asyncio.to_thread(self._tokens.current)).text
        except TransportError as error:
            kind = KafkaConnectionError if error.retriable else SaslAuthenticationFailed
            raise kind(str(error)) from error


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
    if not settings.security_protocol.startswith("SASL"):
        return given
    given["sasl_mechanism"] = settings.sasl_mechanism
    if settings.sasl_mechanism == "OAUTHBEARER":
        given["sasl_oauth_token_provider"] = Bearer(tokens_of(settings))
    elif settings.sasl_password is not None:
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
