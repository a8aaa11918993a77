"""The page for people, and the counting of requests."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from tests.web.support import Client, Shelf, example, served, serving
from worker.web.catalogue import SERVING

REGISTRY = CollectorRegistry()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A server with one service."""
    with serving(Shelf.of(served(example("digits"))), registry=REGISTRY) as asked:
        yield asked


def test_the_page_needs_nothing_from_elsewhere(client: Client) -> None:
    """Self-contained: no address but our own routes."""
    found = client.ask("GET", "/")
    assert (found.status, found.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    text = found.body.decode()
    assert re.findall(r'(?:src=|href=|fetch\()"(?!/)', text) == []
    assert "//" not in text.replace("<!doctype", "")
    assert set(re.findall(r'href="(/[^"]*)"', text)) == {"/metrics", "/services", "/openapi.json"}


def test_the_page_may_run_nothing_but_itself(client: Client) -> None:
    """The policy names the digest of each inline block, and asks are for this server only."""
    found = client.ask("GET", "/")
    policy = found.headers["Content-Security-Policy"]
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", found.body.decode(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_writes_text_only(client: Client) -> None:
    """Names of services never become markup, and the state that it marks is ours."""
    text = client.ask("GET", "/").body.decode()
    assert re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text) == []
    assert f'service.state === "{SERVING}"' in text


def test_every_answer_forbids_guessing(client: Client) -> None:
    """No sniffing, no caching, no word about the software's version."""
    for path in ("/", "/services", "/metrics", "/nothing"):
        headers = client.ask("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert (headers["Cache-Control"], headers["Server"]) == ("no-store", "rtml")


def test_requests_are_counted_by_route() -> None:
    """By the route's pattern and the status; paths that nobody serves share one label."""
    registry = CollectorRegistry()
    with serving(Shelf.of(served(example("digits"))), registry=registry) as client:
        client.score("digits", b"{}")
        client.score("digits", b"{}")
        client.score("nobody", b"{}")
        client.ask("GET", "/a")
        client.ask("GET", "/b")
        client.ask("DELETE", "/services")
        client.ask("GET", "/services", headers={"Host": "evil.example"})
    score = "/services/{id}/score"
    counted = {
        (score, "200"): 2,
        (score, "404"): 1,
        ("other", "404"): 2,
        ("other", "405"): 1,
        ("/services", "421"): 1,
    }
    samples = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "rtml_http_requests_total"
    }
    assert samples == counted
    labels = {"route": score}
    assert registry.get_sample_value("rtml_http_request_duration_seconds_count", labels) == 3
