"""The Open Inference Protocol, version 2: a service is a model, its event fields are the inputs.

Source: github.com/kserve/open-inference-protocol, ``specification/protocol/inference_rest.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from worker import __version__
from worker.batch import ColumnType
from worker.codec.outcome import Drop, Scored
from worker.errors import nearest
from worker.graph.plan import Plan
from worker.web import tensors
from worker.web.answers import JSON, Refusal, answer, raw
from worker.web.body import read_body
from worker.web.catalogue import SERVING, Catalogue, Served, find
from worker.web.limits import Limits
from worker.web.routes import Route
from worker.web.scorer import Job, Outcome, Scorer
from worker.web.scoring import FAILURES, lineage

PLATFORM = "rtml_graph"
_MODELS = ("/v2/models/{name}", "/v2/models/{name}/versions/{version}")
_NONE = {404: "There is no such model or version"}
_SHOWN = 8


class OpenInference:
    """Metadata and inference of the services of this worker."""

    def __init__(self, catalogue: Catalogue, scorer: Scorer, limits: Limits) -> None:
        self._catalogue, self._scorer, self._limits = catalogue, scorer, limits

    def routes(self) -> list[Route]:
        """All routes but those of the server's health."""
        found = [Route("GET", "/v2", self._server, "This server", {200: "Its name"}, "Server")]
        for path in _MODELS:
            found += [
                Route(
                    "GET", path, self._model, "Inputs and outputs", {200: "Both"} | _NONE, "Model"
                ),
                Route(
                    "GET",
                    f"{path}/ready",
                    self._ready,
                    "Whether the model serves",
                    {200: "It does", 503: "It does not"} | _NONE,
                    "ModelReady",
                    own={503},
                ),
                Route(
                    "POST",
                    f"{path}/infer",
                    self._infer,
                    "Inference on tensors",
                    {200: "The outputs", **FAILURES, **_NONE},
                    "InferenceAnswer",
                    bodies={JSON: {"$ref": "#/components/schemas/InferenceRequest"}},
                    guarded=True,
                ),
            ]
        return found

    async def _server(self, _: web.Request) -> web.Response:
        return answer({"name": "rtml", "version": __version__, "extensions": []})

    async def _model(self, request: web.Request) -> web.Response:
        served = self._found(request)
        plan = served.plan
        return answer(
            {
                "name": request.match_info["name"],
                "versions": [] if served.version is None else [str(served.version)],
                "platform": PLATFORM,
                "inputs": tensors.described(plan.schema.columns),
                "outputs": tensors.described(plan.fields),
            }
        )

    async def _ready(self, request: web.Request) -> web.Response:
        ready = self._found(request).state == SERVING
        told = {"name": request.match_info["name"], "ready": ready}
        return answer(told, status=200 if ready else 503)

    async def _infer(self, request: web.Request) -> web.Response:
        served = self._found(request)
        body = await read_body(request, self._limits)
        head: dict[str, Any] = {"model_name": request.match_info["name"]}
        if served.version is not None:
            head["model_version"] = str(served.version)
        work = partial(_inferred, served.plan, body.content, head, self._limits.events)
        return raw(await self._scorer.run(work), headers=lineage(served))

    def _found(self, request: web.Request) -> Served:
        served = find(self._catalogue, request.match_info["name"])
        wanted = request.match_info.get("version")
        if wanted is not None and wanted != str(served.version):
            known = "none" if served.version is None else str(served.version)
            raise Refusal(404, f"no version '{wanted[:64]}' is served; the version is {known}")
        return served


def _inferred(plan: Plan, body: bytes, head: dict[str, Any], most: int, job: Job) -> bytes:
    request = tensors.parsed(body)
    fields = _wanted(request, plan.fields)
    outcomes = job.score(plan, tensors.events(request.inputs, plan.schema, most))
    scored = [outcome.value for outcome in outcomes if isinstance(outcome, Scored)]
    if len(scored) < len(outcomes):
        raise Refusal(400, _unscored(outcomes), hint="POST /services/{id}/score answers per event")
    if request.id is not None:
        head = head | {"id": request.id}
    return b'%b,"outputs":%b}' % (msgspec.json.encode(head)[:-1], tensors.tensors(scored, fields))


def _wanted(
    request: tensors.Inference, fields: Mapping[str, ColumnType]
) -> Mapping[str, ColumnType]:
    if not request.outputs:
        return fields
    names = dict.fromkeys(output.name for output in request.outputs)
    unknown = [f"no output '{name}'{nearest(name, fields)}" for name in names if name not in fields]
    if unknown:
        raise Refusal(400, "; ".join(unknown[:_SHOWN]))
    return {name: fields[name] for name in names}


def _unscored(outcomes: list[Outcome]) -> str:
    """The protocol knows no result per event: one that is not scored fails the request."""
    told: list[str] = []
    for i, outcome in enumerate(outcomes):
        if isinstance(outcome, Scored) or len(told) == _SHOWN:
            continue
        place = f"event {i}" + (f" at node '{outcome.node}'" if outcome.node else "")
        if isinstance(outcome, Drop):
            told.append(f"{place} is dropped: {outcome.reason}")
        else:
            told.append(f"{place} is rejected: {outcome.error}: {outcome.message}")
    return "; ".join(told)
