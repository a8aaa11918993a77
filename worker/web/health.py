"""Liveness, readiness and metrics, for probes and Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from worker.web.answers import answer
from worker.web.routes import Route

Reasons = Callable[[], list[str]]

_LIVE = {200: "The process answers"}
_READY = {200: "Fit to serve", 503: "Not fit, and every reason"}


class Health:
    """What the worker says of itself; the same under the Open Inference Protocol's paths."""

    def __init__(self, registry: CollectorRegistry, reasons: Reasons) -> None:
        """``reasons`` says why the worker is unfit; empty if it is fit."""
        self._registry, self._reasons = registry, reasons

    def routes(self) -> list[Route]:
        """The five routes."""
        return [
            Route("GET", "/health/live", self._live, "Liveness", _LIVE, "Live"),
            Route("GET", "/health/ready", self._ready, "Readiness", _READY, "Ready", own={503}),
            Route(
                "GET",
                "/metrics",
                self._metrics,
                "Prometheus metrics",
                {200: "The text format"},
                media="text/plain",
            ),
            Route("GET", "/v2/health/live", self._live, "Liveness", _LIVE, "Live"),
            Route("GET", "/v2/health/ready", self._ready, "Readiness", _READY, "Ready", own={503}),
        ]

    async def _live(self, _: web.Request) -> web.Response:
        return answer({"live": True})

    async def _ready(self, _: web.Request) -> web.Response:
        reasons = self._reasons()
        status = 503 if reasons else 200
        return answer({"ready": not reasons, "reasons": reasons}, status=status)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
