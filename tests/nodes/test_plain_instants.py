"""The usual form of date-times: a column at a time, what one by one gives."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.nodes._plain_instants import plain_instants
from worker.nodes._values import parse_instants

FORMS = ("", ".123", ".000999", "Z", ".987Z", "+02:00", ".5-01:30", ".999999-23:59", ".001+00:00")


def padded(number: int, width: int = 2) -> str:
    """Digits of a number, zeros before them."""
    return f"{number:0{width}}"


dates = st.builds(
    lambda *parts: f"{padded(parts[0], 4)}-{padded(parts[1])}-{padded(parts[2])}",
    st.sampled_from([0, 1, 1600, 1900, 1969, 1970, 2000, 2023, 2024, 9999]),
    st.integers(0, 13),
    st.integers(0, 32),
)
times = st.builds(
    lambda *parts: ":".join(map(padded, parts)),
    st.integers(0, 25),
    st.integers(0, 60),
    st.integers(0, 60),
)
items = st.tuples(dates, st.sampled_from("T "), times).map("".join)


@given(st.sampled_from(FORMS), st.lists(items, min_size=1, max_size=4))
@example("", ["2024-02-29T23:59:59", "1969-12-31T23:59:59"])
@example("", ["2023-02-29T00:00:00"])
@example("", ["1900-02-29T00:00:00"])
@example("+02:00", ["0001-01-01T00:00:00"])
def test_is_what_each_text_gives(form: str, starts: list[str]) -> None:
    """Either every text is read as it is by itself, or none."""
    texts = [start + form for start in starts]
    try:
        expected = parse_instants(texts)
    except ValueError:
        expected = None
    found = plain_instants(texts)
    assert found is None or found.tolist() == expected


def test_the_usual_form_is_taken() -> None:
    """Several valid date-times of one form, with offsets of both signs, need no second look."""
    texts = ["2024-02-29T10:15:00.123+02:00", "1969-12-31T23:59:59.999-09:30"]
    found = plain_instants(texts)
    assert found is not None
    assert found.tolist() == parse_instants(texts)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["2024-03-01"],
        ["2024-03-01T10:15:00", "2024-03-01T10:15:0Z"],
        ["2024-03-01T10:15:00", "2024-03-01 10:15:00"],
        ["2024-03-01T10:15:00", "2024-03-01T10:15:é0"],
        ["2024-03-01T10:15:00+02:00", "2024-03-01T10:15:00*02:00"],
        ["2024-03-01T10:15:00", "2024-03-01T10:1:500"],
        ["2024-03-01T10:15:00", "2024-03-01T10:15:00.123"],
    ],
)
def test_other_forms_are_left_to_the_slow_way(texts: list[str]) -> None:
    """Texts of several forms, or of another one, are not read here."""
    assert plain_instants(texts) is None
