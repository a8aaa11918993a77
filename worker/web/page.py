"""The page for people, and the OpenAPI document for programs."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files

from aiohttp import web

from worker.web.answers import answer
from worker.web.catalogue import Catalogue
from worker.web.openapi import document
from worker.web.routes import Route

_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


class Pages:
    """Describes the server: itself included, so these routes are made last."""

    def __init__(self, catalogue: Catalogue, others: Sequence[Route], *, local: bool) -> None:
        """``others``: the routes besides these two; ``local``: no token is needed."""
        self._catalogue, self._local = catalogue, local
        self._routes = [*others, *self.routes()]
        self._html = files(__package__).joinpath("page.html").read_text("utf-8")
        self._policy = _policy(self._html)

    def routes(self) -> list[Route]:
        """The two routes."""
        return [
            Route("GET", "/", self._page, "A page for people", {200: "HTML"}, media="text/html"),
            Route("GET", "/openapi.json", self._document, "This document", {200: "It"}, "OpenApi"),
        ]

    async def _page(self, _: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": self._policy, "Referrer-Policy": "no-referrer"}
        return web.Response(text=self._html, content_type="text/html", headers=headers)

    async def _document(self, _: web.Request) -> web.Response:
        served = self._catalogue.served().values()
        return answer(document(self._routes, served, local=self._local))


def _policy(html: str) -> str:
    """The page may run its own script and style, ask this server, and nothing else."""
    found: dict[str, list[str]] = {"script": [], "style": []}
    for tag, text in _INLINE.findall(html):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        found[tag].append(f"'sha256-{digest}'")
    inline = "; ".join(f"{tag}-src {' '.join(hashes)}" for tag, hashes in found.items())
    return (
        f"default-src 'none'; {inline}; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
