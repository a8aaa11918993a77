"""The worker's own HTTP server: liveness, readiness, metrics.

faust's web server is not used: it takes ``/`` and port 6066 for itself, has no body limits, and a
taken port stops it.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

import structlog
from aiohttp import web
from mode import Service
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from worker.errors import ConfigError, Problem
from worker.settings import HTTP_STOP_TIMEOUT_S

log = structlog.get_logger(__name__)

DEFAULT_PORT = 6066
PORTS_TRIED = 100
MAX_BODY_BYTES = 1_000_000

Reasons = Callable[[], list[str]]


class Web(Service):
    """Serves ``/health/live``, ``/health/ready`` and ``/metrics``.

    Attributes:
        port: the port it listens on, once started.
    """

    mundane_level = "debug"  # that services start and stop is no news

    def __init__(
        self, host: str, port: int | None, registry: CollectorRegistry, reasons: Reasons
    ) -> None:
        """``port`` None is 6066 or the next free one; ``reasons`` says why the worker is unfit."""
        super().__init__()
        self.port = 0
        self._host, self._wanted = host, port
        self._registry, self._reasons = registry, reasons
        self._runner: web.AppRunner | None = None

    async def on_start(self) -> None:
        """Binds the port.

        Raises:
            ConfigError: the port that was asked for is taken, or the address is not ours.
        """
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/ready", self._ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=HTTP_STOP_TIMEOUT_S
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
                place = f"{self._host}:{port}"
                hint = f"cannot listen on {place}: {error.strerror}; set RTML_HTTP_PORT"
                raise ConfigError(Problem("--http-port", hint)) from error
            self.port = self._runner.addresses[0][1]
            log.info("http_listening", host=self._host, port=self.port, moved=port != first)
            return

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::", "") else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def on_stop(self) -> None:
        """Closes the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _: web.Request) -> web.Response:
        reasons = self._reasons()
        status = 503 if reasons else 200
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=status)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
