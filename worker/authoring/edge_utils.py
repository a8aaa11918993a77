"""EdgeUtils: graphs of a notebook as services of a location."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from worker.authoring.builder import GraphText
from worker.authoring.coroutines import run
from worker.authoring.listing import listed
from worker.authoring.scoring import as_body, post
from worker.authoring.stored import as_argument, open_store, settings
from worker.authoring.telling import deleted, show, told
from worker.errors import ConfigError, Problem
from worker.graph.asked import nearly_known, widened
from worker.graph.complete import Place, complete
from worker.graph.dsl import parse_dsl
from worker.graph.payload import without_payload
from worker.graph.plan import Plan
from worker.graph.spec import GraphSpec, parse
from worker.services import deploy
from worker.services.document import self_contained
from worker.services.journal import Journal
from worker.services.location import DEFAULT_LOCATION
from worker.services.outcome import Outcome

WAIT_S = 60.0
REACH_S = 10.0
PARTITIONS = 1
_NAME = "notebook"
T = TypeVar("T")
Published = tuple[GraphSpec, Plan]


class EdgeUtils:
    """Publishes, updates, lists, scores and deletes the services of a location.

    Each call returns when the workers are done; there is nothing to sleep for.
    """

    def __init__(
        self,
        brokers: str | None = None,
        location: str | None = None,
        token: str | None = None,
        model_store: str | None = None,
    ) -> None:
        """What is not given is taken from ``RTML_*`` variables.

        Raises:
            ConfigError: every setting that is wrong.
        """
        self._settings = settings(
            brokers=brokers, location=location, token=token, model_store=model_store
        )
        self._location = self._settings.location or DEFAULT_LOCATION

    def publish_to_edge(
        self,
        dsl: str | Mapping[str, Any],
        source: Place | None = None,
        sink: Place | None = None,
        schema: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        wait_s: float = WAIT_S,
    ) -> tuple[str, str]:
        """Makes a service of a graph and waits until every worker of the location serves it.

        Args:
            dsl: of `GraphBuilder.generate_dsl`.
            source: the topic of events; by default ``<service id>-events``. Topics are made.
            sink: the topic of scores; by default ``<service id>-scored``.
            schema: JSON Schema of events; by default derived from the graph, and printed.
            name: with which the service's id begins.
            wait_s: for the workers.

        Returns:
            The URL where it scores over HTTP (empty while no worker is there, which is printed),
            and the service's id.

        Raises:
            ConfigError: every problem of the graph.
            ModelError: a worker could not load it.
            TransportError: Kafka cannot be reached.
        """
        given = name or parse_dsl(dsl).rest.get("name") or _NAME
        service_id = deploy.new_id(str(given))
        document = complete(dsl, service_id, source, sink, schema)
        if schema is None:
            show(document)
        spec, plan = self._contained(document)

        async def use(journal: Journal) -> Outcome:
            await deploy.make_topics(self._settings, plan, PARTITIONS, REACH_S, lambda _: None)
            return await deploy.publish(
                journal,
                spec,
                plan,
                location=self._location,
                service_id=service_id,
                wait_s=wait_s,
            )

        return told(self._run(use)), service_id

    def update_deployment(
        self,
        dsl: str | Mapping[str, Any],
        service_id: str,
        source: Place | None = None,
        sink: Place | None = None,
        schema: Mapping[str, Any] | None = None,
        *,
        wait_s: float = WAIT_S,
    ) -> tuple[str, str, str]:
        """Serves another graph under the same id; until it is loaded, the present one is served.

        Topics stay as they are, and so does the schema: fields that only the new graph asks for are
        added to it, and it is printed. Where a field has another type now, all is derived.

        Returns:
            The URL, the service's id and the graph that is served now.

        Raises:
            ConfigError: there is no such service, or every problem of the graph.
            ModelError: a worker could not load it; the one before is still served.
            TransportError: Kafka cannot be reached.
        """
        present = self._run(lambda journal: _present(journal, service_id))
        spec, plan = self._changed(dsl, service_id, present, source, sink, schema)

        async def use(journal: Journal) -> Outcome:
            await deploy.make_topics(self._settings, plan, PARTITIONS, REACH_S, lambda _: None)
            return await deploy.update(journal, service_id, spec, plan, wait_s=wait_s)

        url = told(self._run(use))
        return url, service_id, GraphText(parse_dsl(dsl).text())

    def list_deployed_services(self) -> list[dict[str, Any]]:
        """The services of the location: what they are, and how each worker gets on with them.

        Raises:
            TransportError: Kafka cannot be reached.
        """
        return self._run(lambda journal: listed(journal, self._location))

    def delete_from_edge(self, service_id: str, *, wait_s: float = WAIT_S) -> bool:
        """Deletes a service; its workers drain it, and its offsets are kept.

        Returns:
            Whether there was such a service, and all of them are done with it; why not is printed.

        Raises:
            TransportError: Kafka cannot be reached.
        """
        return self._run(lambda journal: deleted(journal, service_id, wait_s))

    def score_edge(self, edge_location: str, service_id: str, scoring_data: Any) -> Any:
        """What a service says of events, over HTTP: the same scores as over the stream.

        Args:
            edge_location: as `publish_to_edge` gave it, or the address of a worker.
            service_id: of the service.
            scoring_data: ``{column: {row: value}}``, a DataFrame, a list of events, or JSON text.

        Returns:
            For each event ``{"status": "scored", "event": {...}}``, or why there is no score.

        Raises:
            ConfigError: the data are none of these, or the worker refuses them.
            TransportError: the worker cannot be reached.
        """
        if not edge_location:
            message = f"is empty: no worker serves '{service_id}'"
            raise ConfigError(Problem("edge_location", message))
        token = self._settings.token
        return run(
            lambda: post(
                edge_location,
                service_id,
                as_body(scoring_data),
                None if token is None else token.get_secret_value(),
            )
        )

    def _run(self, use: Callable[[Journal], Awaitable[T]]) -> T:
        async def opened() -> T:
            async with Journal(self._settings, REACH_S) as journal:
                return await use(journal)

        try:
            return run(opened)
        except ConfigError as error:
            raise ConfigError(as_argument(problem) for problem in error.problems) from error

    def _contained(self, document: Mapping[str, Any]) -> Published:
        store = open_store(self._settings.model_store)
        return self_contained(parse(without_payload(document)), None, store)

    def _changed(
        self,
        dsl: str | Mapping[str, Any],
        service_id: str,
        present: Mapping[str, Any],
        source: Place | None,
        sink: Place | None,
        schema: Mapping[str, Any] | None,
    ) -> Published:
        read = {**present["source"], **_place(source)}
        written = {**present["sink"], **_place(sink)}
        if schema is not None:
            return self._contained(complete(dsl, service_id, read, written, schema))
        known = present["source"]["schema"]
        try:
            return self._contained(complete(dsl, service_id, read, written, known))
        except ConfigError:
            del read["schema"]
            document = complete(dsl, service_id, read, written)
            if nearly_known(document["source"]["schema"], known):
                raise
        source = {**document["source"], "schema": widened(known, document["source"]["schema"])}
        wider = {**document, "source": source}
        try:
            found = self._contained(wider)
        except ConfigError:
            wider, found = document, self._contained(document)
        show(wider)
        return found


def _place(place: Place | None) -> dict[str, Any]:
    return {"topic": place} if isinstance(place, str) else dict(place or {})


async def _present(journal: Journal, service_id: str) -> dict[str, Any]:
    return journal.registry.version(journal.registry.find(service_id)).graph
