"""ONNXNode: inference with an ONNX model."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from worker.batch import FLOATS, Batch, Column, ColumnType, DType, Mask
from worker.errors import ModelError, Stage
from worker.models.file import ModelFile, NoModel
from worker.models.neighbours import ROUNDING, WAY_OUT, coupling, said
from worker.models.session import Session
from worker.nodes._model import find_model
from worker.nodes._names import Target
from worker.nodes._onnx_binding import Pick, check_names, feeds, named, picks
from worker.nodes._onnx_feed import Missing, Unfit, matrix, messages
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature

Name = Annotated[str, Field(min_length=1)]
Several = Annotated[list[Name], Field(min_length=1)]

_ROWS, _PARTS = 8, (3,)  # few runs, since every worker that loads the model makes them


class ONNXNodeParams(Params):
    """The model, what feeds it and what is taken from it."""

    model: Name
    features: Several | Annotated[dict[Name, Name | Several], Field(min_length=1)]
    outputs: Annotated[dict[Target, Name], Field(min_length=1)] | None = None
    missing: Missing = "reject"
    feature_names: Literal["check", "ignore"] = "check"
    rows: Literal["independent", "coupled"] = "independent"

    @model_validator(mode="before")
    @classmethod
    def _model_id(cls, data: Any) -> Any:
        """``model_id``, as Adobe's Real-time Machine Learning calls it."""
        if isinstance(data, dict) and "model_id" in data and "model" not in data:
            return {"model" if key == "model_id" else key: item for key, item in data.items()}
        return data


class ONNXNode(Node[ONNXNodeParams]):
    """Runs the model on the whole batch; its outputs become columns.

    ``model`` (or ``model_id``) is a file beside the graph, or ``name@version`` or ``name@alias``
    of the model store.
    ``features`` lists the columns of the model's input in the order the model expects them,
    scalars and vectors alike; for a model with several inputs it maps input name to columns (a
    list will do where each column has its input's name). ``outputs`` maps a new column to
    ``output`` (the whole: a scalar for ``(n,)`` and ``(n, 1)``, else a vector) or ``output[i]``;
    without it each output is a column of its own name.
    Where the model says which features it was trained on (``feature_names`` in its metadata), one
    column for each of them must have that name, in that order; ``feature_names: ignore`` is for
    columns that are called otherwise.
    A model for which an event's result depends on the events beside it by more than rounding (a
    mean over the batch, dynamic quantization) is refused; ``rows: coupled`` allows it, and then a
    score depends on how Kafka happened to fill the batch, and is not repeatable.
    An event with a missing feature is rejected, unless ``missing: nan`` says that the model takes
    NaN as missing; an output that is not finite rejects its event. Both have stage ``score``.
    """

    Params = ONNXNodeParams
    session: Session
    file: Path
    EXAMPLE: ClassVar = Example(
        params={
            "model": "lr.onnx",
            "features": ["f0", "f1"],
            "outputs": {"label": "label"},
        },
        types={"f0": ColumnType(DType.FLOAT64), "f1": ColumnType(DType.FLOAT64)},
        given={"f0": [2.0, -2.0, None], "f1": [1.0, -1.0, 0.0]},
        gives={"label": [1, 0]},
    )

    @classmethod
    def always_writes(cls, params: ONNXNodeParams) -> Collection[str] | None:
        """Its outputs, where the graph names them; their types are the model's."""
        return None if params.outputs is None else params.outputs.keys()

    @property
    def models(self) -> dict[str, str]:
        """The one model it runs."""
        return {self.session.name: self.session.sha256}

    @property
    def selectors(self) -> dict[str, str]:
        """Column -> the model's output, or ``output[i]``, that it is."""
        return {pick.column: pick.selector for pick in self._picks}

    @property
    def _outputs(self) -> dict[str, str]:
        known = (*self.session.outputs, *self.session.refused)
        return self.params.outputs or {name: name for name in known if not name.startswith("@")}

    def check(self, columns: Columns, context: Context) -> Signature:
        """Loads the model and proves that the columns fit its inputs and the outputs exist."""
        found = find_model(self.params.model, context)
        missing = self._opened(found) if isinstance(found, ModelFile) else found
        if missing is not None:
            for reason in missing.reasons:
                columns.problem("model", reason)
            for path, name in named(self.params.features):
                columns.need(path, name, vector=None)
            return Signature((), {})
        if not self.session.is_open:
            self._picks = picks(columns, self.session, self._outputs)
        self._feeds = feeds(columns, self.session, self.params.features)
        if self.params.feature_names == "check":
            check_names(columns, self.params.features, self.session.feature_names)
        if columns.problems or columns.guessed:
            return Signature((), {})
        if self.session.is_open:
            try:
                self.session.fit({feed.tensor.name: feed.shape for feed in self._feeds})
            except ModelError as error:
                columns.problem("features", str(error))
                return Signature((), {})
            self._picks = picks(columns, self.session, self._outputs)
        if self.params.rows == "independent":
            self._check_rows(columns, found)
        reads = dict.fromkeys(name for feed in self._feeds for name in feed.columns)
        return Signature(tuple(reads), {pick.column: pick.type for pick in self._picks})

    def _check_rows(self, columns: Columns, found: ModelFile | NoModel) -> None:
        difference = found.difference if isinstance(found, ModelFile) else None
        if difference is None:
            shapes = {feed.tensor.name: feed.shape for feed in self._feeds}
            try:
                difference = coupling(self.session, _ROWS, _PARTS, shapes).difference
            except ModelError:  # what is made up need not be what the model takes
                return
        if difference > ROUNDING:
            columns.problem("model", f"{said(difference)}; {WAY_OUT} rows: coupled")

    def _opened(self, file: ModelFile) -> NoModel | None:
        self.file = file.path
        try:
            self.session = Session(file.path, file.name)
        except ModelError as error:
            return NoModel((str(error),))
        if file.sha256 not in ("", self.session.sha256):
            return NoModel((f"model '{file.name}' was changed after it had been verified",))
        return None

    def process(self, batch: Batch) -> Batch:
        """One run; rows with features that the model cannot take are zeros and rejected."""
        unfit: Unfit = {}
        missing = self.params.missing
        feeds = {feed.tensor.name: matrix(feed, batch, missing, unfit) for feed in self._feeds}
        outputs = list(dict.fromkeys(pick.output for pick in self._picks))
        found = dict(zip(outputs, self.session.run(feeds, outputs), strict=True))
        new = {pick.column: Column(_picked(pick, found[pick.output])) for pick in self._picks}
        rejected = np.zeros(len(batch), dtype=np.bool_)
        for rows in unfit.values():
            rejected |= rows
        scored = batch.with_columns(new)
        if unfit:
            reasons = messages(unfit, rejected, missing)
            scored = scored.reject(rejected, "MissingFeature", reasons, Stage.SCORE)
        return self._reject_not_finite(scored, new, rejected)

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


def _picked(pick: Pick, values: NDArray[Any]) -> NDArray[Any]:
    flat = values.reshape(len(values), math.prod(values.shape[1:]))
    chosen = flat if pick.index is None else flat[:, pick.index]
    return np.array(chosen, dtype=pick.type.numpy)
