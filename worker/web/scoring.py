"""``GET /services`` and ``POST /services/{id}/score``: the graphs of this worker over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from worker.codec.outcome import Drop, Scored
from worker.graph.plan import Plan
from worker.web.answers import JSON, answer, raw
from worker.web.body import COLUMNS, Body, read_body
from worker.web.catalogue import Catalogue, Served, find
from worker.web.events import split, split_columns
from worker.web.limits import Limits
from worker.web.routes import Route
from worker.web.scorer import Job, Outcome, Scorer

PATH = "/services/{id}/score"
FAILURES = {
    400: "The body is no JSON, or neither an event nor a list",
    401: "The token is missing or wrong",
    403: "A token is needed and none is set, or a page of another site asks",
    404: "There is no such service; the nearest id is named",
    408: "The body did not arrive in time",
    413: "Too many bytes or events",
    415: "The body is of another type",
    429: "Too many wrong tokens",
    503: "Too many requests wait; come again",
    504: "Not scored in time",
}


class Scoring:
    """Lists what is served, and scores events as the stream does."""

    def __init__(self, catalogue: Catalogue, scorer: Scorer, limits: Limits) -> None:
        self._catalogue, self._scorer, self._limits = catalogue, scorer, limits

    def routes(self) -> list[Route]:
        """The two routes."""
        event = {"type": "object"}
        either = {"oneOf": [event, {"type": "array", "items": event}]}
        columns = {"type": "object", "additionalProperties": {"type": "object"}}
        return [
            Route("GET", "/services", self._list, "What is served", {200: "All"}, "Services"),
            Route(
                "POST",
                PATH,
                self._score,
                "Score one event or a list of events",
                {200: "What became of each event, in their order", **FAILURES},
                "Outcomes",
                bodies={JSON: either, COLUMNS: columns},
                guarded=True,
            ),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        return answer({"services": [described(one) for one in self._catalogue.served().values()]})

    async def _score(self, request: web.Request) -> web.Response:
        served = find(self._catalogue, request.match_info["id"])
        body = await read_body(request, self._limits, (JSON, COLUMNS))
        found = await self._scorer.run(partial(_scored, served.plan, body, self._limits.events))
        return raw(found, headers=lineage(served))


def lineage(served: Served) -> dict[str, str]:
    """The headers that a scored record carries, as far as they are plain."""
    return {"rtml-service": served.id, "rtml-graph": served.plan.digest[:12]}


def _scored(plan: Plan, body: Body, most: int, job: Job) -> bytes:
    single = False
    if body.kind == COLUMNS:
        values = split_columns(body.content, plan.schema, most)
    else:
        values, single = split(body.content, most)
    told = rendered(job.score(plan, values), merge=plan.spec.sink.into == "merge")
    return told[0] if single else b"[" + b",".join(told) + b"]"


def rendered(outcomes: Iterable[Outcome], *, merge: bool) -> list[bytes]:
    """Each outcome as JSON; the scored bytes stand in it as they are."""
    return [_rendered(outcome, b"event" if merge else b"fields") for outcome in outcomes]


def _rendered(outcome: Outcome, key: bytes) -> bytes:
    if isinstance(outcome, Scored):
        topic = b""
        if outcome.topic is not None:
            topic = b'"topic":%b,' % msgspec.json.encode(outcome.topic)
        return b'{"status":"scored",%b"%b":%b}' % (topic, key, outcome.value)
    told: dict[str, Any] = {"node": outcome.node or None}
    if isinstance(outcome, Drop):
        told = {"status": "dropped", "reason": outcome.reason} | told
    else:
        told = {"status": "rejected"} | told | {"stage": outcome.stage, "error": outcome.error}
        told["message"] = outcome.message
    return msgspec.json.encode(told)


def described(served: Served) -> dict[str, Any]:
    """One service, for programs and the page."""
    plan, spec = served.plan, served.plan.spec
    return {
        "id": served.id,
        "name": served.name,
        "description": spec.description,
        "version": served.version,
        "state": served.state,
        "problem": served.problem,
        "source": {"topic": spec.source.topic},
        "sink": {"topics": list(plan.topics), "into": spec.sink.into},
        "dead_letter": {"topic": spec.dead_letter_topic},
        "fields": {name: str(kind) for name, kind in plan.fields.items()},
        "models": [{"name": name, "sha256": sha} for name, sha in plan.models.items()],
        "graph": plan.digest,
    }
