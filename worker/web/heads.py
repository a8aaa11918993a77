"""Ends connections on which no request begins: aiohttp bounds the time between requests only."""

from __future__ import annotations

import math
from collections.abc import Iterable

from aiohttp import web


class Heads:
    """The head of a connection's first request must be whole in time.

    Those of later requests are bounded by the time that a connection is kept between two.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._since_s: dict[web.RequestHandler, float] = {}

    @property
    def look_s(self) -> float:
        """How often to look."""
        return min(1.0, self._within_s / 4)

    def whole(self, connection: web.RequestHandler) -> None:
        """A whole head has come."""
        self._since_s[connection] = math.inf

    def look(self, connections: Iterable[web.RequestHandler], now_s: float) -> None:
        """Closes those that have been here for too long."""
        # Of those that are gone nothing is kept.
        self._since_s = {one: self._since_s.get(one, now_s) for one in connections}
        for connection, since_s in self._since_s.items():
            if now_s - since_s > self._within_s:
                connection.force_close()
