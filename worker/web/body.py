"""Reads a request's body within its limits."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from aiohttp import web

from worker.web.answers import JSON, Refusal
from worker.web.limits import Limits

COLUMNS = "application/vnd.rtml.columns+json"
"""Content type of column-oriented data, ``{"age": {"0": 31, "1": 58}}``, as
Adobe's Real-time Machine Learning sends it. An event may look the same, so the shape is told apart
by this name alone."""

_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent.

    Attributes:
        content: the bytes.
        kind: the content type without its parameters.
    """

    content: bytes
    kind: str


async def read_body(request: web.Request, limits: Limits, kinds: tuple[str, ...] = (JSON,)) -> Body:
    """The whole body, of one of these content types; none given means the first.

    Raises:
        Refusal: 415, 413, 408, or 400 where the transfer itself is broken.
    """
    kind = _kind(request, kinds)
    most = limits.body_bytes
    if (request.content_length or 0) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.read_s):
            async for part in request.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > most:
                    raise _too_large(most)
    except TimeoutError:
        told = f"the body was not here within {limits.read_s:g} s"
        raise Refusal(408, told, hint="send it whole and at once", close=True) from None
    except web.RequestPayloadError as error:
        raise Refusal(400, f"the body cannot be read: {error}", close=True) from error
    return Body(b"".join(parts), kind)


def _kind(request: web.Request, kinds: tuple[str, ...]) -> str:
    given = request.headers.get("Content-Type", kinds[0])
    kind = given.partition(";")[0].strip().lower()
    hint = f"send Content-Type: {' or '.join(kinds)}"
    if kind not in kinds:
        raise Refusal(415, f"a body of type '{kind}' is not understood here", hint=hint, close=True)
    charset = _CHARSET.search(given)
    if charset is not None and charset[1].lower() not in ("utf-8", "utf8"):
        raise Refusal(415, f"JSON is UTF-8, not {charset[1]}", hint=hint, close=True)
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        told = f"a body with Content-Encoding '{encoding}' is not understood"
        raise Refusal(415, told, hint="send it without compression", close=True)
    return kind


def _too_large(most: int) -> Refusal:
    told = f"the body has more than {most} bytes"
    hint = "send fewer events at a time, or raise RTML_HTTP_MAX_BODY_BYTES"
    return Refusal(413, told, hint=hint, close=True)
