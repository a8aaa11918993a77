"""Split, ScikitLearn, ModelUpload and Simulator."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.authoring.support import DATA, message, problems
from worker.authoring import DataMsg, ModelUpload, ONNXNode, ScikitLearn, Simulator, Split
from worker.codec.decode import Decoder
from worker.dataset.simulate import simulate
from worker.errors import ConfigError
from worker.schema import parse


@given(n=st.integers(2, 200), share=st.floats(0.05, 0.95), seed=st.integers(0, 9))
def test_split_keeps_every_row_once(n: int, share: float, seed: int) -> None:
    """Both parts together are the table; the size is the share, rounded down."""
    assume(1 <= int(share * n) < n)
    params = {"train_size": share, "seed": seed}
    frame = pd.DataFrame({"row": range(n)})
    found = Split(params=params).process(DataMsg(frame)).frame
    train, test = found.xs("train")["row"].tolist(), found.xs("test")["row"].tolist()
    assert len(train) == int(share * n)
    assert sorted(train + test) == list(range(n))
    assert train == sorted(train)
    again = Split(params=params).process(DataMsg(frame)).frame
    assert again.xs("train")["row"].tolist() == train


def test_split_by_the_size_of_the_test() -> None:
    """`test_size` alone leaves the rest to training; a count is a count of rows."""
    msg = message(row=list(range(10)))
    by_share = Split(params={"test_size": 0.25}).process(msg).frame
    assert [len(by_share.xs(part)) for part in ("train", "test")] == [7, 3]
    by_count = Split(params={"train_size": 4, "test_size": 2}).process(msg).frame
    assert [len(by_count.xs(part)) for part in ("train", "test")] == [4, 2]


def test_another_seed_draws_other_rows() -> None:
    """The seed decides which rows are drawn."""
    msg = message(row=list(range(100)))
    nodes = [Split(params={"train_size": 0.5, "seed": seed}) for seed in (0, 1)]
    one, other = (node.process(msg).frame.xs("train")["row"].tolist() for node in nodes)
    assert one != other


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "give train_size or test_size"),
        ({"train_size": 1.5}, "train_size"),
        ({"trainsize": 0.5}, "trainsize: is no known key; did you mean 'train_size'?"),
        (
            {"train_size": 99},
            "3 rows cannot be split into 99 for training and 0 for the test; a share",
        ),
    ],
)
def test_splits_that_cannot_be(params: dict[str, Any], told: str) -> None:
    """No size, a wrong one, or more rows than there are."""
    with pytest.raises(ConfigError) as caught:
        Split(params=params).process(message(row=[1, 2, 3]))
    assert told in "; ".join(problems(caught.value))


def learning(folder: Path, usage: str, **changes: Any) -> ScikitLearn:
    """The call of the node reference."""
    params = {
        "features": ["a", "b"],
        "label": "y",
        "mode": usage,
        "model_path": str(folder / "resources" / "m.onnx"),
        "params": {
            "model": "sklearn.linear_model.LogisticRegression",
            "model_params": {"solver": "lbfgs"},
        },
        **changes,
    }
    return ScikitLearn(params=params)


def table(n: int = 300) -> pd.DataFrame:
    """Two features and a class that mostly follows them."""
    rows = np.random.default_rng(5).normal(size=(n, 2))
    noise = np.random.default_rng(6).normal(size=n) / 2
    return pd.DataFrame(rows, columns=["a", "b"]).assign(y=(rows.sum(axis=1) + noise > 0) * 1)


def test_train_and_test_take_their_parts(tmp_path: Path) -> None:
    """Behind Split the whole message is given: training sees its part, the test the other."""
    msg5 = Split(params={"train_size": 0.7}).process(DataMsg(table()))
    msg6 = learning(tmp_path, "train").process(msg5)
    assert msg6.features == ["a", "b"]
    assert msg6.model["model_path"].endswith("m.onnx")
    alone = learning(tmp_path / "alone", "train").process(DataMsg(msg5.frame.xs("train")))
    paths = [Path(msg.model["model_path"]) for msg in (msg6, alone)]
    weights = [onnx.load(path).graph.node for path in paths]
    assert weights[0] == weights[1]
    metrics = learning(tmp_path, "test").process(msg6).model["metrics"]
    truth = msg5.frame.xs("test")
    told = ONNXNode(params={"model": "m.onnx", "features": ["a", "b"]})
    assert set(metrics) == {"accuracy", "f1", "roc_auc"}
    assert metrics["accuracy"] == np.mean(labels(told, paths[0], truth) == truth["y"].to_numpy())


def labels(node: Any, path: Path, frame: pd.DataFrame) -> Any:
    """The classes that the model gives in a graph."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        return node.process(DataMsg(frame)).frame["label"].to_numpy()


def test_classes_may_be_words(tmp_path: Path) -> None:
    """A label that is text is learnt and told as text, and the metrics are those of text."""
    frame = table()
    frame["y"] = frame["y"].map({0: "no", 1: "yes"})
    msg = learning(tmp_path, "train").process(DataMsg(frame))
    tested = learning(tmp_path, "test").process(msg)
    assert tested.model["metrics"]["accuracy"] > 0.8
    assert set(
        labels(
            ONNXNode({"model": "m.onnx", "features": ["a", "b"]}),
            tmp_path / "resources" / "m.onnx",
            frame,
        )
    ) == {"no", "yes"}


def test_regressors_have_their_own_metrics(tmp_path: Path) -> None:
    """R2, MAE and RMSE of what the file gives."""
    model = {"params": {"model": "sklearn.linear_model.LinearRegression"}}
    frame = table().assign(y=lambda df: 2 * df["a"] - df["b"])
    learning(tmp_path, "train", **model).process(DataMsg(frame))
    metrics = learning(tmp_path, "test", **model).process(DataMsg(frame)).model["metrics"]
    assert metrics["r2"] == pytest.approx(1.0)
    assert metrics["rmse"] == pytest.approx(0.0, abs=1e-5)


def test_the_file_knows_its_features(tmp_path: Path) -> None:
    """The names stand in the file's metadata, from where the store takes them."""
    learning(tmp_path, "train").process(DataMsg(table()))
    model = onnx.load(tmp_path / "resources" / "m.onnx")
    known = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(known["feature_names"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"features": ["a", "bb"]}, "features[1]: no column 'bb'; did you mean 'b'?"),
        ({"features": ["a", "word"]}, "features[1]: 'word' is text; encode it"),
        ({"label": "word_gaps"}, "label: 'word_gaps' is missing in 1 rows; drop them"),
        ({"label": "half"}, "label: 'half' has fractions; a classifier tells classes"),
        ({"label": None}, "label is required"),
        ({"mode": "fit"}, "mode: must be 'train' or 'test'"),
        ({"features": ["a", "gap"]}, "features[1]: 'gap' is missing in 300 rows; fill them"),
    ],
)
def test_wrong_tables_and_params(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    """Each is refused with the column or param; no file is written."""
    frame = table().assign(word="x", half=0.5, gap=np.nan, word_gaps="y")
    frame.loc[0, "word_gaps"] = None
    with pytest.raises(ConfigError) as caught:
        learning(tmp_path, "train", **changes).process(DataMsg(frame))
    assert told in "; ".join(problems(caught.value))
    assert list(tmp_path.iterdir()) == []


def test_a_test_without_a_model(tmp_path: Path) -> None:
    """`test` before `train` says which file is missing."""
    with pytest.raises(ConfigError, match=r"model_path: .*cannot be read"):
        learning(tmp_path, "test").process(DataMsg(table()))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model store of the test's own, named by the settings."""
    monkeypatch.setenv("RTML_MODEL_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.mark.usefixtures("store")
def test_an_upload_has_an_id(tmp_path: Path) -> None:
    """The call of the notebook; the id is name and version, and the same bytes have one."""
    learning(tmp_path, "train").process(DataMsg(table()))
    path = str(tmp_path / "resources" / "m.onnx")
    model = ModelUpload(params={"model_path": path})
    msg_model = model.process(None, 1)
    assert msg_model.model["model_id"] == "m@1"
    assert msg_model.features == ["a", "b"]
    assert model.process(None, 1).model["model_id"] == "m@1"
    named = ModelUpload(
        params={"model_path": path, "name": "fraud", "version": "7", "alias": "best"}
    )
    assert named.process().model["model_id"] == "fraud@7"
    node = ONNXNode(params={"model_id": "fraud@best", "features": ["a", "b"]})
    assert (
        node.process(DataMsg(table(4))).frame["label"].tolist()
        == labels(
            ONNXNode(params={"model": "m.onnx", "features": ["a", "b"]}), Path(path), table(4)
        ).tolist()
    )


@pytest.mark.usefixtures("store")
def test_what_is_no_model_is_not_uploaded(store: Path) -> None:
    """The reason is that of the store's inspection, and the store stays empty."""
    with pytest.raises(ConfigError, match="external"):
        ModelUpload(params={"model_path": str(DATA / "external.onnx")}).process(None, 1)
    assert [path for path in store.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("store")
def test_wrong_names_are_told_by_their_params() -> None:
    """A version that no store can hold: the param's own name."""
    params = {"model_path": str(DATA / "lr.onnx"), "version": "a/b"}
    with pytest.raises(ConfigError) as caught:
        ModelUpload(params=params).process(None, 1)
    assert problems(caught.value)[0].startswith("version: 'a/b' names no version")


SCHEMA = {
    "type": "object",
    "required": ["id", "n"],
    "properties": {
        "id": {"type": "string", "minLength": 3, "maxLength": 5},
        "n": {"type": "integer", "minimum": 2, "exclusiveMaximum": 5},
        "x": {"type": "number", "exclusiveMinimum": -1, "maximum": 1},
        "low": {"type": "number", "maximum": -5},
        "brand": {"type": "string", "enum": ["vw", "bmw"]},
        "at": {"type": "string", "format": "date-time"},
        "yes": {"type": "boolean"},
        "v": {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
        "pixels": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        "_tenant": {"type": "object", "properties": {"ecid": {"type": "string"}}},
    },
}


@pytest.mark.long
def test_simulated_events_keep_the_schema() -> None:
    """Every event is one that the worker decodes: bounds, enums, required fields."""
    schema = parse(SCHEMA)
    events = list(islice(simulate(schema, 4), 500))
    decoded = Decoder(schema, set(schema.columns), ()).decode(
        [json.dumps(e).encode() for e in events]
    )
    assert list(decoded.faults) == []
    assert events == list(islice(simulate(schema, 4), 500))
    assert events != list(islice(simulate(schema, 5), 500))
    assert {event.get("brand") for event in events} == {"vw", "bmw", None}


def test_simulator_makes_a_table() -> None:
    """One column per declared field, nested ones by their path; as many rows as wanted."""
    frame = Simulator(params={"schema": SCHEMA, "events": 50, "seed": 1}).process().frame
    assert list(frame.columns) == list(parse(SCHEMA).columns)
    assert len(frame) == 50
    assert frame["n"].between(2, 4).all()


def test_simulator_refuses_a_wrong_schema() -> None:
    """What the worker could not read either is told with its path."""
    with pytest.raises(ConfigError, match=r"schema.properties.a.type"):
        Simulator(params={"schema": {"properties": {"a": {"type": "nmber"}}}}).process()


@pytest.mark.usefixtures("store")
def test_a_model_that_mixes_its_events_is_uploaded_only_if_allowed() -> None:
    """The way out is told in the words of the notebook."""
    params = {"model_path": str(DATA / "mean_coupled.onnx")}
    with pytest.raises(ConfigError, match="allow it with coupled=True"):
        ModelUpload(params=params).process(None, 1)
    done = ModelUpload(params={**params, "coupled": True}).process(None, 1)
    assert (done.model or {})["model_id"] == "mean_coupled@1"
