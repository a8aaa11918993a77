"""The notebook's chain of `Pandas` nodes gives, event by event, what pandas gives for the frame."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from tests.graph.support import graph, node, planned
from worker.score import score

FIELDS: dict[str, Any] = {
    "timestamp": {"type": "string"},
    "age": {"type": "number"},
    "km": {"type": "number"},
    "carbrand": {"type": "string"},
    "gender": {"type": "string"},
    "leasing": {"type": "string"},
}
EVENTS: list[dict[str, Any]] = [
    {
        "timestamp": "2019-06-01T10:15:00Z",
        "age": 31,
        "km": 12.5,
        "carbrand": "vw",
        "gender": "f",
        "leasing": "no",
    },
    {"timestamp": "2020-02-29T23:59:59Z", "age": None, "carbrand": None, "gender": "m"},
    {
        "timestamp": "2021-01-03T00:00:00Z",
        "age": 66.9,
        "km": 0.0,
        "carbrand": "lada",
        "leasing": "dataLayerNull",
    },
]
BRANDS = {"vw": "volkswagen", "others": "others"}
GENDERS = {"f": "female", "m": "male"}
LEASING = {"dataLayerNull": "notgiven", "no": "no"}
BINS, AGES = [0, 25, 45, 65, 120], ["young", "grown", "mature", "old"]
CATEGORIES = {
    "age": AGES,
    "carbrand": ["others", "volkswagen"],
    "gender": ["female", "male"],
    "leasing": ["no", "notgiven"],
}


def call(name: str, operation: str, cols: Any = None, **kwargs: Any) -> dict[str, Any]:
    """One `Pandas` node in place."""
    params = {"import": operation, "kwargs": kwargs, "inplace": True}
    return node(name, "Pandas", **params, **({} if cols is None else {"cols": cols}))


CHAIN = [
    node("json", "JsonToDataframe", json_payload=json.dumps({"age": {"0": 31}})),
    call("at", "to_datetime", "timestamp"),
    node("hour", "Pandas", **{"import": "hour", "cols": "timestamp", "into": "hour"}),
    node("day", "Pandas", **{"import": "dt.dayofweek", "cols": "timestamp", "into": "day"}),
    call("fill_age", "fillna", "age", value=40),
    call("fill", "fillna", None, value={"carbrand": "others", "km": 0}),
    call("brands", "map", "carbrand", arg=BRANDS, na_action=0),
    call("genders", "map", "gender", arg=GENDERS),
    call("leased", "map", "leasing", arg=LEASING, na_action=0),
    call("whole", "astype", "age", dtype="int"),
    call("ages", "cut", "age", bins=BINS, labels=AGES),
    node("dummies", "Pandas", **{"import": "get_dummies", "categories": CATEGORIES}),
]


def expected() -> pd.DataFrame:
    """The same steps on the whole frame."""
    frame = pd.DataFrame(EVENTS)
    at = pd.to_datetime(frame["timestamp"])
    frame = frame.drop(columns="timestamp")
    frame["hour"], frame["day"] = at.dt.hour, at.dt.day_of_week
    frame["age"] = frame["age"].fillna(40)
    frame = frame.fillna({"carbrand": "others", "km": 0})
    frame["carbrand"] = frame["carbrand"].map(BRANDS)
    frame["gender"] = frame["gender"].map(GENDERS)
    frame["leasing"] = frame["leasing"].map(LEASING)
    frame["age"] = pd.cut(frame["age"].astype(int), BINS, labels=AGES)
    for name, categories in CATEGORIES.items():
        frame[name] = pd.Categorical(frame[name], categories=categories)
    return pd.get_dummies(frame, columns=list(CATEGORIES))


def test_events_give_what_the_frame_gives() -> None:
    """Alone and together: the hour, the filled numbers and every dummy of every event."""
    truth = expected()
    made = planned(
        graph(
            *CHAIN,
            source={"topic": "in", "schema": {"type": "object", "properties": FIELDS}},
            sink={"topic": "out", "fields": list(truth.columns), "into": "only"},
        )
    )
    events = [json.dumps(event).encode() for event in EVENTS]
    rows = [json.loads(row) for row in truth.to_json(orient="records", lines=True).splitlines()]
    together = score(made, events)
    assert together.faults == []
    assert [json.loads(value) for value in together.values if value is not None] == rows
    alone = [score(made, [event]).values[0] for event in events]
    assert alone == together.values
