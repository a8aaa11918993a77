"""Counts requests: by route, never by path, so that nobody can make up labels."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from worker.stream.histogram import SECONDS, Histogram

OTHER = "other"
"""Label of what matches no route."""
_SECONDS = SECONDS[1:]


class RequestMeter:
    """``rtml_http_requests_total`` and ``rtml_http_request_duration_seconds``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "rtml_http_requests", "HTTP requests answered", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "rtml_http_request_duration_seconds",
            "From the request's head to its answer",
            ["route"],
            _SECONDS,
            registry,
        )

    def answered(self, request: web.Request, status: int, seconds: float) -> None:
        """One request is answered."""
        resource = request.match_info.route.resource
        route = OTHER if resource is None else resource.canonical
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
