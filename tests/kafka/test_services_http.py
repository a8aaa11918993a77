"""A service's whole life over HTTP, at a worker that scores its events."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.kafka.client import produce
from tests.kafka.service import make_service
from tests.kafka.site import Site
from tests.kafka.verdict import events, judge
from tests.web.support import Answer, Client


def test_all_routes(kafka: str, tmp_path: Path) -> None:
    """Published, updated, rolled back, paused, resumed and deleted: done when it answers."""
    service = make_service(kafka, tmp_path)
    sent = events(200)
    with Site(kafka, tmp_path) as site:
        spec, _ = site.document(service.graph)
        graph = spec.model_dump(mode="json", by_alias=True)
        ask = asking(site.worker().http_port)
        path = f"/services/{service.name}"

        made = ask("POST", f"/services?id={service.name}", graph)
        assert brief(made) == (200, 1, "running", ["serving"])
        assert brief(ask("PUT", path, graph)) == (200, 2, "running", ["serving"])
        assert brief(ask("POST", f"{path}/rollback")) == (200, 1, "running", ["serving"])
        found = ask("POST", f"{path}/rollback", {"version": 2})
        assert brief(found) == (200, 2, "running", ["serving"])
        assert brief(ask("POST", f"{path}/pause")) == (200, 2, "paused", ["paused"])
        produce(kafka, service.source, sent)
        assert service.scored() == []
        assert brief(ask("POST", f"{path}/resume")) == (200, 2, "running", ["serving"])
        service.settled()
        scored = ask("POST", f"{path}/score", {"f0": 1.0, "f1": 2.0})
        assert scored.headers["rtml-service"] == service.name
        assert ask("DELETE", path).status == 200
        assert ask("GET", path).status == 404
    assert judge(sent, service.scored()).lost == 0


def asking(port: int) -> Callable[..., Answer]:
    """Asks a worker, with data as JSON."""
    client = Client(port, None)  # type: ignore[arg-type]  # it runs in another process

    def ask(method: str, path: str, data: Any = None) -> Answer:
        return client.ask(method, path, None if data is None else json.dumps(data).encode())

    return ask


def brief(answer: Answer) -> tuple[int, int, str, list[str]]:
    """Status, version, what is wanted, and what the workers say."""
    told = answer.json
    return answer.status, told["version"], told["wanted"], [one["state"] for one in told["workers"]]
