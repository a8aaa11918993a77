"""Functions of the worker that are replaced from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def instead_of(owner: Any, name: str) -> Callable[[Callable[..., Any]], None]:
    """Puts the decorated function in the place of a method or of what a module calls so.

    The function is given the original, and then what the original is given.
    """

    def put(new: Callable[..., Any]) -> None:
        original = getattr(owner, name)
        setattr(owner, name, lambda *given, **more: new(original, *given, **more))

    return put
