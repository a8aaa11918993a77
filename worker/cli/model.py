"""`rtml model`: the model store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli import model_push
from worker.cli.console import MODELS, Output, OutputOption, err, out, print_json, print_rows
from worker.cli.console import printable as plain
from worker.cli.progress import Meter
from worker.cli.store_options import StoreOption, store_for
from worker.errors import ConfigError, Problem

if TYPE_CHECKING:
    from worker.models.store.catalog import Listing
    from worker.models.store.entry import Entry

MOST_FIELDS = 20
"""Of the events that a model was trained on, that are shown."""

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
VersionArgument = Annotated[str, typer.Argument(metavar="NAME@VERSION")]


def register(app: typer.Typer) -> None:
    """Adds the group of commands."""
    models = typer.Typer(
        help="Keep models by name and version.", epilog=model_push.EXAMPLE, no_args_is_help=True
    )
    models.command("push", epilog=model_push.EXAMPLE)(model_push.push)
    models.command("list", epilog="Example: rtml model list")(list_models)
    models.command("show", epilog="Example: rtml model show fraud@champion")(show)
    models.command("pull", epilog="Example: rtml model pull fraud@2 --out model.onnx")(pull)
    models.command("delete", epilog="Example: rtml model delete fraud@1")(delete)
    models.command("alias", epilog="Example: rtml model alias fraud champion 2")(alias)
    app.add_typer(models, name="model", rich_help_panel=MODELS)


def list_models(store: StoreOption = None, output: OutputOption = Output.TABLE) -> None:
    """List the versions of all models."""
    found = store_for(store)
    listing = found.listing()
    _warn(listing)
    if output is Output.JSON:
        print_json([entry.shown() | _aliases(listing, entry) for entry in listing.entries])
        return
    if not listing.entries:
        err.print(f"no models in {plain(found.url)}")
        return
    print_rows(
        [
            (
                entry.model_id,
                ", ".join(listing.aliases_of(entry)),
                f"{entry.size_bytes:,} bytes",
                f"{entry.created:%Y-%m-%d %H:%M:%S} UTC",
                entry.sha256[:12],
            )
            for entry in listing.entries
        ],
        ("bold", "cyan", "", "", "dim"),
    )


def show(
    name: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="Default: the newest.")],
    store: StoreOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what is known of a model."""
    found = store_for(store)
    asked = found.find(name) if "@" in name else None
    listing = found.listing(name.partition("@")[0])
    _warn(listing)
    if asked is None and not listing.entries:
        raise ConfigError(Problem(name, "none of its versions can be read"))
    entry = asked or listing.entries[-1]
    shown = entry.shown() | _aliases(listing, entry)
    if output is Output.JSON:
        print_json(shown | {"versions": [other.version for other in listing.entries]})
        return
    out.print(entry.model_id, style="bold")
    print_rows(_rows(entry, listing.aliases_of(entry)), ("dim",), indent=2)
    others = [other.version for other in listing.entries]
    print_rows([("versions", ", ".join(others))], ("dim",), indent=2)


def pull(
    name: VersionArgument,
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: NAME-VERSION.onnx.")
    ] = None,
    store: StoreOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Write a model of the store to a file; its SHA-256 is verified."""
    found = store_for(store)
    entry = found.find(name)
    path = to or Path(f"{entry.name}-{entry.version}.onnx")
    if to is None and path.exists():
        raise ConfigError(Problem("", "is there already; name another with --out", str(path)))
    with Meter(shown=True, noun="bytes") as meter:
        found.pull(entry, path, lambda done, total: meter.update(done, done / max(total, 1)))
    if output is Output.JSON:
        print_json({"model_id": entry.model_id, "sha256": entry.sha256, "file": str(path)})
        return
    out.print(f"{plain(str(path))}: {entry.model_id}, sha256 {entry.sha256}")


def delete(
    name: VersionArgument,
    force: Annotated[
        bool, typer.Option("--force", help="Also where an alias points to it, and the alias.")
    ] = False,
    store: StoreOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete a version; its number is never used again."""
    entry = store_for(store).delete(name, force=force)
    if output is Output.JSON:
        print_json({"model_id": entry.model_id, "deleted": True})
        return
    out.print(f"{entry.model_id} is deleted")


def alias(
    name: NameArgument,
    alias: Annotated[str, typer.Argument(metavar="ALIAS")],
    version: Annotated[str, typer.Argument(metavar="VERSION")],
    store: StoreOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make an alias point to a version; graphs that name it take it when they are loaded."""
    entry = store_for(store).set_alias(name, alias, version)
    if output is Output.JSON:
        print_json({"model_id": entry.model_id, "alias": alias})
        return
    out.print(f"{name}@{alias} is {entry.model_id}")


def _rows(entry: Entry, aliases: list[str]) -> list[tuple[str, str]]:
    opsets = ", ".join(f"{domain} {version}" for domain, version in entry.opsets.items())
    rows = [
        ("aliases", ", ".join(aliases)),
        ("sha256", entry.sha256),
        ("size", f"{entry.size_bytes:,} bytes"),
        ("created", f"{entry.created:%Y-%m-%d %H:%M:%S} UTC"),
        ("origin", entry.origin),
        ("producer", entry.producer),
        ("format", f"IR {entry.ir_version}, opsets {opsets}"),
    ]
    for kind, ports in (("input", entry.inputs), ("output", entry.outputs)):
        for name, port in ports.items():
            axes = "".join(f", {'?' if size is None else size}" for size in port.shape)
            rows.append(
                (kind, f"{name} {'text' if port.dtype == 'object' else port.dtype}[n{axes}]")
            )
    rows.append(("features", ", ".join(entry.features)))
    rows.append(("schema", _fields(entry.training_schema)))
    rows += [("metric", f"{name} = {value:g}") for name, value in entry.metrics.items()]
    return [row for row in rows if row[1]]


def _fields(schema: Mapping[str, Any] | None) -> str:
    """The fields of the events that a schema declares."""
    from worker.dataset.shape import shape_of
    from worker.schema import column_name

    names = [column_name(path) for path, _ in shape_of(schema).leaves()]
    return ", ".join(names[:MOST_FIELDS]) + (", ..." if len(names) > MOST_FIELDS else "")


def _aliases(listing: Listing, entry: Entry) -> dict[str, list[str]]:
    return {"aliases": listing.aliases_of(entry)}


def _warn(listing: Listing) -> None:
    for reason in listing.unreadable:
        err.print(f"warning: {plain(reason)}; it is left out", style="yellow")
