"""What a model is fed, made of columns; and which rows it cannot be fed, and why."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from worker.batch import Batch, Mask
from worker.nodes._onnx_binding import Feed

Missing = Literal["reject", "nan"]
"""What becomes of a row whose feature is missing: it is rejected, or fed as NaN."""
Unfit = dict[tuple[str, str], Mask]
"""(column, the model's type that its number is beyond; empty where it is no number) -> rows."""


def matrix(feed: Feed, batch: Batch, missing: Missing, unfit: Unfit) -> NDArray[Any]:
    """What a model's input is fed: ``(n, ...)`` in C order, of its dtype.

    Args:
        feed: the input, and the columns that make it.
        batch: ``n`` rows.
        missing: whether the model takes NaN for what is missing.
        unfit: receives the rows of each column that cannot be taken; they are zeros.
    """
    n, dtype = len(batch), feed.tensor.dtype
    takes_nan = dtype.kind == "f" and missing == "nan"
    arrays = []
    for name in feed.columns:
        column = batch[name]
        values = column.values
        if column.valid is not None and takes_nan:
            values = values.astype(dtype)
            values[~column.valid] = np.nan
        elif column.valid is not None:
            _note(unfit, (name, ""), ~column.valid)
        arrays.append(values)
    if dtype.kind == "O":
        texts = np.column_stack(arrays)
        texts[texts == None] = ""  # noqa: E711 - compared element by element
        return texts.reshape(n, *feed.shape)
    with np.errstate(over="ignore"):  # an overflow is infinite, and rejected as such
        if all(values.ndim == 1 for values in arrays):
            made = np.empty((n, len(arrays)), dtype=dtype)
            for i, values in enumerate(arrays):
                made[:, i] = values
        else:
            made = np.column_stack(arrays).astype(dtype, copy=False)
    bad = _unusable(made, arrays, takes_nan=takes_nan)
    if bad is not None:
        _blame(feed, arrays, bad, unfit)
        made = np.where(bad, 0, made).astype(dtype)
    return np.ascontiguousarray(made).reshape(n, *feed.shape)


def _blame(feed: Feed, arrays: list[NDArray[Any]], bad: Mask, unfit: Unfit) -> None:
    """Notes which column's rows are bad; ``bad`` is ``(n, k)``, over all columns."""
    n, start = len(bad), 0
    for name, values in zip(feed.columns, arrays, strict=True):
        end = start + (1 if values.ndim == 1 else values.shape[1])
        # A number of its own that the model's type cannot hold; others are not even one.
        beyond = bad[:, start:end] & np.isfinite(values.reshape(n, -1))
        rows = np.any(beyond, axis=1)
        _note(unfit, (name, str(feed.tensor.dtype)), rows)
        _note(unfit, (name, ""), np.any(bad[:, start:end], axis=1) & ~rows)
        start = end


def messages(unfit: Unfit, rejected: Mask, missing: Missing) -> list[str]:
    """Why each rejected row cannot be scored, and the way out."""
    way_out = "FillNa it"
    if missing == "reject":
        way_out += ", or set missing: nan if the model takes NaN"
    told = []
    for row in np.flatnonzero(rejected):
        found = [place for place, rows in unfit.items() if rows[row]]
        gone = _listed([name for name, dtype in found if not dtype])
        said = [f"no value that the model can take for {gone}; {way_out}"] if gone else []
        for dtype in dict.fromkeys(dtype for _, dtype in found if dtype):
            names = _listed([name for name, other in found if other == dtype])
            said.append(f"beyond what the model's {dtype} can hold: {names}; Clip it")
        told.append("; ".join(said))
    return told


def _unusable(matrix: NDArray[Any], arrays: list[NDArray[Any]], *, takes_nan: bool) -> Mask | None:
    """``(n, k)``, where a value is not finite, or outside int32; None where all are fit."""
    fit: Mask
    if matrix.dtype.kind == "f":
        fit = ~np.isinf(matrix) if takes_nan else np.isfinite(matrix)
    elif matrix.dtype == np.int32:
        fit = matrix == np.column_stack(arrays)
    else:
        return None
    return None if fit.all() else ~fit


def _note(unfit: Unfit, place: tuple[str, str], rows: Mask) -> None:
    unfit[place] = rows | unfit[place] if place in unfit else rows


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
