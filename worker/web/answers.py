"""Answers: everything is JSON, and a refusal says what is wrong and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from worker.errors import RtmlError

JSON = "application/json"


class Refusal(RtmlError):
    """A request that is not done; becomes ``{"error": ..., "hint": ...}``."""

    def __init__(
        self,
        status: int,
        error: str,
        *,
        hint: str = "",
        headers: Mapping[str, str] | None = None,
        close: bool = False,
    ) -> None:
        """``close``: the connection cannot be used again, such as after half a body."""
        self.status, self.error, self.hint = status, error, hint
        self.headers, self.close = dict(headers or {}), close
        super().__init__(error)

    def response(self) -> web.Response:
        """The answer."""
        told = {"error": self.error} | ({"hint": self.hint} if self.hint else {})
        response = answer(told, status=self.status, headers=self.headers)
        if self.close:
            response.force_close()
        return response


def answer(
    data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Data as JSON."""
    return raw(msgspec.json.encode(data), status=status, headers=headers)


def raw(
    body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Bytes that are JSON already."""
    return web.Response(body=body, status=status, headers=headers, content_type=JSON)


def of_http(error: web.HTTPException, method: str, path: str) -> Refusal:
    """What aiohttp's router says, in our form: an unknown path, another method."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        told = f"{method} is not possible here"
        return Refusal(405, told, hint=f"possible: {allowed}", headers={"Allow": allowed})
    if isinstance(error, web.HTTPNotFound):
        shown = path if len(path) <= 128 else path[:125] + "..."
        return Refusal(404, f"nothing is at {shown}", hint="GET /openapi.json tells every route")
    return Refusal(error.status, error.reason)
