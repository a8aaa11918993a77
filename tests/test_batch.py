"""Column and Batch: missing values, canonical fill, rows taken, marks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.batch import FLOATS, Batch, Column, ColumnType, DType
from worker.errors import Stage

FILL: dict[DType, Any] = {DType.INT64: 0, DType.BOOL: False, DType.TEXT: None}
ITEMS: dict[DType, st.SearchStrategy[Any]] = {
    DType.FLOAT32: st.floats(allow_nan=False, width=32),
    DType.FLOAT64: st.floats(allow_nan=False),
    DType.INT64: st.integers(-(2**63), 2**63 - 1),
    DType.BOOL: st.booleans(),
    DType.TEXT: st.text(),
    DType.DATETIME: st.integers(-62_135_596_800_000, 253_402_300_799_999).map(
        lambda ms: str(np.datetime64(ms, "ms")) + "Z"
    ),
}


def column_of(items: list[Any], dtype: DType) -> Column:
    """A column of Python values; numpy reads datetimes without the Z that `to_list` writes."""
    if dtype is DType.DATETIME:
        items = [None if item is None else item.removesuffix("Z") for item in items]
    return Column.of(items, dtype)


@st.composite
def typed_items(draw: st.DrawFn) -> tuple[list[Any], DType]:
    """Values of one dtype, some of them missing."""
    dtype = draw(st.sampled_from(DType))
    return draw(st.lists(st.none() | ITEMS[dtype], max_size=20)), dtype


@given(typed_items())
def test_round_trip(case: tuple[list[Any], DType]) -> None:
    """What goes into a column as Python values comes out again, None where missing."""
    items, dtype = case
    column = column_of(items, dtype)
    assert column.to_list() == items
    assert column_of(column.to_list(), dtype).to_list() == items
    assert column.type == ColumnType(dtype)
    assert len(column) == len(items)


@given(typed_items())
def test_missing_is_none(case: tuple[list[Any], DType]) -> None:
    """A value is missing exactly where None was given."""
    items, dtype = case
    assert column_of(items, dtype).missing.tolist() == [item is None for item in items]


@given(typed_items())
def test_fill_is_canonical(case: tuple[list[Any], DType]) -> None:
    """Where a value is missing stands the dtype's fill; floats and datetimes need no mask."""
    items, dtype = case
    column = column_of(items, dtype)
    gone = column.values[column.missing]
    if dtype in FLOATS:
        assert column.valid is None
        assert np.isnan(gone).all()
    elif dtype is DType.DATETIME:
        assert column.valid is None
        assert np.isnat(gone).all()
    else:
        assert (column.valid is None) == (None not in items)
        assert gone.tolist() == [FILL[dtype]] * len(gone)


@given(typed_items(), st.randoms(use_true_random=False))
def test_take_is_selection(case: tuple[list[Any], DType], random: Any) -> None:
    """Taking rows by mask or by position gives what selecting from the list gives."""
    items, dtype = case
    column = column_of(items, dtype)
    mask = [random.random() < 0.5 for _ in items]
    chosen = [item for item, keep in zip(items, mask, strict=True) if keep]
    assert column.take(np.array(mask, dtype=np.bool_)).to_list() == chosen
    positions = [random.randrange(len(items)) for _ in items]
    by_position = column.take(np.array(positions, dtype=np.int64))
    assert by_position.to_list() == [items[i] for i in positions]
    assert by_position.type == column.type


@given(typed_items())
def test_read_only(case: tuple[list[Any], DType]) -> None:
    """Neither values nor mask can be changed, so branches may share a column."""
    items, dtype = case
    column = column_of(items, dtype)
    assert not column.values.flags.writeable
    assert column.valid is None or not column.valid.flags.writeable


vectors = st.none() | st.lists(ITEMS[DType.FLOAT64], min_size=3, max_size=3)


@given(st.lists(vectors.filter(bool), min_size=1), st.data())
def test_take_is_selection_of_vectors(items: list[list[float]], data: st.DataObject) -> None:
    """As numpy indexes them, by mask or by position, to the bit."""
    column, n = Column.of(items, DType.FLOAT64), len(items)
    masks, places = st.booleans(), st.integers(0, n - 1)
    mask = np.array(data.draw(st.lists(masks, min_size=n, max_size=n)), dtype=np.bool_)
    index = np.array(data.draw(st.lists(places)), dtype=np.int64)
    for chosen in (mask, index):
        found = column.take(chosen)
        assert found.values.tobytes() == column.values[chosen].tobytes()
        assert found.type == column.type


@given(st.lists(vectors).filter(any))
def test_vector_round_trip(items: list[list[float] | None]) -> None:
    """A vector column keeps its rows; a None among them is a missing row."""
    column = Column.of(items, DType.FLOAT64)
    assert column.values.shape == (len(items), 3)
    assert column.type == ColumnType(DType.FLOAT64, 3)
    assert column.to_list() == items


def test_a_vector_with_one_nan_is_missing() -> None:
    """One NaN component makes the whole row missing."""
    column = Column(np.array([[1.0, np.nan], [1.0, 2.0]]))
    assert column.missing.tolist() == [True, False]
    assert column.to_list() == [None, [1.0, 2.0]]


def test_what_stood_at_an_invalid_place_is_gone() -> None:
    """A mask replaces what a node left at invalid places, and the node's array stays."""
    values = np.array([1, 2, 3])
    column = Column(values, np.array([True, False, True]))
    assert column.values.tolist() == [1, 0, 3]
    assert values.tolist() == [1, 2, 3]


def test_a_mask_over_vectors() -> None:
    """An int64 vector column can have missing rows too."""
    column = Column(np.array([[1, 2], [3, 4]]), np.array([True, False]))
    assert column.to_list() == [[1, 2], None]
    assert column.values.tolist() == [[1, 2], [0, 0]]


@pytest.mark.parametrize("dtype", ["int32", "float16", "U5", "datetime64[us]", "complex128"])
def test_other_dtypes_are_refused(dtype: str) -> None:
    """A column holds six dtypes; another one is a bug in a node, and the message lists them."""
    with pytest.raises(TypeError, match="use float32, float64, int64, bool, text, datetime"):
        Column(np.zeros(2, dtype=dtype))


@pytest.mark.parametrize("mask", [np.ones(3, dtype=np.bool_), np.ones(2, dtype=np.int64)])
def test_an_unfit_mask_is_refused(mask: Any) -> None:
    """A mask of another length or dtype is a bug in a node."""
    with pytest.raises(TypeError, match="mask"):
        Column(np.zeros(2), mask)


@pytest.mark.parametrize(
    ("column_type", "text"),
    [(ColumnType(DType.TEXT), "text"), (ColumnType(DType.FLOAT32, 64), "float32[64]")],
)
def test_a_type_reads_as_in_messages(column_type: ColumnType, text: str) -> None:
    """Scalars show their dtype, vectors their length too."""
    assert str(column_type) == text


def batch() -> Batch:
    """Three rows at positions 2, 5 and 7."""
    columns = {"a": Column.of([1, 2, 3], DType.INT64), "b": Column.of(["x", None, "z"], DType.TEXT)}
    return Batch({}, np.array([2, 5, 7])).with_columns(columns)


def test_every_row_is_live_at_first() -> None:
    """A new batch has rows 0 to n-1; n is told where there is no column."""
    assert Batch.of({"a": Column.of([1, 2], DType.INT64)}).rows.tolist() == [0, 1]
    assert Batch.of({}, 3).rows.tolist() == [0, 1, 2]


def test_columns_are_added_and_replaced() -> None:
    """The new batch has the columns; the old one is as it was."""
    old = batch()
    new = old.with_columns({"a": Column.of([7, 8, 9], DType.INT64)})
    assert new["a"].to_list() == [7, 8, 9]
    assert old["a"].to_list() == [1, 2, 3]
    assert new["b"] is old["b"]


def test_a_column_of_another_length_is_refused() -> None:
    """Columns of a batch have equal length; another one is a bug in a node."""
    with pytest.raises(ValueError, match="column 'c' has 1 rows, not 3"):
        batch().with_columns({"c": Column.of([1], DType.INT64)})


def test_without_takes_columns_out() -> None:
    """The rows stay, also where no column is left."""
    assert list(batch().without(["a"]).columns) == ["b"]
    assert len(batch().without(["a", "b"])) == 3


def test_take_keeps_positions() -> None:
    """The rows that are taken keep their positions among the records; marks are settled."""
    taken = batch().drop(np.array([False, True, False]), "why").take(np.array([True, False, True]))
    assert taken.rows.tolist() == [2, 7]
    assert taken["b"].to_list() == ["x", "z"]
    assert taken.marks == ()


def test_a_rejection_is_a_mark() -> None:
    """A mark carries the stage, the error's name and a message for each row; no row moves."""
    rows = np.array([True, False, True])
    marked = batch().reject(rows, "RangeError", ["first", "third"], Stage.VALIDATE)
    (mark,) = marked.marks
    assert (mark.stage, mark.reason, mark.message(1)) == (Stage.VALIDATE, "RangeError", "third")
    assert marked.rows.tolist() == [2, 5, 7]


def test_a_drop_is_a_mark_without_stage() -> None:
    """A drop carries its counted reason."""
    (mark,) = batch().drop(np.array([True, False, False]), "bot").marks
    assert (mark.stage, mark.reason, mark.message(0)) == (None, "bot", "")


def test_no_row_no_mark() -> None:
    """A decision about no row leaves the batch as it is."""
    old, none = batch(), np.zeros(3, dtype=np.bool_)
    assert old.reject(none, "RangeError", []) is old
    assert old.drop(none, "bot") is old


def test_marks_add_up() -> None:
    """A node may decide twice; both marks stay, also when columns are added afterwards."""
    first, second = np.array([True, False, False]), np.array([False, True, False])
    marked = batch().drop(first, "bot").reject(second, "RangeError", "too small")
    assert [mark.reason for mark in marked.with_columns({}).marks] == ["bot", "RangeError"]


def test_a_vector_without_a_fill_has_no_missing_rows() -> None:
    """A row of true and false cannot say that it is missing."""
    with pytest.raises(TypeError, match="a vector of bool has no missing rows"):
        Column.of([[True, False], None], DType.BOOL)
