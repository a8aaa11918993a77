"""Finds the node kinds: the files of this folder, and installed packages' entry points."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any

import worker.nodes
from worker.errors import ConfigError, Problem
from worker.nodes.base import Node

GROUP = "rtml.nodes"
"""Entry-point group of installed packages: each entry is a `Node` class, named by its kind."""

_NO_KIND = frozenset({"base", "registry"})


def _own() -> Iterator[tuple[str, type[Node[Any]]]]:
    for module in pkgutil.iter_modules(worker.nodes.__path__):
        if module.name in _NO_KIND or module.name.startswith("_"):
            continue
        found = importlib.import_module(f"{worker.nodes.__name__}.{module.name}")
        for kind, value in inspect.getmembers(found, inspect.isclass):
            if issubclass(value, Node) and value.__module__ == found.__name__:
                yield kind, value


def _installed() -> Iterator[tuple[str, type[Node[Any]]]]:
    for entry in entry_points(group=GROUP):
        try:
            loaded = entry.load()
        except Exception as error:  # a package of somebody else may raise anything
            message = f"entry point '{entry.name}' of {GROUP} does not load: {error}"
            raise ConfigError(Problem(entry.value, message)) from error
        if not (inspect.isclass(loaded) and issubclass(loaded, Node)):
            raise ConfigError(
                Problem(entry.value, f"entry point '{entry.name}' of {GROUP} is no Node class")
            )
        yield entry.name, loaded


def collect(kinds: Iterator[tuple[str, type[Node[Any]]]]) -> Mapping[str, type[Node[Any]]]:
    """Kind -> class, in the order found.

    Raises:
        ConfigError: two owners of one kind; remove or rename one of the packages.
    """
    found: dict[str, type[Node[Any]]] = {}
    for kind, value in kinds:
        other = found.get(kind)
        if other is not None:
            owners = f"{other.__module__} and {value.__module__}"
            raise ConfigError(Problem(kind, f"node kind '{kind}' is defined by both {owners}"))
        found[kind] = value
    return dict(sorted(found.items()))


@functools.cache
def kinds() -> Mapping[str, type[Node[Any]]]:
    """Every node kind this installation knows, by name.

    Raises:
        ConfigError: two owners of one kind, or an entry point that is no `Node`.
    """

    def both() -> Iterator[tuple[str, type[Node[Any]]]]:
        yield from _own()
        yield from _installed()

    return collect(both())
