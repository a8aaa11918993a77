"""ONNX Runtime sessions: load a model once, run it on batches. The only user of onnxruntime."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from worker.errors import ModelError

ort.set_default_logger_severity(4)  # failures reach us as exceptions; the text would reach stderr

_NUMPY: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(double)": np.dtype(np.float64),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(int32)": np.dtype(np.int32),
    "tensor(bool)": np.dtype(np.bool_),
    "tensor(string)": np.dtype(object),
}
_PROBE_ROWS = 3  # a probe of 2 would not tell a batch axis from a fixed axis of 2


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


class Session:
    """A loaded model, warmed up and probed: what its outputs are is known, not declared.

    One thread, sequential: replicas scale, threads inside a run would only share the core. A
    batch of one is padded to two, because kernels for n = 1 round differently; a model with a
    fixed batch size runs in chunks of it, padded with its last row.

    Attributes:
        name: what a graph calls the model.
        sha256: digest of the file.
        inputs: by name.
        outputs: by name; ZipMap outputs appear as float32 matrices, classes in the model's order.
        batch_size: None, or the only batch size the model takes.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Loads and probes the model.

        Raises:
            ModelError: the file is missing, is no model, or does not run on a batch of zeros.
        """
        self.name = name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"model '{name}' cannot be read: {error.strerror or error}") from error
        self.sha256 = hashlib.sha256(content).hexdigest()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(
                content, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises its own types, which share no base
            raise ModelError(f"model '{name}' does not load: {_first_line(error)}") from error
        declared = self._session.get_inputs()
        sizes = {item.shape[0] for item in declared if item.shape and isinstance(item.shape[0], int)}
        self.batch_size: int | None = min(sizes) if sizes else None
        self.inputs = {item.name: _tensor(name, item) for item in declared}
        self.outputs = self._probe()

    def _probe(self) -> dict[str, Tensor]:
        n = self.batch_size or _PROBE_ROWS
        feeds = {}
        for tensor in self.inputs.values():
            shape = (n, *(1 if size is None else size for size in tensor.shape))
            empty: Any = "" if tensor.dtype == object else 0
            feeds[tensor.name] = np.full(shape, empty, dtype=tensor.dtype)
        names = [item.name for item in self._session.get_outputs()]
        found = {}
        for name, values in zip(names, self._run(feeds, names), strict=True):
            if values.shape[:1] != (n,):
                raise ModelError(
                    f"model '{self.name}': output '{name}' has shape {values.shape} for {n} events; "
                    "its first axis must be the batch"
                )
            found[name] = Tensor(name, values.dtype, values.shape[1:])
        return found

    def run(
        self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str]
    ) -> list[NDArray[Any]]:
        """Runs n >= 1 rows.

        Args:
            feeds: input name -> ``(n, ...)``, C order, the input's dtype.
            outputs: names of the outputs to compute; others are not.

        Returns:
            One ``(n, ...)`` array per name.

        Raises:
            ModelError: the model broke on this batch.
        """
        n = len(next(iter(feeds.values())))
        size = self.batch_size
        if size is None:
            return self._run(feeds, outputs) if n > 1 else self._padded(feeds, outputs, 2)
        chunks = [
            self._padded({k: v[i : i + size] for k, v in feeds.items()}, outputs, size)
            for i in range(0, n, size)
        ]
        return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]

    def _padded(
        self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str], size: int
    ) -> list[NDArray[Any]]:
        n = len(next(iter(feeds.values())))
        index = np.minimum(np.arange(size), n - 1)
        full = {name: np.ascontiguousarray(values[index]) for name, values in feeds.items()}
        return [values[:n] for values in self._run(full, outputs)]

    def _run(self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> list[NDArray[Any]]:
        try:
            found = self._session.run(list(outputs), dict(feeds))
        except Exception as error:  # onnxruntime raises its own types, which share no base
            raise ModelError(f"model '{self.name}' does not run: {_first_line(error)}") from error
        return [_array(values) for values in found]


def _tensor(model: str, item: Any) -> Tensor:
    dtype = _NUMPY.get(item.type)
    if dtype is None:
        known = ", ".join(_NUMPY)
        raise ModelError(f"model '{model}': input '{item.name}' is {item.type}; known: {known}")
    if not item.shape:
        raise ModelError(f"model '{model}': input '{item.name}' has no batch axis")
    axes = tuple(size if isinstance(size, int) else None for size in item.shape[1:])
    return Tensor(item.name, dtype, axes)


def _array(values: Any) -> NDArray[Any]:
    """A ZipMap's list of dicts as a matrix, columns in the dicts' order; arrays as they are."""
    if isinstance(values, list):
        return np.array([list(row.values()) for row in values], dtype=np.float32)
    return np.asarray(values)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
