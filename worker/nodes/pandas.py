"""Pandas: one operation of pandas on columns, from a closed table."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, StrictBool, StrictStr, ValidationError, field_validator

from worker.batch import Batch, ColumnType, DType
from worker.nodes._categories import Category
from worker.nodes._names import MAX_ENTRIES, Names, Target, distinct
from worker.nodes._pandas.operation import Call, Effect
from worker.nodes._pandas.table import OPERATIONS, resolve
from worker.nodes.base import Columns, Context, Example, Node, Params, Signature
from worker.problems import problems_of

_NAMES_ITSELF = frozenset({"rename", "drop", "get_dummies"})
Listed = Annotated[list[Category], Field(min_length=1, max_length=MAX_ENTRIES)]


class PandasParams(Params):
    """The operation, its keywords, the columns (all without ``cols``), and where results go."""

    model_config = ConfigDict(serialize_by_alias=True)

    operation: StrictStr = Field(alias="import")
    kwargs: Annotated[dict[str, Any], Field(max_length=MAX_ENTRIES)] = Field(default_factory=dict)
    inplace: StrictBool = False
    cols: StrictStr | Names | None = None
    into: Target | Annotated[list[Target], Field(min_length=1, max_length=MAX_ENTRIES)] | None = (
        None
    )
    categories: Listed | dict[str, Listed] | None = None

    @field_validator("operation")
    @classmethod
    def _known(cls, name: str) -> str:
        resolve(name)
        return name


class Pandas(Node[PandasParams]):
    """Runs one operation of a closed table on columns, with the result that pandas has.

    ``import`` names it, ``kwargs`` are its keywords, ``cols`` the columns, all it can work on
    without. With ``inplace`` results replace their columns; otherwise each becomes a new column,
    ``into`` or ``<column>_<operation>`` (``at_hour`` for ``dt.hour``). Without ``cols`` and
    ``inplace`` the frame itself is changed, as a method of it would; so do rename, drop and
    get_dummies always. get_dummies takes its ``categories`` from the params; into a notebook's
    graph those are written that the features of the model behind it name (``gender_female``).
    What is no key of map and no category is counted in the metric `rtml_unknown_values_total`.

    A row's result never depends on its neighbours: what ranks, sums up or fills from rows beside
    it is refused. Missing stays missing, also as int64, bool and text where pandas would turn the
    column to float or object. To isin, between, comparisons and str.contains it answers false, and
    true to ``ne``, as in pandas. Where pandas raises for a bad value, its row alone is rejected
    (CastError, DatetimeError), or missing with ``errors: coerce``. A result that is not finite, or
    beyond int64 or float32, is missing, and so are the texts nan and inf as floats. Numbers in text
    are ASCII without ``_``. isin and map look float32 up in its own precision, as eq does, so 0.1
    is found there; in pandas it is not. sum, mean, min and max over float32 are float64. Without
    ``cols``, columns that an operation does not fit pass unchanged, and so do those that the value
    of fillna or replace does not fit. Times are UTC.
    """

    Params = PandasParams
    EXAMPLE: ClassVar = Example(
        params={
            "import": "map",
            "kwargs": {"arg": {"vw": "volkswagen", "no": "none"}, "na_action": 0},
            "inplace": True,
            "cols": "brand",
        },
        types={"brand": ColumnType(DType.TEXT)},
        given={"brand": ["vw", "lada", "no", None]},
        gives={"brand": ["volkswagen", None, "none", None]},
    )

    _effect: Effect

    def check(self, columns: Columns, context: Context) -> Signature:  # noqa: ARG002 - no files
        """Needs keywords that the operation knows, and columns it can work on."""
        params = self.params
        name = resolve(params.operation)
        operation = OPERATIONS[name]
        call = self._call(columns, name)
        if name in _NAMES_ITSELF:
            self._no_target(columns, name)
        try:
            kwargs = operation.kwargs.model_validate(params.kwargs)
        except ValidationError as error:
            for problem in problems_of(error, operation.kwargs, params.kwargs):
                path = f"kwargs.{problem.path}".rstrip(".")
                columns.problem(path, problem.message, sure=True)
            return Signature((), {})
        self._effect = effect = operation.effect(call, kwargs, name.rpartition(".")[2])
        return Signature(effect.reads, effect.writes, effect.removes, effect.made_of)

    def _call(self, columns: Columns, name: str) -> Call:
        params = self.params
        cols = [("cols", params.cols)] if isinstance(params.cols, str) else []
        if isinstance(params.cols, list):
            cols = [(f"cols[{i}]", col) for i, col in enumerate(params.cols)]
        distinct(columns, cols)
        into = [params.into] if isinstance(params.into, str) else params.into or []
        distinct(columns, ((f"into[{i}]", target) for i, target in enumerate(into)))
        if into and params.inplace:
            columns.problem("into", "inplace puts results into their own columns", sure=True)
        given = params.model_fields_set & {"cols", "inplace", "into"}
        inplace = params.inplace or not given
        return Call(columns, cols, into, inplace, self._categories(columns, cols, name))

    def _categories(
        self, columns: Columns, cols: list[tuple[str, str]], name: str
    ) -> dict[str, list[Category]]:
        given = self.params.categories
        if given is not None and name != "get_dummies":
            columns.problem("categories", "only get_dummies takes them", sure=True)
        if isinstance(given, list):
            if len(cols) != 1:
                message = "a list needs one column in cols; else map columns to their categories"
                columns.problem("categories", message, sure=True)
            return {col: given for _, col in cols[:1]}
        return dict(given or {})

    def _no_target(self, columns: Columns, name: str) -> None:
        if self.params.into is not None:
            columns.problem("into", f"{name} names its columns itself; remove it", sure=True)
        if self.params.cols is not None and name == "rename":
            columns.problem("cols", "rename takes its columns from kwargs.columns", sure=True)

    def process(self, batch: Batch) -> Batch:
        """What the operation says."""
        return self._effect.apply(batch)
