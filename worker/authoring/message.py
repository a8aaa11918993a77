"""DataMsg: what one node of a notebook hands to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from worker.authoring.extras import need
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    import pandas as pd

_ROWS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row that left the data: a dead letter of the stream, or dropped on purpose.

    Attributes:
        row: its label in the index.
        what: ``rejected`` or ``dropped``.
        reason: the stable error name, or the counted reason of a drop.
        message: for people.
    """

    row: Any
    what: str
    reason: str
    message: str = ""


class DataMsg:
    """A message between nodes.

    Attributes:
        data: the events as a table; None for a message that only carries a model.
        features: the model's features, in its order.
        model: what is known of a model: ``model_id``, ``model_path``, ``metrics``, ...
        left: rows that nodes have rejected or dropped, as the stream would.
    """

    def __init__(
        self,
        data: pd.DataFrame | None = None,
        features: Sequence[str] | None = None,
        model: Mapping[str, Any] | None = None,
        left: Sequence[Outcome] = (),
    ) -> None:
        """Takes the table as it is.

        Raises:
            ConfigError: ``data`` is no DataFrame.
        """
        kind: Any = None if data is None else need("pandas").DataFrame
        if kind is not None and not isinstance(data, kind):
            message = f"is {type(data).__name__}; give a pandas DataFrame, or use JsonToDataframe"
            raise ConfigError(Problem("data", message))
        self.data = data
        self.features = list(features) if features is not None else None
        self.model = dict(model) if model is not None else None
        self.left = tuple(left)

    def with_data(self, data: pd.DataFrame, left: Sequence[Outcome] = ()) -> DataMsg:
        """The same message with another table, and with what left it."""
        return DataMsg(data, self.features, self.model, (*self.left, *left))

    def with_model(self, model: Mapping[str, Any], features: Sequence[str] | None) -> DataMsg:
        """The same message with what is known of a model beyond what was."""
        known = {**(self.model or {}), **model}
        return DataMsg(self.data, self.features if features is None else features, known, self.left)

    @property
    def frame(self) -> pd.DataFrame:
        """The table.

        Raises:
            ConfigError: the message has none.
        """
        if self.data is None:
            message = "has no data; process the message of a node before, or DataMsg(frame)"
            raise ConfigError(Problem("msg", message))
        return self.data

    def __repr__(self) -> str:
        return f"DataMsg({self._said()})"

    def _repr_html_(self) -> str:
        table = "" if self.data is None else self.data.head(_ROWS_SHOWN).to_html(border=0)
        return f"<div><b>DataMsg</b> {escape(self._said())}</div>{table}"

    def _said(self) -> str:
        parts = []
        if self.data is not None:
            parts.append(f"{len(self.data)} rows, {len(self.data.columns)} columns")
        if self.features is not None:
            parts.append(f"{len(self.features)} features")
        parts += [f"{key}={value}" for key, value in (self.model or {}).items() if _is_short(value)]
        for what in ("rejected", "dropped"):
            count = sum(outcome.what == what for outcome in self.left)
            parts += [f"{count} {what}"] if count else []
        return ", ".join(parts)


def _is_short(value: object) -> bool:
    return isinstance(value, (str, int, float)) and len(str(value)) <= 80
