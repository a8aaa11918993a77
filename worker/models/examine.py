"""The inspection itself, run by `inspect` in a process that may be killed.

Takes the path and the limits as arguments and writes one line of JSON: what the model is, or the
reasons for which it must not be used.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from onnx import ModelProto

from worker.errors import ModelError
from worker.models.confined import answer, parsed, read
from worker.models.contents import reasons_against
from worker.models.features import KEY, feature_names
from worker.models.neighbours import Coupling, coupling
from worker.models.session import Session
from worker.models.tensors import Tensor

_SIZES = (1, 2, 7)
_MOST = 64
_MOST_FEATURES = 10_000


def main() -> None:
    """Examines the file that the arguments name, within the limits they set."""
    answer(lambda paths, max_bytes, depth: examine(paths[0], max_bytes, depth), lambda paths: paths)


def examine(path: Path, max_bytes: int, depth: int) -> dict[str, Any]:
    """What `inspect.Report` holds, as JSON; or ``reasons``.

    Raises:
        ModelError: it cannot be read, loaded or run.
    """
    content = read(path, max_bytes)
    model = parsed(content)
    reasons = reasons_against(model, depth)
    if reasons:
        return {"reasons": reasons}
    facts = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "ir_version": model.ir_version,
        "producer": f"{model.producer_name} {model.producer_version}".strip()[:200],
        "features": _features(model),
        "opsets": {item.domain or "ai.onnx": item.version for item in model.opset_import},
    }
    del model, content
    session = Session(path, path.name)
    if session.sha256 != facts["sha256"]:
        raise ModelError("was changed while it was being inspected")
    return facts | _tried(session)


def _features(model: ModelProto) -> list[str]:
    said = {entry.key: entry.value for entry in model.metadata_props}.get(KEY, "")
    names = feature_names(said)
    return list(names) if len(names) <= _MOST_FEATURES else []


def _tried(session: Session) -> dict[str, Any]:
    found: Coupling | None = None
    try:
        if session.is_open:
            session.fit({})
        found = coupling(session, _MOST, _SIZES)
    except ModelError:
        pass  # sizes, words or numbers made up here need not be what the model expects
    return {
        "inputs": {name: _port(tensor) for name, tensor in session.inputs.items()},
        "outputs": {} if session.is_open else {n: _port(t) for n, t in session.outputs.items()},
        "batch_size": session.batch_size,
        "batch_invariant": None if found is None else found.invariant,
        "batch_difference": None if found is None else found.difference,
    }


def _port(tensor: Tensor) -> list[Any]:
    return [str(tensor.dtype), list(tensor.shape)]
