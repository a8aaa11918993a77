"""A graph of 12 nodes around 100 trees, and its model alone on events that hold its features."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench import load, models
from bench.load import Features
from bench.workloads import Workload, numbered, onnx, write

TREES = 100
ROWS = 4_000
SEED = 12
START = datetime(2026, 3, 2, tzinfo=UTC)
BRANDS = {"VW": "vw", "Bmw": "bmw", "AUDI": "audi", "opel": "opel", "Lada": "others", None: "none"}
"""How people write them, and what the graph makes of it."""
COUNTRIES = {"Germany": "de", "DE": "de", "Austria": "at", "AT": "at", "Peru": "others"}
AGES = {18: "to25", 30: "to35", 44: "to50", 60: "to65", 80: "over65", None: "to50"}
BINS = [15, 25, 35, 50, 65, 110]
GROUPS = ["to25", "to35", "to50", "to65", "over65"]
MAKES, LANDS = ["vw", "bmw", "audi", "opel", "others", "none"], ["de", "at", "others"]
NUMBERS = ["hour", "dayofweek", "age", "km"]
NAMES = [
    *NUMBERS,
    *(f"brand_{one}" for one in MAKES),
    *(f"country_{one}" for one in LANDS),
    *(f"group_{one}" for one in GROUPS),
]
FILL_AGE, FILL_KM = 40.0, 15_000.0
MAX_KM = 60_000.0
MEAN_KM, STD_KM = 20_000.0, 12_000.0
TYPES = {
    "id": "string",
    "at": "string",
    "brand": ["string", "null"],
    "country": "string",
    "age": ["number", "null"],
    "km": ["number", "null"],
}


def graph(folder: Path) -> Workload:
    """Dates, gaps, words, buckets, categories, then the trees and a decision."""
    texts, features = _events()
    countries = {word: code for word, code in COUNTRIES.items() if code != "others"}
    brands = {one: one for one in MAKES if one != "others"}
    nodes = [
        _node("when", "ToDatetime", column="at", into="moment"),
        _node("clock", "DatePart", column="moment", parts={"hour": "hour", "dayofweek": NAMES[1]}),
        _node("gaps", "FillNa", columns={"age": FILL_AGE, "km": FILL_KM, "brand": "none"}),
        _node("lowered", "StringOp", column="brand", op="lower"),
        _node("make", "Map", column="brand", mapping=brands, default="others"),
        _node("land", "Map", column="country", mapping=countries, default="others"),
        _node("plausible", "Validate", rules={"age": {"min": 16, "max": 110}, "km": {"min": 0}}),
        _node("mileage", "Clip", columns=["km"], upper=MAX_KM),
        _node("scaled", "StandardScaler", columns=["km"], mean=[MEAN_KM], scale=[STD_KM]),
        _node("bucket", "Cut", column="age", bins=BINS, labels=GROUPS, into="group"),
        _node(
            "dummies",
            "OneHotEncoder",
            columns={"brand": MAKES, "country": LANDS, "group": GROUPS},
        ),
        onnx(NAMES, {"risk": "probabilities[1]"}, feature_names="ignore"),
    ]
    file = write(folder / "twelve", nodes, ["risk"], TYPES, _model())
    return Workload(
        "twelve",
        f"{len(nodes)} nodes (dates, gaps, words, buckets, one-hot), {TREES} trees",
        file,
        file.parent / "model.onnx",
        "risk",
        lambda n: numbered('{"id":"t-%08d",', texts, n),
        lambda n: features[np.arange(n) % ROWS],
    )


def alone(folder: Path) -> Workload:
    """The same model on events that hold what the graph makes of the others."""
    _, features = _events()
    names = load.names(len(NAMES))
    texts = [
        ",".join(f'"{name}":{value:.9g}' for name, value in zip(names, row, strict=True)) + "}"
        for row in features.tolist()
    ]
    types = {"id": "string", **dict.fromkeys(names, "number")}
    node = onnx(names, {"risk": "probabilities[1]"}, feature_names="ignore")
    file = write(folder / "twelve-model", [node], ["risk"], types, _model())
    return Workload(
        "twelve-model",
        "the model of those 12 nodes alone",
        file,
        file.parent / "model.onnx",
        "risk",
        lambda n: numbered('{"id":"t-%08d",', texts, n),
        lambda n: features[np.arange(n) % ROWS],
    )


def _model() -> bytes:
    return models.trees(len(NAMES), TREES)


def _node(name: str, kind: str, **params: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "params": params}


def _events() -> tuple[list[str], Features]:
    """The events without their number, and ``(ROWS, k)`` what the graph must make of them."""
    rng = np.random.default_rng(SEED)
    texts, rows = [], []
    for _ in range(ROWS):
        moment = START + timedelta(milliseconds=int(rng.integers(28 * 86_400_000)))
        brand, country, age = (_pick(rng, table) for table in (BRANDS, COUNTRIES, AGES))
        km = None if rng.random() < 0.2 else int(rng.integers(90_000))
        event = {
            "at": moment.isoformat(timespec="milliseconds"),
            "brand": brand,
            "country": country,
            "age": age,
            "km": km,
        }
        texts.append(json.dumps(event)[1:])
        driven = min(FILL_KM if km is None else km, MAX_KM)
        words = (BRANDS[brand], COUNTRIES[country], AGES[age])
        scaled = (driven - MEAN_KM) / STD_KM
        numbers = [moment.hour, moment.weekday(), FILL_AGE if age is None else age, scaled]
        listed = zip(words, (MAKES, LANDS, GROUPS), strict=True)
        rows.append([*numbers, *(float(word == one) for word, every in listed for one in every)])
    return texts, np.array(rows, dtype=np.float32)


def _pick(rng: np.random.Generator, table: dict[Any, str]) -> Any:
    return list(table)[int(rng.integers(len(table)))]
