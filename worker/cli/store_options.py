"""What the commands that use the model store share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.console import err, printable

if TYPE_CHECKING:
    from worker.models.store.store import Store
    from worker.settings import Settings

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="A folder, or a URL such as s3://bucket/models; default: RTML_MODEL_STORE, or "
        "~/.local/share/rtml/models.",
    ),
]


def store_for(url: str | None) -> Store:
    """The store of a flag, else of the settings; unknown variables are warned about.

    Raises:
        ConfigError: every setting that is wrong, or a URL that cannot be used.
    """
    from worker.settings import load

    settings, warnings = load(os.environ, {"model_store": url})
    for warning in warnings:
        err.print(f"warning: {printable(warning)}", style="yellow")
    return store_of(settings)


def store_of(settings: Settings) -> Store:
    """The store that the settings name.

    Raises:
        ConfigError: a URL that cannot be used.
    """
    from worker import bounds
    from worker.models import accepted
    from worker.models.store.store import Store
    from worker.places import accepted_folder, cache_folder, store_url

    bounds.use(settings)
    accepted.use(accepted_folder(os.environ))
    return Store(store_url(settings, os.environ), cache_folder(os.environ))
