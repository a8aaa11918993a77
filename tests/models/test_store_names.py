"""Names of models, versions and aliases."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.models.store.names import is_reference, parse, wrong

PLAIN = st.text(st.sampled_from("abcXYZ019_.-"), min_size=1, max_size=128)


@given(st.text())
def test_what_is_a_name_is_one_part_of_a_path(text: str) -> None:
    """No name that passes leads anywhere else, is hidden, or holds a second reference."""
    if not wrong("name", text, "model"):
        assert PurePosixPath("models", text).parts == ("models", text)
        assert not text.startswith((".", "-"))
        assert "@" not in text
        assert len(text) <= 128


@given(PLAIN, PLAIN)
def test_a_reference_is_read_as_it_is_written(name: str, revision: str) -> None:
    """``name@revision`` in its parts, or a problem for each that is wrong."""
    reference, problems = parse(f"{name}@{revision}")
    assert (reference.name, reference.revision) == (name, revision)
    bad = [bool(wrong("", part, "")) for part in (name, revision)]
    assert [p.path for p in problems] == [
        path for path, is_bad in zip(("name", "revision"), bad, strict=True) if is_bad
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fraud@1", True),
        ("fraud@champion", True),
        ("fraud@2026-01-01", True),
        ("Bad Name@1", True),
        ("lr.onnx", False),
        ("lr@2.onnx", False),
        ("models/fraud@1", False),
        ("fraud", False),
    ],
)
def test_a_file_and_a_reference_are_told_apart(text: str, expected: bool) -> None:
    """By the text alone: what ends as a file or has a folder is one."""
    assert is_reference(text) is expected
