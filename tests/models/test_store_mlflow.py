"""MLflow model folders with the ONNX flavour, as MLflow 3 writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml

from tests.graph.support import DATA
from tests.models.makers import matmul, saved, tensor
from worker.errors import ConfigError
from worker.models.limited import Limits
from worker.models.session import Session
from worker.models.store.store import Store

COLUMNS = [
    {"type": "double", "name": "age", "required": True},
    {"type": "double", "name": "income", "required": True},
]


def mlflow_folder(tmp_path: Path, **onnx_flavor: Any) -> Path:
    """A folder as ``mlflow.onnx.save_model`` makes it."""
    folder = tmp_path / "mlflow-model"
    folder.mkdir(exist_ok=True)
    flavor = {
        "data": "model.onnx",
        "onnx_version": "1.21.0",
        "providers": ["CUDAExecutionProvider", "CPUExecutionProvider"],
        "onnx_session_options": None,
        "code": None,
    }
    described = {
        "flavors": {
            "onnx": flavor | onnx_flavor,
            "python_function": {"loader_module": "mlflow.onnx", "data": "model.onnx"},
        },
        "mlflow_version": "3.17.2",
        "model_uuid": "0d5f1d7b6c0f4e0fa2d7",
        "signature": {"inputs": json.dumps(COLUMNS), "outputs": None, "params": None},
        "utc_time_created": "2026-01-01 00:00:00.000000",
    }
    (folder / "MLmodel").write_text(yaml.safe_dump(described))
    (folder / "requirements.txt").write_text("mlflow==3.17.2\n")
    return folder


def external_model(folder: Path, location: str = "weights.data") -> None:
    """A model whose weights MLflow keeps in a file beside it."""
    weights = np.array([[0.5], [-2.0]], dtype=np.float32)
    made = matmul([None, 2], onnx.numpy_helper.from_array(weights, "w"))
    path = folder / "model.onnx"
    onnx.save_model(
        made,
        path,
        save_as_external_data=True,
        location="weights.data",
        size_threshold=0,
    )
    assert (folder / "weights.data").stat().st_size == weights.nbytes
    if location != "weights.data":
        changed = onnx.load(path, load_external_data=False)
        changed.graph.initializer[0].external_data[0].value = location
        path.write_bytes(changed.SerializeToString())


@pytest.fixture
def folder_store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(str(tmp_path / "store"), tmp_path / "cache")


def test_a_model_in_one_file_keeps_its_bytes(folder_store: Store, tmp_path: Path) -> None:
    """The folder is pushed as it is; the signature names the features."""
    folder = mlflow_folder(tmp_path)
    (folder / "model.onnx").write_bytes((DATA / "lr.onnx").read_bytes())
    entry = folder_store.push(folder, "fraud").entry
    assert (entry.origin, entry.features) == ("mlflow", ("age", "income"))
    assert folder_store.fetch(entry).path.read_bytes() == (DATA / "lr.onnx").read_bytes()


def test_weights_beside_the_model_are_folded_into_it(folder_store: Store, tmp_path: Path) -> None:
    """What MLflow writes by default: the stored model is one file and gives the same numbers."""
    folder = mlflow_folder(tmp_path)
    external_model(folder)
    entry = folder_store.push(folder, "fraud").entry
    session = Session(folder_store.fetch(entry).path, "fraud@1")
    [values] = session.run({"x": np.array([[2, 1], [4, 1]], dtype=np.float32)}, ["y"])
    assert values.tolist() == [[-1.0], [0.0]]
    assert folder_store.push(folder, "fraud").new is False


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "none.data", "link.data", ""])
def test_weights_elsewhere_are_not_read(folder_store: Store, tmp_path: Path, location: str) -> None:
    """Outside the folder, through a link, or missing: refused, nothing is stored."""
    folder = mlflow_folder(tmp_path)
    (tmp_path / "secret").write_bytes(b"12345678")
    (folder / "link.data").symlink_to(tmp_path / "secret")
    external_model(folder, location)
    with pytest.raises(ConfigError, match="tensor data, which is no file beside it"):
        folder_store.push(folder, "fraud")
    assert folder_store.listing().entries == ()


def test_a_hard_link_may_be_anybodys_file(folder_store: Store, tmp_path: Path) -> None:
    """No path tells where it leads: refused, and the copy that the message asks for is taken."""
    folder = mlflow_folder(tmp_path)
    external_model(folder)
    (tmp_path / "secret").hardlink_to(folder / "weights.data")
    with pytest.raises(ConfigError, match=r"'weights\.data', which is a hard link; copy it"):
        folder_store.push(folder, "fraud")
    assert folder_store.listing().entries == ()
    (tmp_path / "secret").unlink()
    assert folder_store.push(folder, "fraud").new is True


def test_a_bomb_of_aliases_in_the_description(folder_store: Store, tmp_path: Path) -> None:
    """It is no model, and nothing of it is unfolded."""
    folder = mlflow_folder(tmp_path)
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
    for flavors in ("flavors: *a39", "flavors: {onnx: *a39}", "flavors: {onnx: {data: *a39}}"):
        (folder / "MLmodel").write_text("\n".join([*lines, flavors]))
        with pytest.raises(ConfigError, match="has no model of the flavour onnx"):
            folder_store.push(folder, "fraud")


def test_weights_that_do_not_fit(folder_store: Store, tmp_path: Path) -> None:
    """A file that is too short, and more bytes than are allowed."""
    folder = mlflow_folder(tmp_path)
    external_model(folder)
    size = (folder / "model.onnx").stat().st_size
    with pytest.raises(ConfigError, match="bytes of tensor data in other files"):
        folder_store.push(folder, "fraud", limits=Limits(max_bytes=size + 7))
    (folder / "weights.data").write_bytes(b"123")
    with pytest.raises(ConfigError, match=r"model\.onnx "):
        folder_store.push(folder, "fraud")
    assert folder_store.listing().entries == ()


def test_folders_that_are_no_onnx_model(folder_store: Store, tmp_path: Path) -> None:
    """Another flavour, a path out of the folder, no YAML: refused with what is there."""
    folder = mlflow_folder(tmp_path, data="../model.onnx")
    with pytest.raises(ConfigError, match=r"'\.\./model\.onnx' lies outside the folder"):
        folder_store.push(folder, "fraud")
    (folder / "MLmodel").write_text("flavors: {sklearn: {}, python_function: {}}")
    with pytest.raises(ConfigError, match="no model of the flavour onnx; it has: python_function"):
        folder_store.push(folder, "fraud")
    for text, reason in [("{", "is no YAML"), ("[]", "describes no MLflow model")]:
        (folder / "MLmodel").write_text(text)
        with pytest.raises(ConfigError, match=reason):
            folder_store.push(folder, "fraud")
    (folder / "MLmodel").write_bytes(b" " * 1_000_001)
    with pytest.raises(ConfigError, match="has more than 1000000 bytes"):
        folder_store.push(folder, "fraud")


def test_feature_names_of_the_file_are_kept(folder_store: Store, tmp_path: Path) -> None:
    """A JSON list in the metadata; anything else there is no list of names."""
    for i, (said, expected) in enumerate([('["a", "b"]', ("a", "b")), ("a,b", ()), ("[1]", ())]):
        made = matmul([None, 2], tensor("w", [2, 1], [float(i), 1.0]))
        made.metadata_props.add(key="feature_names", value=said)
        entry = folder_store.push(saved(tmp_path, made), "fraud").entry
        assert entry.features == expected
