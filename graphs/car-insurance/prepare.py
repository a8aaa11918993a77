"""The car insurance graph before its model, by pandas: what the features are by the book.

The tables of words, bins and gaps stand in graph.yaml alone; here pandas applies them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from graphs.making import Event, node_params

Floats = npt.NDArray[np.float32]

PARAMS = node_params("car-insurance")
FEATURES = PARAMS["interest"]["features"]


def frame(events: list[Event]) -> pd.DataFrame:
    """Return the events as a table: the short names of the columns, fields not there missing."""
    names = PARAMS["short"]["columns"]
    table = pd.json_normalize(events).reindex(columns=["timestamp", *names]).rename(columns=names)
    table["age"] = pd.to_numeric(table["age"], errors="coerce")
    table["km"] = pd.to_numeric(table["km"])
    return table


def features(table: pd.DataFrame) -> Floats:
    """Return the model's features (n, 36), by pandas from the columns of `frame`."""
    table = table.copy()
    visited_at = pd.to_datetime(table["timestamp"], utc=True, format="ISO8601")
    table["hour"] = visited_at.dt.hour
    table["dayofweek"] = visited_at.dt.day_of_week
    for name, value in PARAMS["gaps"]["columns"].items():
        table[name] = table[name].astype(object).where(table[name].notna(), value)
    table["carbrand"] = table["carbrand"].str.strip().str.lower()
    for node in ("brand", "cartype", "country", "gender", "leasing"):
        column, default = PARAMS[node]["column"], PARAMS[node]["default"]
        table[column] = table[column].map(PARAMS[node]["mapping"]).fillna(default)
    table["nationality"] = table["nationality"].replace(PARAMS["nationality"]["mapping"])
    table["km"] = table["km"].astype(float).clip(upper=PARAMS["mileage"]["upper"])
    groups = PARAMS["age_group"]
    table["age_group"] = pd.cut(table["age"].astype(int), groups["bins"], labels=groups["labels"])
    for name, categories in PARAMS["dummies"]["columns"].items():
        for category in categories:
            table[f"{name}_{category}"] = table[name] == category
    rows: Floats = table[FEATURES].to_numpy(dtype=np.float32)
    return rows


def fate(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return why a row of `frame` gets no score: dropped, rejected, or None, it gets one."""
    views, rules = PARAMS["views"], PARAMS["plausible"]["rules"]
    if row["event_type"] != views["value"]:
        return {"dropped": views["reason"]}
    # Comparisons with NaN are false: what is missing breaks no rule.
    low, high = rules["age"]["min"], rules["age"]["max"]
    if row["age"] < low or row["age"] > high or row["km"] < rules["km"]["min"]:
        return {"rejected": {"stage": "validate", "node": "plausible"}}
    return None
