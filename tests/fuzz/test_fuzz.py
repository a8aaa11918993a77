"""What others wrote is read without harm; every input that was found keeps its outcome."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.long


@pytest.mark.parametrize("name", TARGETS)
def test_each_target_has_a_corpus(name: str) -> None:
    """Of many outcomes, none of them twice."""
    outcomes = [entry["outcome"] for entry in corpus.load(name)]
    assert len(outcomes) == len(set(outcomes)) >= 5


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_keeps_its_outcome(name: str) -> None:
    """Read or refused, by the same error; `python -m tests.fuzz` looks for more."""
    target, found = TARGETS[name], corpus.load(name)
    outcomes = [target.kind(target.run(target.unpack(entry["input"]))) for entry in found]
    assert outcomes == [target.kind(entry["outcome"]) for entry in found]


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60)
@given(data=st.data())
def test_nothing_else_is_raised(name: str, data: st.DataObject) -> None:
    """Any input has an outcome."""
    target = TARGETS[name]
    one: Any = data.draw(target.inputs)
    assert target.run(one) is not None
