"""ONNX Runtime sessions: load a model once, run it on batches. The only user of onnxruntime."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.errors import ModelError, ModelTimeoutError
from worker.files import open_file
from worker.models import threads
from worker.models.features import KEY, feature_names
from worker.models.tensors import Tensor, declared_tensor
from worker.models.watchdog import limit_s, watchdog

# Since 1.32 the official builds send usage data to their maker over HTTPS. Only this switch, set
# before the import, keeps the uploader and its file in the temporary folder from being made.
os.putenv("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort

ort.set_default_logger_severity(4)  # failures reach us as exceptions; the text would reach stderr

_EXTERNAL_DATA = "session.model_external_initializers_file_folder_path"
Watch = Callable[[Mapping[str, NDArray[Any]], Mapping[str, NDArray[Any]]], None]
_PROBES = (3, 2)  # one size would not tell a batch axis from an axis that happens to be as long


class Session:
    """A loaded model, warmed up and probed: what its outputs are is known, not declared.

    One thread unless `threads` is told otherwise, sequential: replicas scale, threads inside a run
    would only share the core, and with two of them trees are summed in another order above 50
    rows. A batch of one is padded to two, because kernels for n = 1 round differently; a model with
    a fixed batch size runs in chunks of it, padded with its last row.

    Attributes:
        name: what a graph calls the model.
        sha256: digest of the file.
        inputs: by name.
        outputs: by name; ZipMap outputs appear as float32 matrices, classes in ascending order.
            Empty for a model that is open, until `fit` has told it what it is fed.
        refused: outputs that cannot be used, with the reason.
        batch_size: None, or the only batch size the model takes.
        watch: told what each run was fed and gave, for who wants to see it; None for nobody.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Loads and probes the model.

        Raises:
            ModelError: the file is missing, is no model, or does not run on a batch of zeros
                (which a model that is open is only asked in `fit`).
        """
        self.name = name
        self.watch: Watch | None = None
        try:
            with open_file(path) as file:
                content = file.read()
        except OSError as error:
            raise ModelError(f"model '{name}' cannot be read: {error.strerror or error}") from error
        self.sha256 = hashlib.sha256(content).hexdigest()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads.intra_op()
        if threads.intra_op() > 1:
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4
        # The digest must cover the weights: no tensor data from outside the file, where a model
        # that is loaded from memory would look in the working directory.
        options.add_session_config_entry(_EXTERNAL_DATA, os.devnull)
        try:
            self._session = ort.InferenceSession(
                content, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises its own types, which share no base
            raise ModelError(f"model '{name}' does not load: {_first_line(error)}") from error
        declared = self._session.get_inputs()
        if not declared:
            raise ModelError(f"model '{name}' has no input")
        sizes = {
            item.shape[0] for item in declared if item.shape and isinstance(item.shape[0], int)
        }
        self.batch_size: int | None = min(sizes) if sizes else None
        self.inputs = {item.name: declared_tensor(name, item) for item in declared}
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.feature_names = feature_names(metadata.get(KEY, ""))
        self.outputs: dict[str, Tensor] = {}
        self.refused: dict[str, str] = {}
        self._none: dict[str, NDArray[Any]] = {}
        if not self.is_open:
            self.fit({})

    @property
    def is_open(self) -> bool:
        """Whether an input leaves more axes than the batch open, so that who feeds it decides."""
        return any(None in tensor.shape for tensor in self.inputs.values())

    def fit(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Runs the model on zeros: that it takes what it will be fed, and what its outputs are.

        Args:
            shapes: input name -> sizes of its axes without the batch; those of inputs that are
                not open may be left out, and an open axis that nobody names has size 1.

        Raises:
            ModelError: it does not run, or no output has one row per event.
        """
        names = [item.name for item in self._session.get_outputs()]
        self.refused = {}
        try:
            self._probe(shapes, names)
        except ModelError:
            for name in names:
                try:
                    self._probe(shapes, [name])
                except ModelError as error:
                    self.refused[name] = str(error)
                    self.outputs.pop(name, None)
            if len(self.refused) == len(names):
                raise

    def _probe(self, shapes: Mapping[str, tuple[int, ...]], names: Sequence[str]) -> None:
        for n in (self.batch_size,) if self.batch_size else _PROBES:
            feeds = {}
            for tensor in self.inputs.values():
                sizes = shapes.get(tensor.name, tuple(size or 1 for size in tensor.shape))
                empty: Any = "" if tensor.dtype == object else 0
                feeds[tensor.name] = np.full((n, *sizes), empty, dtype=tensor.dtype)
            found = self._run(feeds, names)
        for name, values in zip(names, found, strict=True):
            self.outputs[name] = Tensor(name, values.dtype, values.shape[1:])
            self._none[name] = values[:0]

    def run(self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> list[NDArray[Any]]:
        """Runs n rows.

        Args:
            feeds: input name -> ``(n, ...)``, C order, the input's dtype.
            outputs: names of the outputs to compute; others are not.

        Returns:
            One ``(n, ...)`` array per name.

        Raises:
            ModelTimeoutError: it took longer than `worker.models.watchdog.limit_s` says.
            ModelError: the model broke on this batch, or gave an output of another shape.
        """
        n = len(next(iter(feeds.values())))
        if n == 0:
            return [self._none[name] for name in outputs]
        found = self._in_size(feeds, outputs, n)
        if self.watch is not None:
            self.watch(feeds, dict(zip(outputs, found, strict=True)))
        return found

    def _in_size(
        self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str], n: int
    ) -> list[NDArray[Any]]:
        """Runs n rows in batches of sizes that the model takes."""
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
        seconds = limit_s.get()
        stop = None if seconds is None else ort.RunOptions()
        try:
            if stop is None or seconds is None:
                found = self._session.run(list(outputs), dict(feeds))
            else:
                with watchdog.watched(stop, seconds):
                    found = self._session.run(list(outputs), dict(feeds), stop)
        except Exception as error:  # onnxruntime raises its own types, which share no base
            if stop is not None and stop.terminate:
                message = f"model '{self.name}' took longer than {seconds:g} s and was ended"
                raise ModelTimeoutError(message) from error
            raise ModelError(f"model '{self.name}' does not run: {_first_line(error)}") from error
        n = len(next(iter(feeds.values())))
        arrays = [self._array(name, values) for name, values in zip(outputs, found, strict=True)]
        for name, values in zip(outputs, arrays, strict=True):
            known = self.outputs.get(name)
            if values.shape != (n, *(known.shape if known else values.shape[1:])):
                raise ModelError(
                    f"model '{self.name}': output '{name}' has shape {values.shape} for {n} "
                    "events; its first axis must be the batch, the others always the same"
                )
        return arrays

    def _array(self, output: str, values: Any) -> NDArray[Any]:
        """A ZipMap's list of dicts as a matrix, in the dicts' order; arrays as they are."""
        if isinstance(values, np.ndarray):
            return values
        if isinstance(values, list) and all(isinstance(row, dict) for row in values):
            return np.array([list(row.values()) for row in values], dtype=np.float32)
        raise ModelError(f"model '{self.name}': output '{output}' is no tensor and no ZipMap")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
