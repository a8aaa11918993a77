"""Text: YAML's words as JSON means them, JSON as it is, and the line of every problem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.errors import ConfigError, Problem
from worker.graph.text import MAX_DEPTH, MAX_TEXT_LENGTH, Document, read


def data(text: str) -> Any:
    """What the text holds."""
    return Document(text, "graph.yaml").data


def refusal(text: str) -> Problem:
    """The only problem of a text that is refused."""
    with pytest.raises(ConfigError) as caught:
        data(text)
    (problem,) = caught.value.problems
    assert problem.file == "graph.yaml"
    return problem


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *((word, word) for word in ("no", "No", "yes", "on", "off", "y", "n")),
        *((word, word) for word in ("True", "FALSE", "NULL", "Null", "None")),
        *((word, word) for word in ("12:30", "1:30:00", "0777", "010", "0o17", "0x1F", "0b1")),
        *((word, word) for word in ("1_000", "+1", ".5", "1.", ".inf", ".nan", "1e", "--1")),
        *((word, word) for word in ("2024-01-01", "2024-01-01T00:00:00Z", "=", "<<")),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-0", 0),
        ("12", 12),
        ("-7", -7),
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("1.5e+2", 150.0),
        ("-0.0", -0.0),
        ('"1"', "1"),
        ("'true'", "true"),
        ("9" * 30, int("9" * 30)),
    ],
)
def test_words_mean_what_they_mean_in_json(word: str, expected: Any) -> None:
    """YAML 1.1's booleans, octals, sexagesimals, dates and NaN are text here."""
    found = data(f"a: {word}")["a"]
    assert (type(found), found) == (type(expected), expected)


def test_keys_are_text() -> None:
    """A key is what is written, as in JSON."""
    keys = ["0", "true", "null", "1.0", "~", "no", "<<"]
    assert data("\n".join(f"{key}: 1" for key in keys)) == dict.fromkeys(keys, 1)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a: 1\nb: 2\na: 3", 3, "duplicate key 'a'"),
        ("a: {b: 1,\n b: 2}", 2, "duplicate key 'b'"),
        ('{"a": 1,\n"\\u0061": 2}', 2, "duplicate key 'a'"),
        ("1: 1\n'1': 2", 2, "duplicate key '1'"),
        ("a: &x 1\nb: *x", 1, "anchors and aliases"),
        ("a: 1\nb: *x", 2, "anchors and aliases"),
        ("a: &x [1]", 1, "anchors and aliases"),
        ("&x a: 1", 1, "anchors and aliases"),
        ("a: 1\nb: !!int 0x1F", 2, "tags"),
        ("a: !!str 1", 1, "tags"),
        ("a: !!binary aGk=", 1, "tags"),
        ("a: !!set {b}", 1, "tags"),
        ("a: !own 1", 1, "tags"),
        ("a: ! 1", 1, "tags"),
        ("!!str a: 1", 1, "tags"),
        ("!!python/object/apply:os.system [id]", 1, "tags"),
        ("a: !!python/name:os.system ''", 1, "tags"),
        ("? [a]\n: 1", 1, "a key must be a word"),
        ("? {a: 1}\n: 1", 1, "a key must be a word"),
        ("a: 1\n---\nb: 2", 2, "another document"),
        ('a: 1\nb: "x', 2, "unexpected end"),
        ("a: [1", 1, "expected ',' or ']'"),
        ("\ta: 1", 1, "cannot start any token"),
        ("a: 1\nb: 1e400", 2, "no float can hold"),
        ('a: 1\nb: "\\ud800"', 2, "surrogate"),
        ('{"\\udc00": 1}', 1, "surrogate"),
    ],
)
def test_what_is_refused_has_its_line(text: str, line: int, told: str) -> None:
    """Whatever is malformed, ambiguous or dangerous is one problem with its line."""
    problem = refusal(text)
    assert (problem.line, told in problem.message) == (line, True), problem.message


@pytest.mark.parametrize("text", ["a: b\x00c", "a: \x07", "a: \ud800", "a: " + "1" * 5000])
def test_what_the_reader_cannot_take_is_a_problem(text: str) -> None:
    """Control characters, lone surrogates and endless numbers are refused, not raised."""
    assert refusal(text).message


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        '{"a":' * 100_000,
        "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2),
    ],
)
def test_depth_is_bounded(text: str) -> None:
    """Deep nesting is refused at once, whatever it is made of."""
    assert refusal(text).message == f"nested deeper than {MAX_DEPTH}"


def test_depth_up_to_the_bound_is_read() -> None:
    """The bound itself is allowed."""
    assert data("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None


def test_length_is_bounded(tmp_path: Path) -> None:
    """A file of any size costs no more than the bound."""
    text = "#" * (MAX_TEXT_LENGTH + 1)
    path = tmp_path / "graph.yaml"
    path.write_text(text)
    assert "longer than" in refusal(text).message
    with pytest.raises(ConfigError, match="longer than"):
        read(path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), JSON)


@settings(max_examples=25)
@given(OBJECTS, st.sampled_from([None, 2, "\t"]))
def test_json_is_read_as_json(value: dict[str, Any], indent: Any) -> None:
    """Any JSON object, escaped and indented as json.dumps does, with tabs as well."""
    assert data(json.dumps(value, indent=indent)) == value


@settings(max_examples=15)
@given(OBJECTS)
def test_json_without_escapes_is_read_as_json(value: dict[str, Any]) -> None:
    """Text may stand as it is, where it has no character that YAML forbids."""
    text = json.dumps(value, ensure_ascii=False)
    forbidden = {*map(chr, range(0x80, 0xA0)), "\ufffe", "\uffff", "\ufeff"} - {"\x85"}
    if forbidden.isdisjoint(text):
        assert data(text) == value


def test_json_of_any_origin() -> None:
    """Tabs between tokens, surrogate pairs, escaped slashes, separators of lines in text."""
    text = '\t{\t"a"\t:\t"\\ud83d\\ude00\\/\u2028\x7f\\u0000",\r\n\t"b":[\t1,2\t]}'
    assert data(text) == {"a": "😀/\u2028\x7f\x00", "b": [1, 2]}


@settings(max_examples=100)
@given(
    st.text(
        st.sampled_from("ab01:-,[]{}\"'#&*!|>%@`?~ \n\t\\.e<=\x00\x85\ufeff\ud800😀"), max_size=30
    )
)
def test_any_text_is_data_or_problems(text: str) -> None:
    """Nothing but ConfigError leaves, and data are JSON's."""
    try:
        found = data(text)
    except ConfigError:
        return
    json.dumps(found, allow_nan=False).encode()


def test_empty_text_is_nothing() -> None:
    """A file without content is None, for whoever asked to complain about."""
    assert data("") is None
    assert data("# only a comment\n") is None


YAML = """\
name: g
nodes:
  - id: a
    params:
      columns: [x,
        y]
  - {id: b, type: T}
sink: {topic: t}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", 1),
        ("name", 1),
        ("nodes", 2),
        ("nodes[0]", 3),
        ("nodes[0].id", 3),
        ("nodes[0].params", 4),
        ("nodes[0].params.columns[1]", 6),
        ("nodes[0].params.columns[7]", 5),
        ("nodes[0].params.other.deep[3].x", 4),
        ("nodes[0].type", 3),
        ("nodes[1].type", 7),
        ("nodes[9].type", 2),
        ("sink.fields[0]", 8),
        ("source.topic", 1),
        ("nodes[0].params.columns[", 5),
        ("nodes[0].params.a]b[[c.d..[", 4),
        ("...", 1),
        ("[[[", 1),
    ],
)
def test_a_problem_has_the_line_of_its_path(path: str, line: int) -> None:
    """Or the line of the nearest place above it that is in the file."""
    problem = Document(YAML, "graph.yaml").locate(Problem(path, "wrong"))
    assert problem == Problem(path, "wrong", "graph.yaml", line)


@given(st.text(alphabet="ab.[]0", max_size=12))
def test_every_path_can_be_located(path: str) -> None:
    """Whatever names stand in a path, its line is found in the end."""
    assert Document(YAML, "f").locate(Problem(path, "wrong")).line is not None


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """Missing, a folder, or no UTF-8: the reason and the file."""
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: \xe9")
    for path, told in [
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "directory"),
        (latin, "not UTF-8"),
    ]:
        with pytest.raises(ConfigError) as caught:
            read(path)
        (problem,) = caught.value.problems
        assert problem.file == str(path)
        assert told in problem.message


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    """Editors that write one do no harm."""
    path = tmp_path / "graph.json"
    path.write_bytes(b'\xef\xbb\xbf{"a":\t1}')
    assert read(path).data == {"a": 1}
