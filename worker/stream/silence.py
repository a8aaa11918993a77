"""How long a connection may owe an answer without a byte coming in.

Where the other end is gone without a word (its machine is off, a load balancer forgot it), what is
written seems to arrive, and nothing ever answers. A request's own time is far longer: brokers wait
for each other, and a slow line carries a megabyte in a minute.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

from aiokafka.protocol.admin import CreateTopicsRequest, DeleteTopicsRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

LOOK_S = 1.0
PATIENCE_S = 5.0
"""Below the 10 s after which a group gives a member up whose heartbeats do not arrive."""
SLOWEST_BYTES_PER_S = 20_000

_UNBOUNDED = frozenset(
    request.API_KEY
    for request in (JoinGroupRequest, SyncGroupRequest, CreateTopicsRequest, DeleteTopicsRequest)
)
"""Their answers wait for other members, or for all brokers."""


def patience_s(request: Any) -> float:
    """After which silence its answer is overdue; infinite where it never is."""
    if request.API_KEY in _UNBOUNDED:
        return math.inf
    patience = PATIENCE_S + len(request.encode()) / SLOWEST_BYTES_PER_S
    if request.API_KEY == FetchRequest.API_KEY:
        patience += request.max_wait_time / 1_000
    return patience


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
