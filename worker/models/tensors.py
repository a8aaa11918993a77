"""Inputs and outputs of a model: their names, dtypes and shapes per event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from worker.errors import ModelError

_NUMPY: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(double)": np.dtype(np.float64),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(int32)": np.dtype(np.int32),
    "tensor(bool)": np.dtype(np.bool_),
    "tensor(string)": np.dtype(object),
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output.

    Attributes:
        name: as the model calls it.
        dtype: numpy dtype; object for text.
        shape: per event, without the batch axis; None where the model leaves it open.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        axes = ", ".join("?" if size is None else str(size) for size in self.shape)
        dtype = "text" if self.dtype == object else str(self.dtype)
        return f"{dtype}[n, {axes}]" if axes else f"{dtype}[n]"


def declared_tensor(model: str, item: Any) -> Tensor:
    """An input as the model declares it.

    Raises:
        ModelError: of a type that no column has, or without a batch axis.
    """
    dtype = _NUMPY.get(item.type)
    if dtype is None:
        known = ", ".join(_NUMPY)
        raise ModelError(f"model '{model}': input '{item.name}' is {item.type}; known: {known}")
    if not item.shape or item.shape[0] == 0:
        raise ModelError(f"model '{model}': input '{item.name}' has no batch axis")
    axes = tuple(size if isinstance(size, int) else None for size in item.shape[1:])
    return Tensor(item.name, dtype, axes)
