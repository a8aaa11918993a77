"""What float32 costs: each model beside itself in double precision, on the same events."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.errors import ModelError
from worker.graph.observe import Recorder
from worker.graph.plan import Plan
from worker.graph.trace import ModelInput, trace
from worker.models.double import write_double
from worker.models.session import Session
from worker.score import score

RTOL, ATOL = 1e-5, 1e-6
"""Beyond this, the latter times the output's scale, an event counts as different."""


@dataclass(frozen=True, slots=True)
class Precision:
    """One output of one model.

    Attributes:
        node: id of the node.
        output: as the model calls it.
        events: that were compared; none where there is no reference.
        largest: difference, relative to the output's scale.
        beyond: events that differ by more than the tolerance; for classes, at all.
        reason: why there is no reference; empty where there is one.
    """

    node: str
    output: str = ""
    events: int = 0
    largest: float = 0.0
    beyond: int = 0
    reason: str = ""

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def precision(plan: Plan, models: dict[str, Path], events: Sequence[bytes]) -> list[Precision]:
    """Compares each model with itself in double, fed with the columns before they are rounded.

    Args:
        plan: the graph.
        models: node id -> file of its model.
        events: to score.
    """
    with Recorder(plan).watching() as recorder:
        score(plan, events, observer=recorder)
    found: list[Precision] = []
    inputs = trace(plan).inputs
    for node, path in models.items():
        mine = [item for item in inputs if item.node == node]
        try:
            found += _compared(recorder, node, mine, path)
        except ModelError:
            reason = "an operator of the model knows float32 only"
            found.append(Precision(node, reason=reason))
    return found


def _compared(
    recorder: Recorder, node: str, inputs: list[ModelInput], path: Path
) -> list[Precision]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "double.onnx"
        if not write_double(path, file):
            return [Precision(node, reason="no input of the model is float32")]
        session = Session(file, "double")
        seen = recorder.runs(node)
        if not seen:
            return [Precision(node, reason="no event reached it")]
        batch, outputs = seen
        feeds = {
            item.tensor.name: _widened(item, batch, session.inputs[item.tensor.name].dtype)
            for item in inputs
        }
        if session.is_open:
            session.fit({name: values.shape[1:] for name, values in feeds.items()})
        usable = [
            np.isfinite(v.reshape(len(v), -1)).all(axis=1)
            for v in feeds.values()
            if v.dtype.kind == "f"
        ]
        rows = np.logical_and.reduce(usable)
        feeds = {name: np.ascontiguousarray(v[rows]) for name, v in feeds.items()}
        if not rows.any():
            return [Precision(node, reason="no event reached it whole")]
        wide = session.run(feeds, list(outputs))
    pairs = zip(outputs.items(), wide, strict=True)
    return [_difference(node, name, values[rows], other) for (name, values), other in pairs]


def _widened(item: ModelInput, batch: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """``(n, ...)`` from the columns themselves."""
    matrix = np.column_stack([batch[feature.column].values for feature in item.features])
    shape = tuple(size if size is not None else -1 for size in item.tensor.shape)
    if shape.count(-1) > 1:
        raise ModelError("more than one open axis")
    return np.ascontiguousarray(matrix.astype(dtype)).reshape(len(batch), *shape)


def _difference(node: str, name: str, mine: NDArray[Any], other: NDArray[Any]) -> Precision:
    n = len(mine)
    if mine.dtype.kind not in "f":
        beyond = int((mine != other).reshape(n, -1).any(axis=1).sum())
        return Precision(node, name, n, float(beyond > 0), beyond)
    wide = other.astype(np.float64)
    scale = float(np.abs(wide).max()) or 1.0
    off = np.abs(mine.astype(np.float64) - wide)
    beyond = int((off > RTOL * np.abs(wide) + ATOL * scale).reshape(n, -1).any(axis=1).sum())
    return Precision(node, name, n, float(off.max()) / scale, beyond)
