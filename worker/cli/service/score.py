"""``rtml service score``: events through a running service, over HTTP."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import ExitCode, count, err, out, printable
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
        typer.Argument(
            metavar="FILE", help="JSON: an event, a list, or one a line; default: stdin."
        ),
    ] = None,
    brokers: BrokersOption = None,
) -> None:
    """Score events by a running service and print its answer, which is JSON.

    Exit code 1 says that an event was rejected, or the request.
    """
    if file is None and sys.stdin.isatty():
        err.print(
            "reading JSON from the terminal, an event, a list, or one a line; end with Ctrl-D"
        )
    try:
        body = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        raise ConfigError(Problem("", f"cannot be read: {error.strerror}", str(file))) from error

    async def use(journal: Journal, settings: Settings) -> tuple[int, str]:
        from worker.services import deploy

        outcome, _ = deploy.shown(journal, service_id)
        return await _post(outcome, _sent(body), settings)

    status, text = with_journal(settings_for(brokers), use)
    if status >= 400:
        err.print(printable(f"HTTP {status}: {text}"), style="red")
        raise typer.Exit(ExitCode.NO)
    out.print(text)
    outcomes = json.loads(text)
    listed = outcomes if isinstance(outcomes, list) else [outcomes]
    rejected = sum(one["status"] == "rejected" for one in listed)
    if rejected:
        err.print(f"{count(rejected, 'event')} of {len(listed):,} rejected", style="yellow")
        raise typer.Exit(ExitCode.NO)


def _sent(given: bytes) -> bytes:
    """Events as JSON lines become a list; the worker tells what is wrong with anything else."""
    lines = [line for line in given.splitlines() if line.strip()]
    if len(lines) > 1 and all(map(_is_event, lines)):
        return b"[" + b",".join(lines) + b"]"
    return given


def _is_event(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _unserved(outcome: Outcome) -> str:
    """Why nobody scores, and the way out."""
    service = outcome.service
    paused = service.wanted == "paused"
    why = f"it is paused; rtml service resume {service.id}" if paused else outcome.problem
    return f"no worker scores '{service.id}' now: {why}"


async def _post(outcome: Outcome, body: bytes, settings: Settings) -> tuple[int, str]:
    import aiohttp

    if not outcome.url:
        raise TransportError(_unserved(outcome), retriable=True)
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
