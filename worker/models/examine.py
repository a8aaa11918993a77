"""The inspection itself, run by `inspect` in a process that may be killed.

Takes the path and the limits as arguments and writes one line of JSON: what the model is, or the
reasons for which it must not be used.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from worker.errors import ModelError
from worker.models.confined import answer, parsed, read
from worker.models.contents import reasons_against
from worker.models.features import KEY, feature_names
from worker.models.session import Session, Tensor

_SIZES = (1, 2, 7)
_MOST = 64
_WORDS = ("", "a", "b", "c")
_MOST_FEATURES = 10_000


def main() -> None:
    """Examines the file that the arguments name, within the limits they set."""
    answer(lambda paths, max_bytes, depth: examine(paths[0], max_bytes, depth))


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
    invariant = None
    try:
        if session.is_open:
            session.fit({})
        invariant = _is_invariant(session)
    except ModelError:
        pass  # sizes, words or numbers made up here need not be what the model expects
    return {
        "inputs": {name: _port(tensor) for name, tensor in session.inputs.items()},
        "outputs": {} if session.is_open else {n: _port(t) for n, t in session.outputs.items()},
        "batch_size": session.batch_size,
        "batch_invariant": invariant,
    }


def _port(tensor: Tensor) -> list[Any]:
    return [str(tensor.dtype), list(tensor.shape)]


def _is_invariant(session: Session) -> bool:
    """Whether rows alone, and in batches of several sizes, give what they give among 64.

    Every part of the 64 is tried: where a row stands can matter too (ReduceSum of five numbers
    rounds by the row's place in memory).
    """
    random = np.random.default_rng(7)
    feeds = {name: _rows(tensor, random) for name, tensor in session.inputs.items()}
    names = list(session.outputs)
    whole = session.run(feeds, names)
    for n in _SIZES:
        for start in range(0, _MOST - n + 1, n):
            rows = slice(start, start + n)
            part = session.run({name: values[rows] for name, values in feeds.items()}, names)
            if not all(map(_same, part, [values[rows] for values in whole])):
                return False
    return True


def _rows(tensor: Tensor, random: np.random.Generator) -> NDArray[Any]:
    """Made-up values: numbers around 0, small counts, a few words."""
    shape = (_MOST, *(size or 1 for size in tensor.shape))
    if tensor.dtype.kind == "f":
        return random.normal(size=shape).astype(tensor.dtype)
    if tensor.dtype.kind == "O":
        return random.choice(np.array(_WORDS, dtype=object), size=shape)
    return random.integers(0, 2, size=shape).astype(tensor.dtype)


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a.tolist() == b.tolist() if a.dtype.kind == "O" else a.tobytes() == b.tobytes()
