"""Which file a node's ``model`` means."""

from __future__ import annotations

from worker.models.file import ModelFile, NoModel
from worker.models.store.names import is_reference
from worker.nodes.base import Context, own_path


def find_model(named: str, context: Context) -> ModelFile | NoModel:
    """What was found for it before, else the file beside the graph."""
    found = context.models.get(named)
    if found is not None:
        return found
    if is_reference(named):
        return NoModel((f"'{named}' is a model of a store, and no store was asked",))
    if context.folder is None:
        way_out = f"push it (rtml model push {named} --name NAME) and name it NAME@VERSION"
        return NoModel((f"'{named}' is a file, and this graph has no folder; {way_out}",))
    path = own_path(named, context.folder)
    if path is None:
        return NoModel((f"'{named}' must lie in the graph's own folder",))
    return ModelFile(named, path)
