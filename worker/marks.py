"""Mark: what a node decides about rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.errors import Stage


@dataclass(frozen=True, slots=True)
class Mark:
    """What a node decided about some rows of the batch it was given: rejected or dropped.

    Attributes:
        rows: ``(n,)`` mask over the batch's live rows.
        reason: for a drop, its counted reason; for a rejection, the stable error name.
        stage: set for a rejection, None for a drop.
        messages: one text for all marked rows, or one for each of them.
    """

    rows: NDArray[np.bool_]
    reason: str
    stage: Stage | None = None
    messages: str | Sequence[str] = ""

    def message(self, i: int) -> str:
        """The text for the i-th marked row."""
        return self.messages if isinstance(self.messages, str) else self.messages[i]
