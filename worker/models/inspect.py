"""Checks a model file before it is accepted, in a process of its own with limits.

A model is a program: one of 191 bytes never returns, one of 104 takes 2 GB while it loads, and
tensor data may name any file of the machine. So nothing of it is parsed here: `examine` does
that, and may be killed.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.errors import ConfigError, Problem
from worker.files import open_file
from worker.models import accepted
from worker.models.limited import Limits, answer

__all__ = ["Limits", "Port", "Report", "inspect"]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output.

    Attributes:
        dtype: numpy's name; ``object`` for text.
        shape: per event, without the batch axis; None where the model leaves it open.
    """

    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a model that may be used.

    Attributes:
        sha256: of the file.
        size_bytes: of the file.
        ir_version: of the format.
        producer: the program that wrote it and its version, as the file says.
        opsets: domain -> version of the operators it imports; ``ai.onnx`` for the empty domain.
        inputs: by name.
        outputs: by name; empty where they depend on sizes that the model leaves open.
        batch_size: None, or the only number of events that it takes at once.
        batch_invariant: whether an event's result is the same bits alone and among 2, 7 and 64,
            wherever it stands; None where that could not be tried.
        batch_difference: the largest difference between them, see `neighbours.Coupling`; None as
            there, and for models whose record is older than the figure.
        features: what its ``feature_names`` say; empty without.
    """

    sha256: str
    size_bytes: int
    ir_version: int
    producer: str
    opsets: Mapping[str, int]
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    batch_size: int | None
    batch_invariant: bool | None
    batch_difference: float | None = None
    features: tuple[str, ...] = ()


def inspect(path: Path, limits: Limits | None = None) -> Report:
    """What a model file is; the file is left as it is.

    Raises:
        ConfigError: every reason for which it must not be used.
    """
    bounds = limits or Limits()
    known = accepted.recall(_digest(path, bounds), bounds)
    if known is not None:
        with contextlib.suppress(AttributeError, KeyError, TypeError):  # it was tampered with
            return _report(known)
    found = answer("examine", [path], bounds)
    if "reasons" in found:
        raise _refused(path, found["reasons"])
    accepted.keep(found, bounds)  # under the digest of what was inspected, should it have changed
    return _report(found)


def _report(found: Mapping[str, Any]) -> Report:
    ports = {
        key: {name: Port(dtype, tuple(shape)) for name, (dtype, shape) in found[key].items()}
        for key in ("inputs", "outputs")
    }
    return Report(**{**found, **ports, "features": tuple(found["features"])})


def _digest(path: Path, bounds: Limits) -> str:
    """The file's SHA-256.

    Raises:
        ConfigError: it is no file that may be inspected.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise _refused(path, ["is no file"])
        if size > bounds.max_bytes:
            raise _refused(path, [f"has {size} bytes; at most {bounds.max_bytes} are allowed"])
        with open_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _refused(path, [f"cannot be read: {error.strerror or error}"]) from error


def _refused(path: Path, reasons: list[str]) -> ConfigError:
    return ConfigError(Problem("", reason, str(path)) for reason in reasons)
