"""Checking events against a JSON Schema, and what is wrong with a schema itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from worker.dataset.check import (
    MAX_NESTING,
    MAX_REASONS,
    Checker,
    Reason,
    load_schema,
    parsed,
    reject_line,
)
from worker.dataset.rows import Row
from worker.errors import ConfigError

SCHEMA = {
    "type": "object",
    "required": ["_tenant"],
    "properties": {
        "_tenant": {
            "type": "object",
            "required": ["ecid"],
            "properties": {"ecid": {"type": "string"}, "tags": {"items": {"type": "integer"}}},
        },
        "first name": {"type": "string", "format": "date-time"},
    },
}


def test_every_reason_has_its_place() -> None:
    """All at once, each with the JSONPath of the value and the keyword that it breaks."""
    found = Checker(SCHEMA).reasons({"_tenant": {"tags": [1, "x"]}, "first name": "now"})
    assert sorted(found, key=lambda one: one.path) == [
        Reason("$._tenant", "required", '"ecid" is a required property'),
        Reason("$._tenant.tags[1]", "type", '"x" is not of type "integer"'),
        Reason("$['first name']", "format", '"now" is not a "date-time"'),
    ]


def test_what_fits_has_no_reason() -> None:
    """Also what the schema does not name, and whole numbers of any size."""
    assert Checker(SCHEMA).reasons({"_tenant": {"ecid": "1", "tags": [2**70, 1.0]}, "x": 1}) == []


def test_reasons_are_bounded() -> None:
    """A long list of wrong items does not make a long line of rejects."""
    found = Checker({"items": {"type": "integer"}}).reasons(["x"] * 1_000)
    assert len(found) == MAX_REASONS


def test_an_event_may_be_nested_without_end() -> None:
    """What no validator can follow is a reason, not a crash."""
    checker = Checker({"properties": {"a": {"$ref": "#"}}, "additionalProperties": False})
    event, reasons = parsed(Row(1, b'{"a":' * MAX_NESTING + b"1" + b"}" * MAX_NESTING))
    assert (reasons, checker.reasons(event)) == ([], [])
    _, reasons = parsed(Row(1, b'{"a":' * 300 + b"1" + b"}" * 300))
    assert reasons == [Reason("$", "depth", "nested deeper than 256")]
    _, reasons = parsed(Row(1, b'{"a":' * 100_000))
    assert [one.rule for one in reasons] == ["json"]
    _, reasons = parsed(Row(1, b'{"a": [' + b"[1]," * 1_000 + b"[1]]}"))
    assert reasons == []


@pytest.mark.parametrize(
    "value", [b"", b"x", b"{", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\xff"}', b'{"\xff": 1}']
)
def test_what_is_no_json(value: bytes) -> None:
    """Is told as such."""
    _, reasons = parsed(Row(1, value))
    assert [(one.path, one.rule, one.message[:9]) for one in reasons] == [
        ("$", "json", "no JSON: ")
    ]


def test_a_reject_keeps_the_row() -> None:
    """Its number, each reason, and the row itself; odd bytes are escaped."""
    line = reject_line({"row": 7}, [Reason("$.a", "type", "is no number")], b'{"a":"\xff"}')
    assert json.loads(line) == {
        "row": 7,
        "reasons": [{"path": "$.a", "rule": "type", "message": "is no number"}],
        "value": '{"a":"\\xff"}',
    }


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            b'{"type": "objct", "properties": {"a": {"minimum": "x"}}}',
            ['f $.properties.a.minimum: "x" is not of type', 'f $.type: "objct" is not valid'],
        ),
        (b"5", ['f $: 5 is not of types "boolean", "object"']),
        (b'{"$ref": "#/$defs/no"}', ["f $: Pointer '/$defs/no' does not exist"]),
        (b'{"pattern": "("}', ['f $.pattern: "(" is not a "regex"']),
        (b'{"$schema": "http://x/y"}', ["f $: Unknown meta-schema: 'http://x/y'"]),
        (b"{", ["f is no JSON: "]),
        (b"\xff", ["f is no JSON: "]),
        (b"[" * 100_000, ["f is no JSON: "]),
        (b'{"not":' * 300 + b"{}" + b"}" * 300, ["f is nested deeper than 256"]),
        (b"", ["f is no JSON: "]),
    ],
)
def test_what_is_no_schema(text: bytes, problems: list[str], tmp_path: Path) -> None:
    """Refused with every problem and its place."""
    path = tmp_path / "f"
    path.write_bytes(text)
    with pytest.raises(ConfigError) as refused:
        load_schema(path)
    found = [str(one).replace(str(path), "f") for one in refused.value.problems]
    assert [one[: len(start)] for one, start in zip(found, problems, strict=True)] == problems


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/s", "file:///etc/hostname"])
def test_no_other_document_is_fetched(address: str) -> None:
    """A schema cannot make this machine open an address or a file."""
    with pytest.raises(ConfigError, match="are not fetched; put it under"):
        Checker({"$ref": address})


def test_a_schema_that_is_not_there(tmp_path: Path) -> None:
    """A missing file, and a folder."""
    for path, reason in ((tmp_path / "no", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=reason):
            load_schema(path)
