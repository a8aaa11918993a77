"""Secrets are planted wherever settings take them, and looked for wherever the worker speaks."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote, quote_plus

import psutil
import pytest

from tests.certificates import Authority
from tests.kafka.client import Record, produce, read_all
from tests.kafka.inside import rtml
from tests.kafka.secured import ADMITTED, CLIENT_SECRET, PASSWORD, Secured
from tests.kafka.service import make_service
from tests.kafka.verdict import events
from tests.kafka.worker import ROOT
from worker.settings import Settings

pytestmark = pytest.mark.long

TOKEN, STORE, KEY = "t0k3n-of-http", "st0re/s3cr3t", "k3y-p4ssw0rd"
PLANTED = (PASSWORD, CLIENT_SECRET, TOKEN, STORE, KEY)
PATHS = ("/metrics", "/", "/services", "/health/ready", "/openapi.json", "/none")
BODIES = (b"[]", b'{"f0": "x"}', b"nothing")
WAYS = [("json", "password"), ("console", "token")]


def forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, in a URL, in base64 at each of three offsets."""
    shifted = (base64.b64encode(b"\0" * skip + secret.encode()).decode() for skip in range(3))
    return {secret, quote(secret, safe=""), quote_plus(secret), *(one[4:-4] for one in shifted)}


def told_in(text: str, *more: str) -> list[str]:
    """The secrets that a text tells, in whatever form."""
    return [secret for secret in (*PLANTED, *more) if any(form in text for form in forms(secret))]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (f"x{PASSWORD}y", [PASSWORD]),
        (base64.b64encode(f"\0{ADMITTED}\0{PASSWORD}".encode()).decode(), [PASSWORD]),
        (f"client_secret={quote_plus(CLIENT_SECRET)}", [CLIENT_SECRET]),
        ("nothing of it", []),
    ],
)
def test_the_search_finds_what_is_written(written: str, found: list[str]) -> None:
    """A check that finds nothing must be one that could."""
    assert told_in(written) == found


def variables(secured: Secured, style: str, way: str) -> dict[str, str]:
    """Settings with every secret, of a worker that tells all it can."""
    own = Authority(secured.folder, f"own-{style}").issue(f"key-{style}", password=KEY)
    every = {
        "SSL_CERTFILE": str(own.certificate),
        "SSL_KEYFILE": str(own.key),
        "SSL_PASSWORD": KEY,
        "TOKEN": TOKEN,
        "HTTP_HOST": "0.0.0.0",
        "ADVERTISED_URL": "http://127.0.0.1:6066",
        "MODEL_STORE": f"s3://id:{STORE}@models/x",
        "LOG_FORMAT": style,
        "LOG_LEVEL": "debug",
    }
    return secured.password(**every) if way == "password" else secured.token(**every)


def pages(port: int) -> str:
    """What HTTP tells anybody, who shows a token or shows a wrong one; heads and bodies."""
    said: list[str] = []
    for shown in (None, TOKEN, f"{TOKEN}x"):
        said += [answer(port, path, shown, None) for path in PATHS]
        said += [answer(port, "/services/none/score", shown, body) for body in BODIES]
    return "\n".join(said)


def answer(port: int, path: str, token: str | None, body: bytes | None) -> str:
    """One answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as got:
            return f"{got.headers}{got.read().decode()}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.headers}{error.read().decode()}"


def arguments(process: int) -> str:
    """What ``ps`` shows of a process and of those that it started."""
    every = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
    return " ".join(" ".join(one.cmdline()) for one in every)


@pytest.mark.parametrize(("style", "way"), WAYS)
def test_a_worker_tells_no_secret(secured: Secured, tmp_path: Path, style: str, way: str) -> None:
    """Not in its log at level debug, its pages, its arguments or a dead letter, however it came."""
    service = make_service(secured.broker.bootstrap, tmp_path)
    given = variables(secured, style, way)
    produce(secured.broker.bootstrap, service.source, [*events(20), Record(b"no event", b"k")])
    with service.worker(environment=given, bootstrap=given["RTML_BROKERS"]) as worker:
        service.settled()
        seen = pages(worker.http_port) + arguments(worker.process.pid)
        assert worker.terminate() == 0
    log = worker.log.read_text()
    assert "SaslAuthenticate" in log  # it did log what it sent
    (letter,) = read_all(secured.broker.bootstrap, service.dead)
    tokens = [secured.identity.last] if way == "token" else []
    for place in (log, seen, repr(letter)):
        assert told_in(place, *tokens) == []


def test_commands_tell_no_secret(secured: Secured, tmp_path: Path) -> None:
    """Neither what they print nor what they refuse, nor help; also where settings are wrong."""
    service = make_service(secured.broker.bootstrap, tmp_path)
    right = variables(secured, "console", "password")
    wrong = {
        **right,
        "RTML_BROKERS": f"user:{PASSWORD}@kafka:9092",
        "RTML_ADVERTISED_URL": f"http://user:{PASSWORD}@worker",
        "RTML_SASL_OAUTH_TOKEN_URL": f"https://id:{CLIENT_SECRET}@login/token",
        "RTML_SASL_MECHANISM": "OAUTHBEARER",
        "RTML_HTTP_PORT": "x",
    }
    store = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_SECRET_ACCESS_KEY": STORE}
    denied = secured.password(SASL_PASSWORD=f"{PASSWORD}x")
    reading = ["consume", service.source, "-n", "1", "--timeout", "0.1"]
    said = ""
    for given, words in (
        (right, ["check", service.graph]),
        (right, ["topics", "create", service.graph]),
        (right, ["model", "list"]),
        (right, ["run", "--help"]),
        *((given, reading) for given in (right, wrong, denied)),
        *((given, ["dlq", "list", service.dead]) for given in (right, denied)),
    ):
        done = rtml({**given, **store}, *words)
        said += done.out + done.err
    assert "RTML_HTTP_PORT" in said
    assert told_in(said) == []


BROKEN = """
import os
import structlog
from worker import logs, settings
from worker.stream.security import security
from worker.stream.tokens import tokens_of
found, _ = settings.load(os.environ, {})
given, tokens = security(found), tokens_of(found)
token = tokens.current()
for style in ("json", "console"):
    logs.configure(style, "debug")
    try:
        raise ValueError(found, tokens, token, given["sasl_oauth_token_provider"])
    except ValueError:
        structlog.get_logger("x").exception("broken", settings=found, token=token)
raise KeyError(found, tokens, token)
"""


def test_a_traceback_tells_no_secret(secured: Secured) -> None:
    """Of an error that holds the settings and a token, logged or not caught at all."""
    given = {**os.environ, **variables(secured, "broken", "token"), "RTML_LOG_FORMAT": "json"}
    command = [sys.executable, "-c", BROKEN]
    done = subprocess.run(
        command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (1, 3), done.stderr
    assert told_in(done.stdout + done.stderr, secured.identity.last) == []


def test_every_secret_is_planted(secured: Secured) -> None:
    """A setting that becomes secret later is planted here, too."""
    secret = {name for name, field in Settings.model_fields.items() if "Secret" in str(field)}
    planted = {*variables(secured, "p1", "password"), *variables(secured, "p2", "token")}
    assert {f"RTML_{name.upper()}" for name in secret} <= planted
