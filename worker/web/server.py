"""The worker's own HTTP server: health, metrics, what is served, scoring.

faust's web server is not used: it takes ``/`` and port 6066 for itself, has no body limits, and a
taken port stops it.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable

import structlog
from aiohttp import web
from mode import Service
from prometheus_client import CollectorRegistry

from worker.addresses import EVERYWHERE
from worker.errors import ConfigError, Problem
from worker.settings import HTTP_STOP_TIMEOUT_S, Settings
from worker.web.access import Access
from worker.web.answers import Refusal, of_http
from worker.web.catalogue import Catalogue
from worker.web.heads import Heads
from worker.web.health import Health, Reasons
from worker.web.inference import OpenInference
from worker.web.limits import Limits
from worker.web.management import Management, Place
from worker.web.meter import RequestMeter
from worker.web.page import Pages
from worker.web.routes import Handler, Route
from worker.web.scorer import Scorer
from worker.web.scoring import Scoring

log = structlog.get_logger(__name__)

DEFAULT_PORT = 6066
PORTS_TRIED = 100
KEEPALIVE_S = 75.0
LINGERING_S = 2.0
"""How long the rest of a refused body is read, so that the client sees the answer."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "rtml",
}


class Web(Service):
    """Serves the routes of `docs/http.md`.

    Attributes:
        port: the port it listens on, once started.
        routes: everything that is served.
    """

    mundane_level = "debug"  # that services start and stop is no news

    def __init__(
        self,
        settings: Settings,
        registry: CollectorRegistry,
        reasons: Reasons,
        catalogue: Catalogue,
        limits: Limits | None = None,
        place: Callable[[], Place | None] = lambda: None,
    ) -> None:
        """``reasons`` says why the worker is unfit; ``limits`` are the settings' by default.

        ``place``: the location that the worker serves, if it serves one.
        """
        super().__init__()
        self.port = 0
        self._host, self._wanted = settings.http_host, settings.http_port
        bounds = limits or Limits.of(settings)
        self._body_bytes = bounds.body_bytes
        self._access = Access(settings.http_host, settings.token, bounds.failures)
        self._meter = RequestMeter(registry)
        self._scorer = Scorer(bounds)
        self._heads = Heads(bounds.read_s)
        self._runner: web.AppRunner | None = None
        parts = (
            Health(registry, reasons),
            Scoring(catalogue, self._scorer, bounds),
            OpenInference(catalogue, self._scorer, bounds),
            Management(place, catalogue, bounds),
        )
        self.routes: list[Route] = [route for part in parts for route in part.routes()]
        pages = Pages(catalogue, self.routes, local=self._access.local)
        self.routes += pages.routes()

    async def on_start(self) -> None:
        """Binds the port.

        Raises:
            ConfigError: the port that was asked for is taken, or the address is not ours.
        """
        app = web.Application(client_max_size=self._body_bytes, middlewares=[self._answered])
        for route in self.routes:
            handler = self._access.guarded(route.handler) if route.guarded else route.handler
            if route.method == "GET":
                app.router.add_get(route.path, handler)  # and HEAD
            else:
                app.router.add_route(route.method, route.path, handler)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,  # what is refused for its encoding is not inflated either
            handle_signals=False,
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGERING_S,
            shutdown_timeout=HTTP_STOP_TIMEOUT_S,
        )
        await self._runner.setup()
        first = DEFAULT_PORT if self._wanted is None else self._wanted
        last = first + PORTS_TRIED if self._wanted is None else first
        for port in range(first, last + 1):
            site = web.TCPSite(self._runner, self._host, port)
            try:
                await site.start()
            except OSError as error:
                await site.stop()
                if error.errno == errno.EADDRINUSE and port < last:
                    continue
                raise ConfigError(_not_bound(self._host, port, error)) from error
            self.port = self._runner.addresses[0][1]
            log.info("http_listening", host=self._host, port=self.port, moved=port != first)
            return

    @Service.task
    async def _look(self) -> None:
        while not self.should_stop:
            if self._runner is not None and self._runner.server is not None:
                self._heads.look(self._runner.server.connections, time.monotonic())
            await self.sleep(self._heads.look_s)

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        host = "127.0.0.1" if self._host in EVERYWHERE else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def on_stop(self) -> None:
        """Closes the port."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._scorer.close()

    @web.middleware
    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every answer: access checked first, failures as JSON, counted."""
        began_s = time.perf_counter()
        self._heads.whole(request.protocol)
        response = await self._response(request, handler)
        response.headers.update(_HEADERS)
        self._meter.answered(request, response.status, time.perf_counter() - began_s)
        return response

    async def _response(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._access.check(request)
            return await handler(request)
        except Refusal as refusal:
            return refusal.response()
        except web.HTTPException as error:
            return of_http(error, request.method, request.path).response()
        except Exception as error:
            log.exception(
                "http_failed", path=request.path, error=f"{type(error).__name__}: {error}"
            )
            told = "this request broke the server; its log says why"
            return Refusal(500, told, close=True).response()


def _not_bound(host: str, port: int, error: OSError) -> Problem:
    """Why nobody listens there, at the setting that is wrong."""
    message = f"cannot listen on {host}:{port}: {error.strerror}"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return Problem("RTML_HTTP_HOST", f"{message}; give an address of this machine")
    return Problem("--http-port", f"{message}; set RTML_HTTP_PORT")
