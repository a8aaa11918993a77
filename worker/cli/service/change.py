"""``rtml service rollback``, ``pause``, ``resume``, ``deprecate`` and ``delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import Output, OutputOption
from worker.cli.kafka_options import BrokersOption, settings_for
from worker.cli.service.options import (
    WAIT_SERVED_S,
    IdArgument,
    NoWaitOption,
    WaitServedOption,
    changed,
    tell,
    wait_of,
)

if TYPE_CHECKING:
    from worker.services.journal import Journal
    from worker.services.outcome import Outcome
    from worker.settings import Settings


def rollback(
    service_id: IdArgument,
    version: Annotated[
        int | None, typer.Option(min=1, help="Default: the one before the present.")
    ] = None,
    wait: WaitServedOption = WAIT_SERVED_S,
    no_wait: NoWaitOption = False,
    brokers: BrokersOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Serve an earlier version again."""

    async def use(journal: Journal, _: Settings) -> Outcome:
        from worker.services import deploy

        wait_s = wait_of(wait, no_wait=no_wait)
        return await deploy.rollback(journal, service_id, version, wait_s=wait_s)

    tell(changed(settings_for(brokers), use), "served", output, no_wait=no_wait)


def pause(
    service_id: IdArgument,
    wait: WaitServedOption = WAIT_SERVED_S,
    no_wait: NoWaitOption = False,
    brokers: BrokersOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Stop scoring; what is in flight is finished, and the offsets are kept."""

    async def use(journal: Journal, _: Settings) -> Outcome:
        from worker.services import deploy

        wait_s = wait_of(wait, no_wait=no_wait)
        return await deploy.want(journal, service_id, "paused", wait_s=wait_s)

    tell(changed(settings_for(brokers), use), "paused", output, no_wait=no_wait)


def resume(
    service_id: IdArgument,
    wait: WaitServedOption = WAIT_SERVED_S,
    no_wait: NoWaitOption = False,
    brokers: BrokersOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Go on scoring where the service was paused, or its circuit breaker opened."""

    async def use(journal: Journal, _: Settings) -> Outcome:
        from worker.services import deploy

        wait_s = wait_of(wait, no_wait=no_wait)
        return await deploy.want(journal, service_id, "running", wait_s=wait_s)

    tell(changed(settings_for(brokers), use), "served", output, no_wait=no_wait)


def deprecate(
    service_id: IdArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Take the mark away.")] = False,
    brokers: BrokersOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Mark a service as one to be used no longer; it is listed so, and served as before."""

    async def use(journal: Journal, _: Settings) -> Outcome:
        from worker.services import deploy

        return await deploy.deprecate(journal, service_id, deprecated=not undo, wait_s=0)

    tell(changed(settings_for(brokers), use), "served", output, no_wait=True)


def delete(
    service_id: IdArgument,
    wait: WaitServedOption = WAIT_SERVED_S,
    no_wait: NoWaitOption = False,
    brokers: BrokersOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Take a service and its versions away; its consumer group keeps its offsets."""

    async def use(journal: Journal, _: Settings) -> Outcome:
        from worker.services import deploy

        return await deploy.delete(journal, service_id, wait_s=wait_of(wait, no_wait=no_wait))

    tell(changed(settings_for(brokers), use), "drained", output, no_wait=no_wait)
