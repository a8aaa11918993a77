"""ONNXNode: inference with an ONNX model."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from worker.batch import ANY, FLOATS, Batch, Column, ColumnType, DType, Mask
from worker.errors import ModelError, Stage, nearest
from worker.models.session import Session, Tensor
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

_SELECTOR = re.compile(r"(?P<name>.+?)(?:\[(?P<index>\d+)\])?")
_LOSSLESS: dict[str, frozenset[DType]] = {
    "float32": FLOATS | {DType.INT64, DType.BOOL},
    "float64": FLOATS | {DType.INT64, DType.BOOL},
    "int64": frozenset({DType.INT64, DType.BOOL}),
    "int32": frozenset({DType.INT64, DType.BOOL}),
    "bool": frozenset({DType.BOOL}),
    "object": frozenset({DType.TEXT}),
}
"""Column dtypes that may feed a tensor; float64 to float32 is the usual rounding of features."""
_OUTPUT_DTYPES = {
    "float32": DType.FLOAT32,
    "float64": DType.FLOAT64,
    "int64": DType.INT64,
    "int32": DType.INT64,
    "bool": DType.BOOL,
    "object": DType.TEXT,
}

Name = Annotated[str, Field(min_length=1)]


class ONNXNodeParams(Params):
    """The model, what feeds it and what is taken from it."""

    model: Name
    features: list[Name] | dict[Name, Name | list[Name]]
    outputs: dict[Name, Name] = Field(min_length=1)
    missing: Literal["reject", "nan"] = "reject"


@dataclass(frozen=True, slots=True)
class _Feed:
    """One model input, its columns side by side, reshaped to the input's axes."""

    tensor: Tensor
    columns: tuple[str, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Pick:
    """One output column: a whole model output, or one column of it."""

    column: str
    output: str
    index: int | None
    type: ColumnType


class ONNXNode(Node[ONNXNodeParams]):
    """Runs the model on the whole batch; its outputs become columns.

    ``features`` lists the columns of the model's input in the order the model expects them,
    scalars and vectors alike; for a model with several inputs it maps input name to columns (a
    list will do where each column has its input's name). ``outputs`` maps a new column to
    ``output`` (the whole: a scalar for ``(n,)`` and ``(n, 1)``, else a vector) or ``output[i]``.
    An event with a missing feature is rejected, unless ``missing: nan`` says that the model takes
    NaN as missing; an output that is not finite rejects its event. Both have stage ``score``.
    """

    Params = ONNXNodeParams
    session: Session
    EXAMPLE: ClassVar = Example(
        params={
            "model": "lr.onnx",
            "features": ["f0", "f1"],
            "outputs": {"score": "probabilities[1]", "label": "label"},
        },
        types={"f0": ColumnType(DType.FLOAT64), "f1": ColumnType(DType.FLOAT64)},
        given={"f0": [0.0], "f1": [0.0]},
        gives={},
    )

    @property
    def models(self) -> dict[str, str]:
        """The one model it runs."""
        return {self.session.name: self.session.sha256}

    def check(self, columns: Columns, context: Context) -> Signature:
        """Loads the model and proves that the columns fit its inputs and the outputs exist."""
        self._feeds: list[_Feed] = []
        self._picks: list[_Pick] = []
        path = model_path(self.params.model, context.folder)
        if path is None:
            columns.problem("model", f"'{self.params.model}' must lie in the graph's own folder")
            return Signature((), {})
        try:
            self.session = Session(path, self.params.model)
        except ModelError as error:
            columns.problem("model", str(error))
            return Signature((), {})
        for name, wanted in self._assignment(columns, self.session).items():
            self._feeds.append(self._feed(columns, self.session.inputs[name], wanted))
        for column, selector in self.params.outputs.items():
            pick = self._pick(columns, column, selector, self.session)
            if pick is not None:
                self._picks.append(pick)
        reads = dict.fromkeys(name for feed in self._feeds for name in feed.columns)
        return Signature(tuple(reads), {pick.column: pick.type for pick in self._picks})

    def _assignment(self, columns: Columns, session: Session) -> dict[str, list[tuple[str, str]]]:
        """Input name -> (path of the param, column) of what feeds it."""
        features, inputs = self.params.features, session.inputs
        if isinstance(features, list):
            listed = [(f"features[{i}]", name) for i, name in enumerate(features)]
            if len(inputs) == 1:
                return {next(iter(inputs)): listed}
            if set(features) == set(inputs):
                return {name: [(path, name)] for path, name in listed}
            names = ", ".join(f"{name} {tensor}" for name, tensor in inputs.items())
            columns.problem("features", f"the model has several inputs ({names}); map each of them")
            return {}
        found = {}
        for name, given in features.items():
            if name not in inputs:
                columns.problem(f"features.{name}", f"no such model input{nearest(name, inputs)}")
                continue
            wanted = [given] if isinstance(given, str) else given
            found[name] = [(f"features.{name}[{i}]", column) for i, column in enumerate(wanted)]
        for name in inputs.keys() - features.keys():
            columns.problem("features", f"model input '{name}' {inputs[name]} is fed by nothing")
        return found

    def _feed(self, columns: Columns, tensor: Tensor, wanted: list[tuple[str, str]]) -> _Feed:
        allowed = _LOSSLESS[str(tensor.dtype)]
        width = 0
        for path, name in wanted:
            found = columns.need(path, name, ANY, vector=None)
            if name in columns and found.dtype not in allowed:
                columns.problem(
                    path,
                    f"column '{name}' is {found}, but model input '{tensor.name}' is {tensor}; "
                    "Cast it",
                )
            width += found.length or 1
        open_axes = tensor.shape.count(None)
        known = math.prod(size for size in tensor.shape if size is not None)
        fits = width == known if open_axes == 0 else width % known == 0 and open_axes == 1
        if not fits:
            columns.problem(
                "features",
                f"{width} values per event do not fit model input '{tensor.name}' {tensor}",
            )
            return _Feed(tensor, tuple(name for _, name in wanted), (width,))
        shape = tuple(width // known if size is None else size for size in tensor.shape)
        return _Feed(tensor, tuple(name for _, name in wanted), shape)

    def _pick(
        self, columns: Columns, column: str, selector: str, session: Session
    ) -> _Pick | None:
        path = f"outputs.{column}"
        match = _SELECTOR.fullmatch(selector)
        name, index = (match["name"], match["index"]) if match else (selector, None)
        if selector in session.outputs:
            name, index = selector, None
        if name not in session.outputs:
            hint = nearest(name, session.outputs)
            columns.problem(path, f"the model has no output '{name}'{hint}")
            return None
        tensor = session.outputs[name]
        dtype = _OUTPUT_DTYPES.get(str(tensor.dtype))
        if dtype is None:
            columns.problem(path, f"output '{name}' is {tensor}, which no column can hold")
            return None
        width = math.prod(size or 1 for size in tensor.shape)
        if index is not None and int(index) >= width:
            columns.problem(path, f"output '{name}' is {tensor}: {selector} is past its end")
            return None
        if index is not None or width == 1:
            return _Pick(column, name, int(index or 0), ColumnType(dtype))
        return _Pick(column, name, None, ColumnType(dtype, width))

    def process(self, batch: Batch) -> Batch:
        """One run; rows with missing features are padded with zeros and rejected."""
        unfit: Mask = np.zeros(len(batch), dtype=np.bool_)
        feeds = {feed.tensor.name: self._matrix(feed, batch, unfit) for feed in self._feeds}
        outputs = list(dict.fromkeys(pick.output for pick in self._picks))
        found = dict(zip(outputs, self.session.run(feeds, outputs), strict=True))
        new = {pick.column: Column(_picked(pick, found[pick.output])) for pick in self._picks}
        marked = batch.with_columns(new).reject(
            unfit, "MissingFeature", self._unfit_messages(batch, unfit), Stage.SCORE
        )
        return self._reject_not_finite(marked, new, unfit)

    def _matrix(self, feed: _Feed, batch: Batch, unfit: Mask) -> NDArray[Any]:
        """``(n, ...)`` in C order; notes in ``unfit`` the rows that may not be scored."""
        arrays = []
        for name in feed.columns:
            column = batch[name]
            if column.valid is not None:
                unfit |= ~column.valid
            arrays.append(column.values)
        n, dtype = len(batch), feed.tensor.dtype
        if dtype == object:
            texts = np.column_stack(arrays)
            texts[texts == None] = ""  # noqa: E711 - compared element by element
            return texts.reshape(n, *feed.shape)
        with np.errstate(over="ignore"):  # an overflow is infinite, and rejected as such
            if all(values.ndim == 1 for values in arrays):
                matrix = np.stack(arrays, axis=1, dtype=dtype, casting="unsafe")
            else:
                matrix = np.column_stack(arrays).astype(dtype, copy=False)
        if dtype.kind == "f":
            bad = ~np.isfinite(matrix) if self.params.missing == "reject" else np.isinf(matrix)
            if bad.any():
                rows = bad.any(axis=1)
                unfit |= rows
                matrix = matrix.copy()
                matrix[rows] = 0
        return np.ascontiguousarray(matrix).reshape(n, *feed.shape)

    def _unfit_messages(self, batch: Batch, unfit: Mask) -> list[str]:
        messages = []
        for row in np.flatnonzero(unfit):
            one = batch.take(np.array([row]))
            names = [name for name in self.signature.reads if not _finite(one[name])]
            shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            messages.append(
                f"no finite value for {shown or 'a feature'}; FillNa it, or set missing: nan if the "
                "model takes NaN"
            )
        return messages

    def _reject_not_finite(self, batch: Batch, new: dict[str, Column], unfit: Mask) -> Batch:
        for name, column in new.items():
            if column.type.dtype not in FLOATS:
                continue
            finite = np.isfinite(column.values)
            if finite.all():
                continue
            bad = (~finite if finite.ndim == 1 else ~finite.all(axis=1)) & ~unfit
            message = f"the model gave NaN or an infinite number for '{name}'"
            batch = batch.reject(bad, "NotFinite", message, Stage.SCORE)
        return batch


def _finite(column: Column) -> bool:
    """Whether the only row of ``column`` has a value that float32 can hold."""
    if column.missing[0]:
        return False
    if column.type.dtype not in FLOATS:
        return True
    return bool((np.abs(column.values) <= np.finfo(np.float32).max).all())


def _picked(pick: _Pick, values: NDArray[Any]) -> NDArray[Any]:
    flat = values.reshape(len(values), -1)
    chosen = flat if pick.index is None else flat[:, pick.index]
    return np.array(chosen, dtype=pick.type.numpy)


def model_path(reference: str, folder: Path) -> Path | None:
    """Where a model reference points: a file below the graph's folder, symbolic links resolved.

    None where it lies outside; a graph must not read what is not its own.
    """
    root = folder.resolve()
    path = (root / reference).resolve()
    return path if path.is_relative_to(root) else None
