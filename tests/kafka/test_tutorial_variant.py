"""The tutorial on other data, written only from the documents of the seed: hotel bookings.

Nothing here is fitted to this project: events nested under a tenant's name, flattened by pandas,
and the calls as Real-time Machine Learning has them.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from tests.kafka.client import Record, produce, read_all
from worker.authoring import (
    EdgeUtils,
    GraphBuilder,
    JsonToDataframe,
    ModelUpload,
    NodeFactory,
    OneHotEncoder,
    ONNXNode,
    Pandas,
    ScikitLearn,
    Split,
)

NAMES = {
    "_staywell.booking.leadTime": "lead",
    "_staywell.booking.boardBasis": "board",
    "_staywell.booking.roomType": "room_type",
    "_staywell.booking.deposit": "deposit",
    "_staywell.booking.nights": "nights",
    "_staywell.guest.country": "country",
    "_staywell.guest.age": "age",
    "commerce.order.priceTotal": "price",
    "channel.type": "channel",
}
BOARDS = {"dataLayerNull": "notgiven", "notgiven": "notgiven", "Half Board": "half board",
          "all-in": "all-in"}  # fmt: skip
CHANNELS = ["web", "phone", "agent"]
BINS, AGES = [0, 25, 40, 60, 120], ["young", "adult", "middle", "old"]
DUMMIES = ["age", "board", "room_type", "country"]
NO_FEATURES = {"_id", "_staywell.identification.ecid", "timestamp", "_cancelled"}
MODEL = {"n_estimators": 40, "max_depth": 6, "random_state": 7}


def booking(i: int, rng: np.random.Generator) -> dict[str, Any]:
    """One event, with gaps and absent branches; `_cancelled` is what is to be learnt."""
    lead, deposit = int(rng.integers(0, 300)), str(rng.choice(["yes", "no"]))
    at = pd.Timestamp("2026-03-01") + pd.Timedelta(minutes=int(rng.integers(0, 200_000)))
    made = {
        "leadTime": lead,
        "boardBasis": rng.choice(["Half Board", "all-in", "dataLayerNull", None]),
        "roomType": str(rng.choice(["suite", "double", "twin"])),
        "deposit": deposit,
        "nights": int(rng.integers(1, 15)),
    }
    guest: dict[str, Any] = {"country": str(rng.choice(["FR", "de", "Es"]))}
    if rng.random() < 0.8:
        guest["age"] = int(rng.integers(18, 90)) if rng.random() < 0.9 else None
    event = {
        "_id": f"e-{i}",
        "timestamp": f"{at.isoformat()}Z",
        "_staywell": {"identification": {"ecid": f"{i:038d}"}, "booking": made, "guest": guest},
        "commerce": {"order": {"priceTotal": round(float(rng.gamma(3, 150)), 2)}},
        "_cancelled": int(lead / 300 + (deposit == "no") * 0.5 + rng.normal(0, 0.3) > 0.8),
    }
    if rng.random() < 0.9:
        event["channel"] = {"type": str(rng.choice([*CHANNELS, "fax"]))}
    return event


def on(cols: str | list[str], name: str, inplace: bool = True, **kwargs: Any) -> Any:
    """A node `Pandas` on columns."""
    return Pandas(params={"import": name, "kwargs": kwargs, "inplace": inplace, "cols": cols})


def transformations(data: Any, age: int = 40) -> list[Any]:
    """From the events' paths to features."""
    gaps = {"value": {"board": "notgiven", "channel": "web"}}
    names = {"import": "rename", "kwargs": {"columns": NAMES}, "inplace": True}
    return [
        JsonToDataframe(params={"json_payload": json.dumps(data)}),
        Pandas(params=names),
        on("timestamp", "to_datetime"),
        on("timestamp", "dt.hour", inplace=False),
        on("timestamp", "dt.dayofweek", inplace=False),
        on("age", "fillna", value=age),
        Pandas(params={"import": "fillna", "kwargs": gaps, "inplace": True}),
        on("board", "map", arg=BOARDS, na_action=0),
        on("deposit", "map", arg={"yes": 1, "no": 0}),
        on("country", "str.lower"),
        on("lead", "clip", lower=0, upper=250),
        on(["price"], "log1p"),
        on("age", "astype", dtype="int"),
        on("age", "cut", bins=BINS, labels=AGES),
        OneHotEncoder(params={"columns": {"channel": CHANNELS}}),
        Pandas(params={"import": "get_dummies", "cols": DUMMIES}),
    ]


def by_pandas(flat: pd.DataFrame, age: int = 40) -> pd.DataFrame:
    """The same by pandas itself."""
    df = flat.rename(columns=NAMES)
    at = pd.to_datetime(df["timestamp"], utc=True)
    df["timestamp_hour"], df["timestamp_dayofweek"] = at.dt.hour, at.dt.day_of_week
    df["board"] = df["board"].fillna("notgiven").map(BOARDS)
    df["deposit"] = df["deposit"].map({"yes": 1, "no": 0})
    df["country"] = df["country"].str.lower()
    df["lead"] = df["lead"].clip(0, 250)
    df["price"] = np.log1p(df["price"])
    df["age"] = pd.cut(df["age"].fillna(age).astype(int), BINS, labels=AGES)
    channel = df.pop("channel").fillna("web")
    for name in CHANNELS:
        df[f"channel_{name}"] = (channel == name).astype(float)
    return pd.get_dummies(df, columns=DUMMIES)


def chain(nodes: list[Any]) -> str:
    """The DSL, with an id of the user's own."""
    edges = [(nodes[i], nodes[i + 1]) for i in range(len(nodes) - 1)]
    pod = json.loads(GraphBuilder.generate_dsl(nodes=nodes, edges=edges))
    pod["edge"]["applicationDsl"]["nodes"][0]["id"] = str(uuid.uuid4())
    return json.dumps(pod)


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("place_worker")
def test_a_variant_of_the_tutorial(kafka: str, tmp_path: Path) -> None:
    """Trained, published, updated and deleted; HTTP and stream give scikit-learn's numbers."""
    assert {"JsonToDataframe", "Pandas", "ONNXNode"} <= NodeFactory.discover_nodes().keys()
    rng = np.random.default_rng(11)
    labelled = [booking(i, rng) for i in range(600)]
    events = [{k: v for k, v in event.items() if k != "_cancelled"} for event in labelled]
    flat = pd.json_normalize(labelled)
    nodes = transformations(json.loads(flat.to_json()))
    msg = None
    for node in nodes:
        msg = node.process(msg, 1)
    assert msg is not None
    truth = by_pandas(flat)
    features = [name for name in msg.data.columns if name not in NO_FEATURES]
    assert set(features) == set(truth.columns) - NO_FEATURES
    for name in features:
        assert msg.data[name].astype(float).tolist() == truth[name].astype(float).tolist(), name

    split = Split(params={"train_size": 0.7}).process(msg)
    learning = {
        "features": features,
        "label": "_cancelled",
        "model_path": str(tmp_path / "cancel.onnx"),
        "params": {"model": "sklearn.ensemble.RandomForestClassifier", "model_params": MODEL},
    }
    ScikitLearn(params={**learning, "mode": "train"}).process(split)
    tested = ScikitLearn(params={**learning, "mode": "test"}).process(split)
    assert tested.model["metrics"]["roc_auc"] > 0.8
    train = split.data.xs("train")
    learnt = RandomForestClassifier(**MODEL)
    learnt.fit(train[features].to_numpy(np.float32), train["_cancelled"])

    upload = ModelUpload(params={"model_path": learning["model_path"]})
    model_id = upload.process(None, 1).model["model_id"]
    score = ONNXNode(params={"features": features, "model_id": model_id})
    edge_utils = EdgeUtils()
    (edge_location, service_id) = edge_utils.publish_to_edge(dsl=chain([*nodes, score]))
    place: dict[str, Any] = {"edge_location": edge_location, "service_id": service_id}
    frame = flat.drop(columns="_cancelled")
    columns = json.loads(frame.to_json())
    answers = {
        "columns": edge_utils.score_edge(**place, scoring_data=columns),
        "pandas": edge_utils.score_edge(**place, scoring_data=frame.to_dict()),
        "events": edge_utils.score_edge(**place, scoring_data=events),
    }
    values = [json.dumps(event).encode() for event in events]
    keys = [event["_id"].encode() for event in events]
    records = [Record(value, key) for value, key in zip(values, keys, strict=True)]
    produce(kafka, f"{service_id}-events", records)
    stored = read_all(kafka, f"{service_id}-scored", until=len(events))
    assert [record.key for record in stored] == keys

    expected = learnt.predict_proba(truth[features].to_numpy(np.float32))
    over_stream = [json.loads(record.value or b"") for record in stored]
    found = np.array([event["probabilities"] for event in over_stream])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    for name, answer in answers.items():
        scores = [one["event"]["probabilities"] for one in answer]
        assert scores == [event["probabilities"] for event in over_stream], name
    for event, scored in zip(events, over_stream, strict=True):
        assert {
            **event,
            "label": scored["label"],
            "probabilities": scored["probabilities"],
        } == scored

    other = chain([*transformations({}, age=22), score])
    (same_url, same_id, served) = edge_utils.update_deployment(dsl=other, service_id=service_id)
    assert (same_url, same_id) == (edge_location, service_id)
    parts = [json.loads(dsl)["edge"]["applicationDsl"]["nodes"] for dsl in (served, other)]
    assert parts[0] == parts[1]
    again = edge_utils.score_edge(**place, scoring_data=columns)
    changed = by_pandas(flat, age=22)[features].to_numpy(np.float32)
    found = np.array([one["event"]["probabilities"] for one in again])
    np.testing.assert_allclose(found, learnt.predict_proba(changed), rtol=1e-5, atol=1e-6)
    (listed,) = edge_utils.list_deployed_services()
    assert (listed["id"], listed["type"], listed["versions"]) == (service_id, "edge", [1, 2])
    assert edge_utils.delete_from_edge(service_id=service_id) is True
    assert edge_utils.list_deployed_services() == []
