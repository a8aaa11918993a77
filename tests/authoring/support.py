"""What the tests of the notebook share: messages, and graphs scored as the worker scores them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from worker.authoring import DataMsg
from worker.errors import ConfigError
from worker.graph.complete import complete
from worker.graph.plan import Plan
from worker.graph.prepare import prepare
from worker.graph.spec import parse
from worker.models.store.store import Store
from worker.score import score

DATA = Path(__file__).parent.parent / "data"
"""Small models that tests share."""


def message(**columns: list[Any]) -> DataMsg:
    """A message with these columns."""
    return DataMsg(pd.DataFrame(columns))


def planned(dsl: str, store: Path | None = None, **given: Any) -> Plan:
    """The plan that a worker has of a notebook's graph; models come from the store."""
    spec = parse(complete(dsl, "service", **given))
    plan, _ = prepare(spec, DATA, lambda: Store(str(store), Path(f"{store}-cache")))
    return plan


def scored(plan: Plan, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The scored events; none may be lost."""
    outcomes = score(plan, [json.dumps(event).encode() for event in events])
    assert outcomes.faults == []
    return [json.loads(value) for value in outcomes.values if value is not None]


def problems(error: ConfigError) -> list[str]:
    """``path: message`` of everything that is wrong."""
    return [str(problem) for problem in error.problems]
