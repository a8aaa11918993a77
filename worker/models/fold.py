"""Tensor data from files beside a model into the model itself, run in a limited process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from onnx import ModelProto, TensorProto
from onnx.external_data_helper import load_external_data_for_tensor

from worker.errors import ModelError
from worker.models.confined import answer, parsed, read
from worker.models.contents import external_tensors


def main() -> None:
    """Folds the model that the first argument names into the file of the second."""
    Path(sys.argv[2]).touch()
    answer(
        _fold,
        reads=lambda paths: [paths[0].parent],
        writes=lambda paths: [paths[1]],
        file_bytes=int(sys.argv[3]),
    )


def _fold(paths: list[Path], max_bytes: int, _depth: int) -> dict[str, Any]:
    source, target = paths
    content = read(source, max_bytes)
    model = parsed(content)
    # What is whole already keeps its bytes, and so its digest.
    if fold(model, source.parent, max_bytes - len(content)):
        content = model.SerializeToString()
        if len(content) > max_bytes:
            raise ModelError(f"has more than {max_bytes} bytes with its tensor data")
    target.write_bytes(content)
    return {}


def fold(model: ModelProto, folder: Path, max_bytes: int) -> bool:
    """Reads tensor data of other files into the model, and says whether there were any.

    Args:
        model: is changed.
        folder: the files lie in it; none outside of it is read.
        max_bytes: of all that is read.

    Raises:
        ModelError: a file is missing, lies outside, or there is too much.
    """
    left = max_bytes
    tensors = [tensor for _, tensor in external_tensors(model)]
    for tensor in tensors:
        said = {entry.key: entry.value for entry in tensor.external_data}
        location = said.get("location", "")
        path = _inside(location, folder)
        left -= _length(said, path)
        if left < 0:
            raise ModelError(f"has more than {max_bytes} bytes of tensor data in other files")
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"holds tensor data in '{location}', which does not fit") from error
        tensor.data_location = TensorProto.DEFAULT
        tensor.ClearField("external_data")
    return bool(tensors)


def _inside(location: str, folder: Path) -> Path:
    root = folder.resolve()
    try:
        path = (root / location).resolve()
        if location and path.is_relative_to(root) and path.is_file():
            if path.stat().st_nlink > 1:
                message = f"names '{location[:100]}', which is a hard link; copy it"
                raise ModelError(message)
            return path
    except (OSError, RuntimeError, ValueError):  # a loop of links; a null character
        pass
    raise ModelError(f"names '{location[:100]}' for its tensor data, which is no file beside it")


def _length(said: dict[str, str], path: Path) -> int:
    """Bytes that one tensor takes from its file."""
    text = said.get("length", "")
    return int(text) if text.isdigit() and len(text) < 20 else path.stat().st_size
