"""A route: where it is, who answers, and what the OpenAPI document says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    Attributes:
        method: ``GET`` (which answers HEAD as well), ``POST``, ``PUT`` or ``DELETE``.
        path: with ``{name}`` for its variables.
        handler: who answers.
        summary: what it does, one line.
        answers: status -> what it means.
        schema: of the answer's body, by name in the document; empty for what is no JSON.
        media: content type of the answer.
        own: failures that have the form of the answer; the others are errors.
        query: name -> what it chooses; none of them has to be given.
        bodies: content type -> JSON Schema of the request's body.
        needs_body: where there are bodies, one has to be sent.
        guarded: scores or changes something, so that it needs a token beyond loopback.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, str]
    schema: str = ""
    media: str = "application/json"
    own: Collection[int] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, Any] = field(default_factory=dict)
    needs_body: bool = True
    guarded: bool = False
