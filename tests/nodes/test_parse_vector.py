"""ParseVector reads each text by itself: exact numbers, or a rejected row that says why."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.nodes.support import build, run
from worker.batch import Batch, ColumnType, DType
from worker.errors import ConfigError, Stage

NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
SPACE = st.sampled_from(["", " ", "\t", " \n"])


def parse(texts: list[str | None], length: int, **params: Any) -> Batch:
    """The batch after one ParseVector from column ``t`` into ``v``."""
    return run(
        "ParseVector",
        {"column": "t", "length": length, "into": "v", **params},
        {"t": DType.TEXT},
        {"t": texts},
    )


def rejected(batch: Batch) -> dict[int, str]:
    """Row -> message of the rejected rows."""
    rows = [
        (int(row), mark, i) for mark in batch.marks for i, row in enumerate(mark.rows.nonzero()[0])
    ]
    assert all((mark.stage, mark.reason) == (Stage.NODE, "VectorError") for _, mark, _ in rows)
    return {row: mark.message(i) for row, mark, i in rows}


@pytest.mark.parametrize(("dtype", "width"), [("float32", 32), ("float64", 64)])
@given(data=st.data())
@settings(deadline=None)
def test_reads_numbers_exactly(dtype: str, width: Any, data: st.DataObject) -> None:
    """Python's shortest text of a float, with white space around it, gives that float again."""
    floats = st.floats(width=width, allow_nan=False, allow_infinity=False)
    numbers = data.draw(st.lists(floats | st.integers(-9, 9).map(float), min_size=1))
    items = [data.draw(SPACE) + repr(number) + data.draw(SPACE) for number in numbers]

    batch = parse([",".join(items)], len(numbers), dtype=dtype)

    assert rejected(batch) == {}
    assert batch["v"].values.tolist() == [numbers]
    assert batch["v"].type == ColumnType(DType(dtype), len(numbers))


@given(digits=st.text("0123456789", min_size=1, max_size=40), point=st.integers(0, 40))
@settings(deadline=None)
def test_rounds_to_the_nearest(digits: str, point: int) -> None:
    """Decimals of any length become the nearest float64, as Python's float() gives."""
    text = f"{digits[:point] or '0'}.{digits[point:] or '0'}"

    batch = parse([text], 1, dtype="float64")

    assert batch["v"].values.tolist() == [[float(text)]]


@pytest.mark.parametrize("separator", [",", ";"])
@given(text=st.text('0159.,;eE+-nNaif_ \t[]"x\u0661\u00a0', max_size=12))
@settings(deadline=None, max_examples=150)
def test_takes_decimal_numbers_and_nothing_else(separator: str, text: str) -> None:
    """A row stays exactly if each item is a decimal number; its values are those of float()."""
    items = text.split(separator)
    good = all(NUMBER.fullmatch(item) and np.isfinite(float(item)) for item in items)

    batch = parse([text], len(items), separator=separator, dtype="float64")

    assert (rejected(batch) == {}) == good
    if good:
        assert batch["v"].values.tolist() == [[float(item) for item in items]]


@pytest.mark.parametrize("separator", [",", ";", "|", " ", "\t", ", ", "||", ",,", "][", '"'])
def test_every_separator_gives_the_same(separator: str) -> None:
    """What stands between the numbers does not change them."""
    batch = parse([separator.join(["1", "-2.5", "+.5", "1e3"])], 4, separator=separator)

    assert batch["v"].values.tolist() == [[1.0, -2.5, 0.5, 1000.0]]
    assert rejected(batch) == {}


def test_white_space_separates_by_any_run_of_it() -> None:
    """With a separator of white space, blanks, tabs and line ends count once together."""
    batch = parse(["  1 \t 2\n3 ", "1,2 3"], 3, separator=" ")

    assert batch["v"].values[0].tolist() == [1.0, 2.0, 3.0]
    assert list(rejected(batch)) == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "column 't': missing, expected 3 numbers"),
        ("", "column 't': 0 numbers, expected 3"),
        ("1,2", "column 't': 2 numbers, expected 3"),
        ("1,2,3,4", "column 't': 4 numbers, expected 3"),
        ("1,,3", "column 't': item 2 of 3 is '', no finite number"),
        ("1,2,", "column 't': item 3 of 3 is '', no finite number"),
        ("1,NaN,3", "column 't': item 2 of 3 is 'NaN', no finite number"),
        ("1,2,-Infinity", "column 't': item 3 of 3 is '-Infinity', no finite number"),
        ("1,null,3", "column 't': item 2 of 3 is 'null', no finite number"),
        ('"1",2,3', "column 't': item 1 of 3 is '\"1\"', no finite number"),
        ("1,2,1e400", "column 't': item 3 of 3 is '1e400', no finite number"),
        ("1,1e39,3", "column 't': item 2 of 3 is '1e39', too large for float32"),
    ],
)
def test_says_what_is_wrong(text: str | None, message: str) -> None:
    """The message names the column, the counts or the first bad item."""
    assert rejected(parse([text], 3)) == {0: message}


@pytest.mark.parametrize("item", ["x" * 100_000, "1" * 100_000 + "x", "9" * 100_000])
def test_a_long_item_is_shortened(item: str) -> None:
    """A dead letter's message stays short whatever the event holds."""
    messages = rejected(parse([f"1,{item}"], 2))

    assert len(messages[0]) < 200


def test_a_row_never_touches_its_neighbours() -> None:
    """Texts that would be valid if they were joined are rejected; those beside them are read."""
    batch = parse(["1,2", "3],[4", "5", "6,7", "8", None, "9,10"], 2)

    assert list(rejected(batch)) == [1, 2, 4, 5]
    assert batch["v"].values[[0, 3, 6]].tolist() == [[1.0, 2.0], [6.0, 7.0], [9.0, 10.0]]


def test_half_of_a_surrogate_pair_is_a_bad_item() -> None:
    """Text that is no Unicode is rejected like any other."""
    assert list(rejected(parse(["1,\ud800", "1,2"], 2))) == [0]


@pytest.mark.parametrize("separator", ["-", ".", "e", "0", " 1 "])
def test_refuses_a_separator_that_may_be_part_of_a_number(separator: str) -> None:
    """Such a separator would be ambiguous."""
    params = {"column": "t", "separator": separator, "length": 2, "into": "v"}

    with pytest.raises(ConfigError, match=r"params.separator: .* may be part of a number"):
        build("ParseVector", params, {"t": DType.TEXT})


@pytest.mark.parametrize("length", [0, 100_001, True, "3", 3.0])
def test_refuses_other_lengths(length: object) -> None:
    """A length is a whole number from 1 to 100,000, written as one."""
    with pytest.raises(ValidationError):
        build("ParseVector", {"column": "t", "length": length, "into": "v"}, {"t": DType.TEXT})
