"""Settings: flags, else ``RTML_*`` variables, else defaults, in one frozen object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from worker.addresses import is_address, is_url
from worker.bounds import Bounds
from worker.errors import ConfigError, Problem, nearest
from worker.problems import problems_of
from worker.secure import insecure, shown, unused

PREFIX = "RTML_"
_SERVICE_LINK = re.compile(
    r"RTML_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)"
)
"""Variables that Kubernetes makes for a service called rtml."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""What locations and services may be called: it becomes part of keys, groups and paths."""
NAME_RULE = "letters, digits, . _ - only, at most 128"

HTTP_STOP_TIMEOUT_S = 1.0
"""How long a stop waits for HTTP clients that keep their connection."""


class Settings(Bounds):
    """What the worker is told by its surroundings. Field ``x_y`` is read from ``RTML_X_Y``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    brokers: str = "localhost:9092"
    group: str | None = Field(default=None, pattern=r"\S")
    """Consumer group; by default ``rtml-<graph name>``."""
    group_instance_id: str | None = None
    """Static membership: a restart within the session timeout moves no partition."""
    client_id: str = "rtml"

    location: str | None = Field(default=None, min_length=1)
    """Whose services are served: the name of a hub or an edge."""
    model_store: str | None = Field(default=None, min_length=1, repr=False)
    """Where models are kept: a folder or a URL, which may hold credentials."""

    http_host: str = "127.0.0.1"
    http_port: int | None = Field(default=None, ge=0, le=65_535)
    """None: 6066, or the next free port. 0: any free port."""
    advertised_url: str | None = None
    """Under which others reach this worker's HTTP server."""
    token: SecretStr | None = None
    """What HTTP clients must show beyond loopback."""
    http_max_body_bytes: int = Field(default=1_000_000, ge=1_000, le=100_000_000)
    http_max_events: int = Field(default=10_000, ge=1, le=1_000_000)
    """Events that one request may bring."""
    http_timeout_ms: int = Field(default=10_000, ge=1, le=600_000)
    """How long scoring one request may take."""

    log_format: Literal["auto", "json", "console"] = "auto"
    """auto: console on a terminal, else json."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    session_timeout_ms: int = Field(default=10_000, ge=1_000, le=1_800_000)
    rebalance_timeout_ms: int = Field(default=60_000, ge=1_000, le=1_800_000)
    drain_timeout_ms: int = Field(default=20_000, ge=0, le=600_000, validate_default=True)
    """How long a stop or a revoke waits for what is in flight."""
    commit_interval_ms: int = Field(default=100, ge=10, le=60_000)
    transaction_timeout_ms: int = Field(default=10_000, ge=1_000, le=20_000)
    fetch_max_wait_ms: int = Field(default=500, ge=1, le=60_000)
    model_timeout_ms: int = Field(default=5_000, ge=100, le=600_000)
    """How long one run of a model may take; its events become dead letters then."""
    breaker_failure_percent: int = Field(default=50, ge=1, le=100)
    """Where more events break in the graph, the service pauses; 100: never."""
    breaker_min_events: int = Field(default=100, ge=1, le=1_000_000)
    breaker_window_ms: int = Field(default=10_000, ge=100, le=3_600_000)
    breaker_cooldown_ms: int = Field(default=10_000, ge=100, le=3_600_000)
    """How long nothing is read before a few events are tried; doubled where they break as well."""
    max_batch_events: int = Field(default=2_048, ge=1, le=100_000)
    model_threads: int = Field(default=1, ge=1, le=64)
    """Threads of one model run, at most as many as the CPUs that the container grants."""
    max_batch_bytes: int = Field(default=900_000, ge=1_000, le=100_000_000)

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = (
        "SCRAM-SHA-512"
    )
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    sasl_oauth_token_url: str | None = None
    """Where client id and secret get a token (OAuth 2.0 client credentials)."""
    sasl_oauth_client_id: str | None = None
    sasl_oauth_client_secret: SecretStr | None = None
    sasl_oauth_scope: str | None = None
    sasl_oauth_token_file: str | None = None
    """Holds a token; read again for each connection, as somebody else renews it."""
    sasl_unencrypted: bool = False
    """Insists on sending a password, a token or a client secret readable."""
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_password: SecretStr | None = None

    @field_validator("brokers")
    @classmethod
    def _addresses(cls, brokers: str) -> str:
        """Each address without blanks around it; credentials are left to `_secure`, unseen."""
        items = [item.strip() for item in brokers.split(",")]
        wrong = [repr(item) for item in items if not is_address(item)]
        if wrong and "@" not in brokers:
            raise ValueError(
                f"{', '.join(wrong)}: no host, or no port from 1 to 65535; "
                "give host:port, comma separated, such as kafka-1:9092,[::1]:9092"
            )
        return ",".join(items)

    @field_validator("location")
    @classmethod
    def _name(cls, location: str | None) -> str | None:
        if location is not None and not NAME.fullmatch(location):
            raise ValueError(f"{location!r}: {NAME_RULE}")
        return location

    @field_validator("advertised_url")
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        """Without a slash at its end, as paths are put behind it; see `insecure` for its user."""
        if url is not None and not is_url(url) and "@" not in url:
            raise ValueError(f"{url!r}: no URL of a server, such as http://worker-0:6066")
        return None if url is None else url.rstrip("/")

    @field_validator("drain_timeout_ms")
    @classmethod
    def _within_rebalance(cls, drain_ms: int, info: ValidationInfo) -> int:
        """A member that drains for longer than a rebalance waits loses its partitions."""
        rebalance_ms = info.data.get("rebalance_timeout_ms", drain_ms + 1)
        if drain_ms >= rebalance_ms:
            raise ValueError(
                "a rebalance must wait for it: RTML_DRAIN_TIMEOUT_MS must be below "
                f"RTML_REBALANCE_TIMEOUT_MS, {rebalance_ms}"
            )
        return drain_ms

    @model_validator(mode="after")
    def _secure(self) -> Settings:
        problems = insecure(dict(self))
        if problems:
            raise ValueError("; ".join(str(problem) for problem in problems))
        return self

    def group_of(self, service: str, *, alone: bool) -> str:
        """The consumer group of one service; ``group`` is a prefix where there are several."""
        if self.group is None:
            return f"rtml-{service}"
        return self.group if alone else f"{self.group}-{service}"


def load(environ: Mapping[str, str], flags: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings, and a warning for every ``RTML_`` variable that nobody reads.

    An empty variable counts as not set; only brokers must not be empty: there is a default that
    would hide the mistake.

    Args:
        environ: the process's variables.
        flags: by field name; None means not given.

    Raises:
        ConfigError: every setting that is wrong, by the name under which it was given; with the
            warnings.
    """
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    given: dict[str, Any] = {}
    warnings = []
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or _SERVICE_LINK.fullmatch(variable):
            continue
        if variable in known:
            if value or known[variable] == "brokers":
                given[known[variable]] = value
        else:
            warnings.append(f"unknown variable {variable}{nearest(variable, known, prefix=PREFIX)}")
    given.update({name: value for name, value in flags.items() if value is not None})
    warnings += unused(given)
    try:
        return Settings.model_validate(given), warnings
    except ValidationError as error:
        every = {name: field.default for name, field in Settings.model_fields.items()}
        found = [p for p in problems_of(error, Settings, every | shown(given)) if p.path]
        problems = [Problem(_name(p.path, flags), p.message) for p in found + insecure(given)]
        raise ConfigError(problems, warnings) from None


def _name(field: str, flags: Mapping[str, Any]) -> str:
    """Under which a field was given, or could be."""
    by_flag = flags.get(field) is not None
    return f"--{field.replace('_', '-')}" if by_flag else PREFIX + field.upper()
