"""Scores over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from worker.authoring.plain import Plain
from worker.errors import ConfigError, Problem, TransportError
from worker.graph.payload import flat, is_table

TIMEOUT_S = 30.0
_EVENTS = "application/json"
_COLUMNS = "application/vnd.rtml.columns+json"
_SCORE = "/score"


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, what it is, and whether it is one event that is to be answered alone."""

    content: bytes
    kind: str
    one: bool = False


def as_body(data: Any) -> Body:
    """Events, or columns, as the worker takes them; what is missing becomes null.

    Events with dotted names (``_tenant.age``) are sent as columns: the worker knows which of them
    are paths.

    Raises:
        ConfigError: they are neither, or hold what JSON cannot.
    """
    if isinstance(data, (str, bytes)):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ConfigError(Problem("scoring_data", f"is no JSON: {error}")) from error
    is_frame = hasattr(data, "to_dict") and hasattr(data, "columns")
    if is_frame:
        data = data.reset_index(drop=True).to_dict()
    plain = Plain(infinite=False)
    made = plain(data)
    if plain.problems:
        raise ConfigError(problem.within("scoring_data") for problem in plain.problems)
    if not isinstance(made, (dict, list)):
        message = "must be columns, {column: {row: value}}, a DataFrame or a list of events"
        raise ConfigError(Problem("scoring_data", message))
    if isinstance(made, dict) and (is_frame or is_table(made)):
        return Body(json.dumps(made).encode(), _COLUMNS)
    events = [made] if isinstance(made, dict) else made
    if any("." in name for event in events if isinstance(event, dict) for name in event):
        content = json.dumps(_columns_of(events)).encode()
        return Body(content, _COLUMNS, one=isinstance(made, dict))
    return Body(json.dumps(made).encode(), _EVENTS)


def _columns_of(events: list[Any]) -> dict[str, dict[str, Any]]:
    """Events as ``{column: {row: value}}``; what an event does not have stays away."""
    columns: dict[str, dict[str, Any]] = {}
    wrong = [i for i, event in enumerate(events) if not isinstance(event, dict)]
    if wrong:
        raise ConfigError(Problem(f"scoring_data[{i}]", "is no event") for i in wrong)
    try:
        rows = [flat(event) for event in events]
    except ConfigError as error:
        raise ConfigError(replace(p, path="scoring_data") for p in error.problems) from error
    first = next(name for row in rows for name in row)
    for i, row in enumerate(rows):
        for name, value in (row or {first: None}).items():
            columns.setdefault(name, {})[str(i)] = value
    return columns


async def post(edge_location: str, service_id: str, body: Body, token: str | None) -> Any:
    """The worker's answer.

    Raises:
        ConfigError: the worker refuses the request; its reason and its hint.
        TransportError: it cannot be reached.
    """
    address, _, named = edge_location.rstrip("/").removesuffix(_SCORE).partition("/services/")
    if named and named != service_id:
        message = f"is of the service '{named}', not of '{service_id}'"
        raise ConfigError(Problem("edge_location", message))
    if not address.startswith(("http://", "https://")):
        message = f"'{edge_location}' is no URL; give what publish_to_edge returned"
        raise ConfigError(Problem("edge_location", message))
    url = f"{address}/services/{service_id}{_SCORE}"
    headers = {"Content-Type": body.kind}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body.content, headers=headers) as answer,
        ):
            text = await answer.text()
            if answer.status >= 400:
                raise ConfigError(Problem(f"HTTP {answer.status}", _reason(text)))
            found = json.loads(text)
            return found[0] if body.one else found
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise TransportError(f"cannot reach {url}: {why}", retriable=True) from error


def _reason(text: str) -> str:
    try:
        told = json.loads(text)
        return "; ".join(str(told[key]) for key in ("error", "hint") if key in told)
    except (ValueError, TypeError):
        return text[:200]
