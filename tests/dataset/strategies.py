"""Events that look like those of real data sets, generated."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=6
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.sampled_from(
    ["2026-01-01T00:00:00Z", "2026-03-04T05:06:07.25+02:00", "0000-01-01T00:00:00Z"]
)
ANY: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, TEXT, TIMES),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
EVENTS = st.lists(st.dictionaries(NAMES, ANY, max_size=4), min_size=1, max_size=8)
"""Anything goes: each event has its own fields, and a field its own type in each event."""


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Events with the same nested fields of one type each, any of them missing; no empty text."""
    plain = {
        "integer": INTEGERS,
        "number": NUMBERS.filter(lambda x: x != 0 or str(x) == "0.0"),
        "boolean": st.booleans(),
        "string": TEXT.filter(bool),
        "time": TIMES,
        "vector": st.lists(NUMBERS, min_size=3, max_size=3),
        "texts": st.lists(TEXT, min_size=1, max_size=3),
    }
    fields = draw(
        st.dictionaries(NAMES.map(str.strip).filter(bool), st.sampled_from(list(plain)), max_size=4)
    )
    nested = draw(
        st.dictionaries(
            st.sampled_from(["a", "b c", "d.e", "/f"]), st.sampled_from(list(plain)), max_size=3
        )
    )
    rows = draw(st.integers(1, 6))
    events = []
    for i in range(rows):
        event: dict[str, Any] = {"id": i}
        for name, kind in fields.items():
            if name not in ("id", "user") and draw(st.booleans()):
                event[name] = draw(plain[kind])
        user = {name: draw(plain[kind]) for name, kind in nested.items() if draw(st.booleans())}
        if user:
            event["user"] = user
        events.append(event)
    return events
