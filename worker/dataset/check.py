"""Checks events against a JSON Schema (draft 2020-12): every reason why one does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs
import msgspec

from worker.dataset.rows import Row
from worker.dataset.shape import shape_of
from worker.errors import ConfigError, Problem
from worker.files import open_file

DRAFT = "https://json-schema.org/draft/2020-12/schema"
MAX_NESTING = 256
"""Deeper events could exhaust the validator's stack, which ends the process."""
MAX_REASONS = 20
"""Of one row."""
_MAX_MESSAGE = 300
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row does not fit.

    Attributes:
        path: of the value, as JSONPath (RFC 9535): ``$.user.tags[0]``.
        rule: the keyword of the schema that it breaks, or why the row cannot be read.
        message: for people.
    """

    path: str
    rule: str
    message: str


class Checker:
    """A JSON Schema, compiled once; ``format`` is asserted, other documents are not fetched.

    Attributes:
        shape: of the events that fit.
    """

    def __init__(self, schema: Any, name: str = "") -> None:
        """Compiles a schema.

        Args:
            schema: the decoded document; without ``$schema`` it is read as draft 2020-12.
            name: of its file, for messages.

        Raises:
            ConfigError: everything in it that is no JSON Schema.
        """
        try:
            problems = [
                Problem(json_path(error.instance_path), _short(error.message), name)
                for error in islice(_meta_errors(schema), MAX_REASONS)
            ]
            if problems:
                raise ConfigError(dict.fromkeys(problems))
            self._validator = jsonschema_rs.validator_for(
                schema, validate_formats=True, retriever=_refuse
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            path = json_path(getattr(error, "instance_path", ()))
            message = getattr(error, "message", str(error))
            raise ConfigError(Problem(path, _short(message), name)) from error
        except (ValueError, RecursionError) as error:
            raise ConfigError(
                Problem("", f"is no JSON Schema: {_short(str(error))}", name)
            ) from error
        self.shape = shape_of(schema)

    def reasons(self, event: Any) -> list[Reason]:
        """Why an event does not fit, at most `MAX_REASONS`; empty where it does."""
        if self._validator.is_valid(event):
            return []
        found = islice(self._validator.iter_errors(event), MAX_REASONS)
        return [
            Reason(json_path(one.instance_path), str(one.schema_path[-1]), _short(one.message))
            if one.schema_path
            else Reason("$", "false", _short(one.message))
            for one in found
        ]


def _meta_errors(schema: Any) -> Iterator[jsonschema_rs.ValidationError]:
    """Everything in which a schema of draft 2020-12 is none; compiling tells the first only."""
    if not isinstance(schema, dict) or schema.get("$schema", DRAFT) == DRAFT:
        yield from jsonschema_rs.Draft202012Validator({"$ref": DRAFT}).iter_errors(schema)


def parsed(row: Row) -> tuple[Any, list[Reason]]:
    """The event of a row, or the reason why there is none."""
    if row.fault is not None:
        return None, [Reason("$", row.fault.error, row.fault.message)]
    try:
        event = _decode(row.value)
        if _too_deep(row.value, event):
            return None, [Reason("$", "depth", f"nested deeper than {MAX_NESTING}")]
        return event, []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return None, [Reason("$", "json", f"no JSON: {_short(str(error))}")]


def _too_deep(value: bytes, event: Any) -> bool:
    if value.count(b"{") + value.count(b"[") <= MAX_NESTING:
        return False
    level = [event]
    for _ in range(MAX_NESTING):
        inner = (
            one.values() if isinstance(one, dict) else one
            for one in level
            if isinstance(one, (dict, list))
        )
        level = [item for items in inner for item in items]
    return any(isinstance(one, (dict, list)) for one in level)


def load_schema(path: Path) -> Checker:
    """The JSON Schema in a file.

    Raises:
        ConfigError: it cannot be read, or is no JSON Schema.
    """
    try:
        with open_file(path) as file:
            text = file.read()
        schema = _decode(text)
        if _too_deep(text, schema):
            raise ConfigError(Problem("", f"is nested deeper than {MAX_NESTING}", str(path)))
        return Checker(schema, str(path))
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise ConfigError(Problem("", message, str(path))) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(Problem("", f"is no JSON: {_short(str(error))}", str(path))) from error


def reject_line(place: dict[str, int], reasons: Iterable[Reason], value: bytes) -> bytes:
    """A JSON line about a row that does not fit, with the row as it was read.

    Args:
        place: where it stands: its ``row``, or ``partition`` and ``offset``.
        reasons: why.
        value: the row; bytes that are no UTF-8 are escaped.
    """
    listed = [{"path": one.path, "rule": one.rule, "message": one.message} for one in reasons]
    text = value.decode("utf-8", "backslashreplace")
    return msgspec.json.encode({**place, "reasons": listed, "value": text}) + b"\n"


def json_path(parts: Iterable[str | int]) -> str:
    """``$.user['first name'][0]``."""
    return "$" + "".join(_parts(parts))


def _parts(parts: Iterable[str | int]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, int):
            yield f"[{part}]"
        elif _NAME.fullmatch(part):
            yield f".{part}"
        else:
            yield "['" + part.replace("\\", "\\\\").replace("'", "\\'") + "']"


def _refuse(address: str) -> NoReturn:
    raise ValueError(f"other documents such as {address} are not fetched; put it under $defs")


def _short(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 3] + "..."


_decode = msgspec.json.decode
