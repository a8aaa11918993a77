"""An OAuth 2.0 server: gives tokens to clients that it knows, signed as JSON Web Tokens."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER, AUDIENCE = "https://login.example.org", "kafka"


class Identity:
    """The server, on 127.0.0.1; ``with`` runs it.

    Attributes:
        clients: id -> secret.
        life_s: of the tokens that it gives.
        given: how many it gave.
        last: the latest of them.
        asked: the forms that it was sent.
        answers: taken one by one instead of its own: status and body.
    """

    def __init__(self, folder: Path) -> None:
        """Its public key goes to ``folder``, where Kafka reads it."""
        self.clients: dict[str, str] = {}
        self.life_s, self.given, self.last = 300.0, 0, ""
        self.asked: list[dict[str, list[str]]] = []
        self.answers: list[tuple[int, bytes]] = []
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.keys = folder / "jwks.json"
        point = self._key.public_key().public_numbers()
        x, y = (_text(number.to_bytes(32, "big")) for number in (point.x, point.y))
        key = {
            "kty": "EC",
            "crv": "P-256",
            "kid": "1",
            "alg": "ES256",
            "use": "sig",
            "x": x,
            "y": y,
        }
        self.keys.write_text(json.dumps({"keys": [key]}))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"

    def token(self, subject: str, life_s: float | None = None) -> str:
        """A signed token for somebody."""
        now_s = time.time()
        expires_s = now_s + (self.life_s if life_s is None else life_s)
        head = {"alg": "ES256", "kid": "1", "typ": "JWT"}
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now_s, "exp": expires_s}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (head, claims))
        both = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_text(b''.join(number.to_bytes(32, 'big') for number in both))}"

    def _answer(self, known: str, form: dict[str, list[str]]) -> tuple[int, bytes]:
        self.asked.append(form)
        if self.answers:
            return self.answers.pop(0)
        user, _, secret = base64.b64decode(known.removeprefix("Basic ")).decode().partition(":")
        name = unquote_plus(user)
        if self.clients.get(name) != unquote_plus(secret):
            return 401, b'{"error": "invalid_client", "error_description": "who is there?"}'
        self.given, self.last = self.given + 1, self.token(name)
        text = {"access_token": self.last, "token_type": "Bearer", "expires_in": self.life_s}
        return 200, json.dumps(text).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        identity = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, body = identity._answer(self.headers["Authorization"], parse_qs(form))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if 300 <= status < 400:
                    self.send_header("Location", identity.url)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        return Handler

    def __enter__(self) -> Identity:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
