"""The tutorial with the calls of Real-time Machine Learning, against pandas and scikit-learn."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from graphs.making import load
from tests.authoring.support import planned, scored
from worker.authoring import (
    DataMsg,
    GraphBuilder,
    JsonToDataframe,
    ModelUpload,
    NodeFactory,
    ONNXNode,
    Pandas,
    ScikitLearn,
    Split,
)

BRANDS = {"VW": "volkswagen", "BMW": "bmw", "AUDI": "audi", "Opel": "opel"}
TYPES = {"SUV": "suv", "Kleinwagen": "small", "Limousine": "sedan", "Kombi": "estate"}
COUNTRIES = {"DE": "de", "Germany": "de", "AT": "at", "CH": "ch"}
GENDERS = {"f": "female", "female": "female", "m": "male", "male": "male"}
LEASING = {"dataLayerNull": "notgiven", "no": "no", "yes": "yes"}
GIVEN = ["cartype", "primaryuser", "nationality", "km"]
BINS, LABELS = [0, 17, 30, 45, 60, 120], ["minor", "to30", "to45", "to60", "over60"]
TEXT = ["carbrand", "cartype", "country", "gender", "leasing", "nationality", "primaryuser", "age"]
MODEL = {"n_estimators": 80, "max_depth": 5, "random_state": 0}


def visits(n: int, seed: int) -> pd.DataFrame:
    """Web events as the notebook loads them: short names, the answer in `quote`."""
    pairs = load("car-insurance", "generate").visits(n, seed)
    flat = pd.json_normalize([event for event, _ in pairs])
    flat.columns = [name.rpartition(".")[2] for name in flat.columns]
    flat = flat.drop(columns=["_id", "eventType", "ecid"])
    flat["km"] = flat["km"].map(lambda km: None if pd.isna(km) else f"{km // 10_000:.0f}0000")
    flat["age"] = pd.to_numeric(flat["age"], errors="coerce")
    flat["age"] = flat["age"].where(flat["age"].between(1, 110))
    return flat.assign(quote=[int(quote) for _, quote in pairs])


def by_the_book(frame: pd.DataFrame) -> pd.DataFrame:
    """The tutorial's transformations by pandas itself."""
    df = frame.copy()
    df["timestamp"] = pd.to_datetime(df["timestamp"], utc=True, format="ISO8601")
    df["timestamp_hour"] = df["timestamp"].dt.hour
    df["timestamp_dayofweek"] = df["timestamp"].dt.day_of_week
    df["age"] = df["age"].fillna(40)
    df["carbrand"] = df["carbrand"].fillna("notgiven")
    df["country"] = df["country"].fillna("notgiven")
    df[GIVEN] = df[GIVEN].fillna("notgiven")
    df["carbrand"] = df["carbrand"].map(BRANDS)
    df["cartype"] = df["cartype"].map(TYPES)
    df["country"] = df["country"].map(COUNTRIES)
    df["gender"] = df["gender"].map(GENDERS)
    df["leasing"] = df["leasing"].map(LEASING)
    df["age"] = pd.cut(df["age"].astype(int), BINS, labels=LABELS)
    return pd.get_dummies(df, columns=[*TEXT, "km"])


def transformations() -> list[Any]:
    """The nodes before the model, in the tutorial's order."""
    return [
        JsonToDataframe(params={}),
        Pandas(params={"import": "to_datetime", "inplace": True, "cols": "timestamp"}),
        Pandas(params={"import": "dt.hour", "cols": "timestamp"}),
        Pandas(params={"import": "dt.dayofweek", "cols": "timestamp"}),
        fill("age", 40),
        fill("carbrand", "notgiven"),
        fill("country", "notgiven"),
        fill(GIVEN, "notgiven"),
        mapped("carbrand", BRANDS),
        mapped("cartype", TYPES),
        mapped("country", COUNTRIES),
        mapped("gender", GENDERS),
        mapped("leasing", LEASING),
        Pandas(
            params={"import": "astype", "kwargs": {"dtype": int}, "inplace": True, "cols": "age"}
        ),
        Pandas(
            params={
                "import": "cut",
                "kwargs": {"bins": BINS, "labels": LABELS},
                "inplace": True,
                "cols": "age",
            }
        ),
        Pandas(params={"import": "get_dummies", "cols": [*TEXT, "km"]}),
    ]


def fill(cols: str | list[str], value: Any) -> Any:
    """A constant for what is missing."""
    return Pandas(
        params={"import": "fillna", "kwargs": {"value": value}, "inplace": True, "cols": cols}
    )


def mapped(cols: str, arg: dict[str, str]) -> Any:
    """Words become known words."""
    return Pandas(
        params={
            "import": "map",
            "kwargs": {"arg": arg, "na_action": 0},
            "inplace": True,
            "cols": cols,
        }
    )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model store of the test's own, named by the settings."""
    path = tmp_path / "store"
    monkeypatch.setenv("RTML_MODEL_STORE", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return path


def test_the_whole_tutorial(tmp_path: Path, store: Path) -> None:
    """From the table to scored events: every step gives what pandas and scikit-learn give."""
    df1 = visits(1_500, seed=1)
    msg = DataMsg(df1)
    for node in transformations():
        msg = node.process(msg)
    expected = by_the_book(df1)
    features = [c for c in expected.columns if c not in ("timestamp", "quote")]
    assert set(features) <= set(msg.data.columns)
    for name in features:
        assert msg.data[name].astype(float).tolist() == expected[name].astype(float).tolist(), name

    msg5 = Split(params={"train_size": 0.7}).process(msg)
    train, test = msg5.data.xs("train"), msg5.data.xs("test")
    assert (len(train), len(test)) == (1_050, 450)
    model_path = str(tmp_path / "resources" / "model.onnx")
    spec = {
        "features": features,
        "label": "quote",
        "model_path": model_path,
        "params": {
            "model": "sklearn.ensemble.GradientBoostingClassifier",
            "model_params": MODEL,
        },
    }
    msg6 = ScikitLearn(params={**spec, "mode": "train"}).process(msg5)
    msg7 = ScikitLearn(params={**spec, "mode": "test"}).process(msg6)
    assert msg7.model["metrics"]["roc_auc"] > 0.6

    msg_model = ModelUpload(params={"model_path": model_path}).process(None, 1)
    model_id = msg_model.model["model_id"]
    assert model_id == "model@1"

    nodes = [*transformations(), ONNXNode(params={"features": features, "model_id": model_id})]
    edges = [(nodes[i], nodes[i + 1]) for i in range(len(nodes) - 1)]
    dsl = GraphBuilder.generate_dsl(nodes=nodes, edges=edges)
    document = json.loads(dsl)
    document["edge"]["applicationDsl"]["nodes"][0]["id"] = str(uuid.uuid4())
    plan = planned(json.dumps(document), store)

    held_out = visits(400, seed=2)
    events = json.loads(held_out.drop(columns="quote").to_json(orient="records"))
    found = scored(plan, events)
    book = by_the_book(pd.concat([df1, held_out], keys=["old", "new"])).xs("new")
    learnt = GradientBoostingClassifier(**MODEL)
    learnt.fit(train[features].to_numpy(np.float32), train["quote"])
    truth = learnt.predict_proba(book[features].to_numpy(np.float32))
    assert len(found) == 400
    assert [event["label"] for event in found] == learnt.predict(
        book[features].to_numpy(np.float32)
    ).tolist()
    np.testing.assert_allclose([e["probabilities"] for e in found], truth, rtol=1e-5, atol=1e-6)
    assert sorted(NodeFactory.discover_nodes()) == list(NodeFactory.discover_nodes())
