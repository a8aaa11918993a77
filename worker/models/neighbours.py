"""Whether an event's result depends on the events beside it: made-up rows, alone and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.models.session import Session
from worker.models.tensors import Tensor

ROUNDING = 1e-4
"""Difference, as a share of an output's largest number, up to which it comes of rounding.

float32 has 7 digits, of which sums in another order take one or two; what a mean over the batch, or
quantization by the batch's own range, changes is far above.
"""
WAY_OUT = (
    "take statistics over the batch out of the model (a mean, dynamic quantization), or allow it "
    "with"
)
_WORDS = ("", "a", "b", "c")
_SMALLEST_SCALE = 1e-2  # 1 - p where p is nearly 1 is nothing but rounding


@dataclass(frozen=True, slots=True)
class Coupling:
    """How results differ with the batch.

    Attributes:
        invariant: not even in their last bits.
        difference: the largest, as a share of its output's largest number; 1 where a label, a
            text or a truth value is another.
    """

    invariant: bool
    difference: float


def said(difference: float) -> str:
    """What is wrong with a model that differs by more than `ROUNDING`."""
    return (
        "an event's result depends on the events beside it: "
        f"it differs by {difference:.2g} times the largest one"
    )


def coupling(
    session: Session,
    n: int,
    sizes: Sequence[int],
    shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Coupling:
    """Compares ``n`` rows at once with the same rows in parts.

    Every part is tried: where a row stands can matter too (ReduceSum of five numbers rounds by the
    row's place in memory).

    Args:
        session: fitted.
        n: how many rows are made up.
        sizes: of the parts.
        shapes: as `Session.fit` takes them.

    Raises:
        ModelError: the model does not take what is made up here.
    """
    random = np.random.default_rng(7)
    given = shapes or {}
    feeds = {
        tensor.name: _rows(tensor, given.get(tensor.name), n, random)
        for tensor in session.inputs.values()
    }
    names = list(session.outputs)
    whole = session.run(feeds, names)
    invariant, difference = True, 0.0
    for size in sizes:
        for start in range(0, n - size + 1, size):
            rows = slice(start, start + size)
            part = session.run({name: values[rows] for name, values in feeds.items()}, names)
            for alone, among in zip(part, whole, strict=True):
                if not _same(alone, among[rows]):
                    invariant = False
                    difference = max(difference, _difference(alone, among[rows], among))
    return Coupling(invariant, difference)


def _rows(
    tensor: Tensor, shape: tuple[int, ...] | None, n: int, random: np.random.Generator
) -> NDArray[Any]:
    """Made-up values: numbers around 0, small counts, a few words."""
    sizes = (n, *(shape or tuple(size or 1 for size in tensor.shape)))
    if tensor.dtype.kind == "f":
        return random.normal(size=sizes).astype(tensor.dtype)
    if tensor.dtype.kind == "O":
        return random.choice(np.array(_WORDS, dtype=object), size=sizes)
    return random.integers(0, 2, size=sizes).astype(tensor.dtype)


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a.tolist() == b.tolist() if a.dtype.kind == "O" else a.tobytes() == b.tobytes()


def _difference(alone: NDArray[Any], among: NDArray[Any], whole: NDArray[Any]) -> float:
    if alone.dtype.kind != "f":
        return 1.0
    finite = np.isfinite(among)
    if not np.array_equal(alone[~finite], among[~finite], equal_nan=True):
        return 1.0
    if not np.isfinite(alone[finite]).all():
        return 1.0
    scale = np.abs(whole[np.isfinite(whole)]).max(initial=_SMALLEST_SCALE)
    found = np.abs(alone[finite].astype(np.float64) - among[finite]).max(initial=0.0)
    return float(found / scale)
