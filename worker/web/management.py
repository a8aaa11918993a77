"""Services over HTTP: what ``rtml service`` does, from any program."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from aiohttp import web

from worker.errors import ConfigError, TransportError
from worker.graph.plan import Plan
from worker.graph.spec import GraphSpec, parse
from worker.models.store.store import Store
from worker.services import deploy
from worker.services.document import self_contained
from worker.services.journal import Journal
from worker.services.listing import described, version_described
from worker.services.outcome import Outcome
from worker.web.answers import JSON, Refusal, answer
from worker.web.body import read_body
from worker.web.catalogue import Catalogue, find
from worker.web.events import MALFORMED, malformed
from worker.web.limits import Limits
from worker.web.routes import Route
from worker.web.scoring import described as described_here

WAIT_S = 30.0
_GRAPH = {"type": "object", "description": "A graph file as JSON; models as name@version"}
_FAILURES = {
    400: "The graph or the request is refused; every problem is listed",
    401: "The token is missing or wrong",
    403: "A token is needed and none is set, or a page of another site asks",
    404: "There is no such service; the nearest id is named",
    409: "The worker serves no location, or the id is taken",
    429: "Too many wrong tokens",
    500: "Something that is not to be; the worker's log says what",
    503: "Kafka or the model store cannot be reached",
}
_CHOSEN = {"id": "Of the service", "location": "By default that of this worker"}
_CHANGED = {200: "Every worker of the location did it", 202: "Written down; not done yet"}
_OF_BODIES = {
    408: "The body did not arrive in time",
    413: "Too many bytes",
    415: "The body is of another type",
}


class Place(Protocol):
    """The location that this worker serves."""

    name: str
    journal: Journal | None
    store: Store


class Management:
    """Changes what the registry wants; answers once the workers have taken it."""

    def __init__(
        self, place: Callable[[], Place | None], catalogue: Catalogue, limits: Limits
    ) -> None:
        """``place``: None where the worker serves graphs that were given at its start."""
        self._place, self._catalogue, self._limits = place, catalogue, limits

    def routes(self) -> list[Route]:
        """All of them need a token beyond loopback."""
        one = "/services/{id}"
        graph = {JSON: _GRAPH}
        version = {JSON: {"type": "object", "properties": {"version": {"type": "integer"}}}}
        return [
            self._route(
                "GET", "/locations/{location}/services", self._list, "What is published", "Listed"
            ),
            self._route(
                "POST", "/services", self._publish, "Publish a graph", bodies=graph, query=_CHOSEN
            ),
            self._route("GET", one, self._show, "A service and its versions", "Shown"),
            self._route("PUT", one, self._update, "Serve another graph", bodies=graph),
            self._route("DELETE", one, self._delete, "Take a service away"),
            self._route(
                "POST",
                f"{one}/rollback",
                self._rollback,
                "Serve an earlier version; by default the one before",
                bodies=version,
                needs_body=False,
            ),
            self._route("POST", f"{one}/pause", self._pause, "Stop scoring"),
            self._route(
                "POST",
                f"{one}/resume",
                self._resume,
                "Go on scoring",
                "Resumed",
                alone=self._resume_alone,
            ),
        ]

    def _route(
        self,
        method: str,
        path: str,
        act: Callable[[web.Request, Place, Journal], Awaitable[web.Response]],
        summary: str,
        schema: str = "Published",
        *,
        alone: Callable[[web.Request], web.Response] | None = None,
        **rest: Any,
    ) -> Route:
        """``alone`` answers where the worker serves no location; ``rest``: more of the `Route`."""

        async def handler(request: web.Request) -> web.Response:
            place = self._place()
            if place is None:
                if alone is not None:
                    return alone(request)
                hint = "start a worker without graphs: rtml run --location NAME"
                raise Refusal(409, "this worker serves the graphs of its start only", hint=hint)
            if place.journal is None:
                raise Refusal(503, "the registry is not read yet", hint="try again")
            try:
                return await act(request, place, place.journal)
            except ConfigError as error:
                raise _refused(error, request, place.journal) from error
            except TransportError as error:
                raise Refusal(503, str(error), hint="try again") from error

        answers = {200: "As it is now"} if method == "GET" else _CHANGED
        answers = answers | _FAILURES | (_OF_BODIES if "bodies" in rest else {})
        return Route(method, path, handler, summary, answers, schema, guarded=True, **rest)

    async def _list(self, request: web.Request, _: Place, journal: Journal) -> web.Response:
        found = deploy.listed(journal, request.match_info["location"])
        services = [described(journal, outcome) for outcome in found]
        return answer({"services": services, "unreadable": journal.registry.unreadable})

    async def _publish(self, request: web.Request, place: Place, journal: Journal) -> web.Response:
        spec, plan = await self._graph(request, place)
        outcome = await deploy.publish(
            journal,
            spec,
            plan,
            location=request.query.get("location", place.name),
            service_id=request.query.get("id"),
            wait_s=WAIT_S,
        )
        return _told(journal, outcome)

    async def _update(self, request: web.Request, place: Place, journal: Journal) -> web.Response:
        journal.registry.find(request.match_info["id"])
        spec, plan = await self._graph(request, place)
        service_id = request.match_info["id"]
        return _told(journal, await deploy.update(journal, service_id, spec, plan, wait_s=WAIT_S))

    async def _graph(self, request: web.Request, place: Place) -> tuple[GraphSpec, Plan]:
        body = await read_body(request, self._limits)
        try:
            data = msgspec.json.decode(body.content)
        except MALFORMED as error:
            raise malformed(error) from error
        return await asyncio.to_thread(self_contained, parse(data), None, place.store)

    async def _show(self, request: web.Request, _: Place, journal: Journal) -> web.Response:
        outcome, versions = deploy.shown(journal, request.match_info["id"])
        listed = [version_described(version) for version in versions]
        return answer(described(journal, outcome) | {"versions": listed})

    async def _delete(self, request: web.Request, _: Place, journal: Journal) -> web.Response:
        service_id = request.match_info["id"]
        return _told(journal, await deploy.delete(journal, service_id, wait_s=WAIT_S))

    async def _rollback(self, request: web.Request, _: Place, journal: Journal) -> web.Response:
        body = await read_body(request, self._limits)
        try:
            asked = msgspec.json.decode(body.content or b"{}", type=dict[str, int])
        except MALFORMED as error:
            raise malformed(error, 'such as {"version": 1}') from error
        return _told(
            journal,
            await deploy.rollback(
                journal, request.match_info["id"], asked.get("version"), wait_s=WAIT_S
            ),
        )

    async def _pause(self, request: web.Request, _: Place, journal: Journal) -> web.Response:
        service_id = request.match_info["id"]
        return _told(journal, await deploy.want(journal, service_id, "paused", wait_s=WAIT_S))

    async def _resume(self, request: web.Request, _: Place, journal: Journal) -> web.Response:
        service_id = request.match_info["id"]
        return _told(journal, await deploy.want(journal, service_id, "running", wait_s=WAIT_S))

    def _resume_alone(self, request: web.Request) -> web.Response:
        """A graph that was given at the start cannot be paused, but trip."""
        wanted = request.match_info["id"]
        self._catalogue.resume(find(self._catalogue, wanted).id)
        return answer(described_here(find(self._catalogue, wanted)))


def _told(journal: Journal, outcome: Outcome) -> web.Response:
    return answer(described(journal, outcome), status=200 if outcome.reached else 202)


def _refused(error: ConfigError, request: web.Request, journal: Journal) -> Refusal:
    """404 for an unknown id, 409 for one that is taken, else 400 with every problem."""
    told = "; ".join(str(problem) for problem in error.problems)
    asked = request.match_info.get("id")
    if asked is not None and asked not in journal.registry.services:
        return Refusal(404, told, hint="rtml service list")
    if "there is a service of that id" in told:
        return Refusal(409, told)
    return Refusal(400, told)
