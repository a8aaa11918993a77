"""``rtml service score``: events through a running service, over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import ExitCode, err, out, printable
from worker.cli.kafka_options import BrokersOption, settings_for
from worker.cli.service.options import IdArgument, with_journal
from worker.errors import ConfigError, Problem, TransportError

if TYPE_CHECKING:
    from worker.services.journal import Journal
    from worker.services.outcome import Outcome
    from worker.settings import Settings

TIMEOUT_S = 30.0


def score(
    service_id: IdArgument,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="JSON: an event, or a list of them; default: stdin."),
    ] = None,
    brokers: BrokersOption = None,
) -> None:
    """Score events by a running service and print its answer, which is JSON."""
    if file is None and sys.stdin.isatty():
        err.print("reading JSON from the terminal, an event or a list; end with Ctrl-D")
    try:
        body = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        raise ConfigError(Problem("", f"cannot be read: {error.strerror}", str(file))) from error

    async def use(journal: Journal, settings: Settings) -> tuple[int, str]:
        from worker.services import deploy

        outcome, _ = deploy.shown(journal, service_id)
        return await _post(outcome, body, settings)

    status, text = with_journal(settings_for(brokers), use)
    if status >= 400:
        err.print(printable(f"HTTP {status}: {text}"), style="red")
        raise typer.Exit(ExitCode.NO)
    out.print(text)


async def _post(outcome: Outcome, body: bytes, settings: Settings) -> tuple[int, str]:
    import aiohttp

    if not outcome.url:
        raise TransportError(f"no worker serves '{outcome.service.id}' now", retriable=True)
    headers = {"Content-Type": "application/json"}
    if settings.token is not None:
        headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(outcome.url, data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise TransportError(f"cannot reach {outcome.url}: {why}", retriable=True) from error
