"""How long a connection may owe an answer without a byte coming in.

A request's own time is far longer: brokers wait for each other, and a slow line carries a megabyte
in a minute.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

from aiokafka.protocol.admin import CreateTopicsRequest, DeleteTopicsRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

LOOK_S = 0.5
PATIENCE_S = 5.0
"""Below the 10 s after which, by default, a group gives up a member whose heartbeats stay away."""
SLOWEST_BYTES_PER_S = 20_000
SAME_S = 10.0
"""Connections that are closed within this time were broken by one and the same thing."""
REMEMBERED_S = 600.0

_UNBOUNDED = frozenset(
    request.API_KEY
    for request in (JoinGroupRequest, SyncGroupRequest, CreateTopicsRequest, DeleteTopicsRequest)
)
"""Their answers wait for other members, or for all brokers."""


def wait_s(request: Any) -> float:
    """After which silence an answer is overdue once the broker has read its request."""
    if request.API_KEY in _UNBOUNDED:
        return math.inf
    if request.API_KEY == FetchRequest.API_KEY:
        return PATIENCE_S + float(request.max_wait_time) / 1_000
    return PATIENCE_S


def patience_s(request: Any) -> float:
    """The same, and the time that a slow line needs for the request; infinite: it never is."""
    return wait_s(request) + len(request.encode()) / SLOWEST_BYTES_PER_S


class Silence:
    """Counts regular looks at a connection in which nothing came.

    Looks, not seconds: a process that was stopped for a minute has not looked.
    """

    def __init__(self) -> None:
        self._heard: Hashable = None
        self._due: Hashable = None
        self._quiet_looks = self._due_looks = 0

    def look(self, heard: Hashable, due: Hashable | None) -> None:
        """Takes note.

        Args:
            heard: another one whenever a byte has come.
            due: of which request the next answer must be; None where none is.
        """
        self._quiet_looks = self._quiet_looks + 1 if heard == self._heard else 0
        self._due_looks = self._due_looks + 1 if due is not None and due == self._due else 0
        self._heard, self._due = heard, due

    @property
    def quiet_s(self) -> float:
        """For how long nothing has come, whether or not it should have."""
        return self._quiet_looks * LOOK_S

    @property
    def owed_s(self) -> float:
        """For how long nothing has come of an answer that is due."""
        return min(self._quiet_looks, self._due_looks) * LOOK_S


class Closings:
    """How often connections to a broker were closed lately: each time, patience doubles.

    A broker may be slow with one kind of request and quick to let new clients in: closing its
    connections again and again would only make it slower.
    """

    def __init__(self) -> None:
        self._at_s: list[float] = []

    def note(self, now_s: float) -> None:
        """One or more were closed."""
        self._at_s = [at_s for at_s in self._at_s if now_s - at_s < REMEMBERED_S]
        if not self._at_s or now_s - self._at_s[-1] > SAME_S:
            self._at_s.append(now_s)

    def factor(self, now_s: float) -> int:
        """By how much longer than usual an answer is waited for."""
        return 1 << sum(SAME_S < now_s - at_s < REMEMBERED_S for at_s in self._at_s)
