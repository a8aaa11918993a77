"""What is scored: events, a graph for the product, its model for all, and what must come out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench import load, models
from bench.load import COLUMNS, Event, Features
from bench.topics import DEAD, EVENTS, SCORED
from graphs import making

LR = Path(__file__).parent / "graphs" / "lr"
MAX_LOAD_BYTES = 120_000_000
"""A load of large events has fewer of them."""
VISITS = 4_000
POINTS = 784
"""Of an event of Crayfish, the benchmark of streams with models (EDBT 2024): 28 x 28 greys."""
VECTORS, DECIMALS = 200, 7


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of event and one model.

    Attributes:
        name: what results call it.
        about: what tables call it.
        graph: the product's graph file, with the topics of the benchmark.
        model: an ONNX file with one input ``(n, k)``; its last output is the score.
        field: where the score stands in what comes out.
        make: the first ``n`` events, always the same ones.
        inputs: ``(n, k)``, the model's input for each of those.
        faulty: some events are bad, see `load.is_bad`.
        exact: the product's scores are equal to the bit.
        transactional: the graph delivers exactly once.
    """

    name: str
    about: str
    graph: Path
    model: Path
    field: str
    make: Callable[[int], list[Event]]
    inputs: Callable[[int], Features]
    faulty: bool = False
    exact: bool = False
    transactional: bool = False

    def events(self, n: int) -> list[Event]:
        """The first ``n`` events, or as many as make up `MAX_LOAD_BYTES`."""
        size = len(self.make(1)[0].value)
        return self.make(min(n, MAX_LOAD_BYTES // size))


def lr(faulty: bool = False) -> Workload:
    """Ten numbers into a logistic regression, the graph that is kept beside this file."""
    return Workload(
        "lr",
        "165 B JSON, logistic regression",
        LR / "graph.yaml",
        LR / "model.onnx",
        "risk",
        lambda n: load.make(n, faulty=faulty),
        load.features,
        faulty=faulty,
        exact=True,
    )


def exactly_once(folder: Path) -> Workload:
    """`lr` in transactions."""
    graph = folder / "exactly-once" / "graph.yaml"
    shutil.copytree(LR, graph.parent)
    spec = yaml.safe_load(graph.read_text(encoding="utf-8"))
    spec["delivery"] = {"guarantee": "exactly_once"}
    graph.write_text(yaml.safe_dump(spec, sort_keys=False))
    return replace(lr(), name="exactly-once", graph=graph, transactional=True)


def numbers(
    folder: Path, name: str, columns: int = COLUMNS, padding: int = 0, trees: int = 0
) -> Workload:
    """A logistic regression, or trees of depth 5, on so many numbers of an event.

    Args:
        folder: takes the graph, its schema and its model.
        name: of the workload.
        columns: how many numbers.
        padding: bytes of each event that nobody reads.
        trees: how many trees; 0 is the logistic regression.
    """
    names = load.names(columns)
    types = {"id": "string", "country": "string", "channel": "string"}
    types |= dict.fromkeys(names, "number") | ({"note": "string"} if padding else {})
    model = models.trees(columns, trees) if trees else models.logistic(columns)
    node = onnx(names, {"risk": "probabilities[1]"})
    graph = write(folder / name, [node], ["risk"], types, model)
    return Workload(
        name,
        f"the same, {trees} trees of depth 5" if trees else f"{columns} numbers",
        graph,
        graph.parent / "model.onnx",
        "risk",
        lambda n: load.make(n, columns, padding, faulty=False),
        lambda n: load.features(n, columns),
    )


def insurance(folder: Path) -> Workload:
    """The example graph car-insurance as it stands, on visits that get a score."""
    prepare, source = making.load("car-insurance", "prepare"), making.FOLDER / "car-insurance"
    events, features = _visits(prepare)
    shutil.copytree(source, folder / "insurance")
    graph = folder / "insurance" / "graph.yaml"
    spec = yaml.safe_load(graph.read_text(encoding="utf-8"))
    spec["source"]["topic"], spec["sink"]["topic"] = EVENTS, SCORED
    graph.write_text(yaml.safe_dump({**spec, "dead_letter": {"topic": DEAD}}, sort_keys=False))
    texts = [json.dumps(event, ensure_ascii=False).partition(",")[2] for event in events]
    return Workload(
        "insurance",
        f"{len(spec['nodes'])} nodes (car-insurance) with 80 trees",
        graph,
        graph.parent / "model.onnx",
        "interest",
        lambda n: numbered('{"_id":"t-%08d",', texts, n),
        lambda n: features[np.arange(n) % len(features)],
    )


def insurance_model(folder: Path) -> Workload:
    """The model of `insurance` alone, on events that hold the features that the graph made."""
    _, features = _visits(making.load("car-insurance", "prepare"))
    names = load.names(features.shape[1])
    texts = [
        ",".join(f'"{name}":{value:g}' for name, value in zip(names, row, strict=True)) + "}"
        for row in features.tolist()
    ]
    model = (making.FOLDER / "car-insurance" / "model.onnx").read_bytes()
    types = {"id": "string", **dict.fromkeys(names, "number")}
    node = onnx(names, {"interest": "probabilities[1]"}, feature_names="ignore")
    graph = write(folder / "insurance-model", [node], ["interest"], types, model)
    return Workload(
        "insurance-model",
        "the model of car-insurance alone",
        graph,
        graph.parent / "model.onnx",
        "interest",
        lambda n: numbered('{"id":"t-%08d",', texts, n),
        lambda n: features[np.arange(n) % len(features)],
    )


def crayfish(folder: Path) -> Workload:
    """The event and the network of Crayfish: 784 numbers in a text, five layers."""
    rows = np.random.default_rng(load.SEED).random((VECTORS, POINTS)).round(DECIMALS)
    texts = [
        '"dataPointSz1":1,"dataPointSz2":784,"dataPoint":"'
        + ",".join(f"{value:.{DECIMALS}f}" for value in row)
        + '","prediction":null}'
        for row in rows.tolist()
    ]
    types = {"creationTimestamp": "integer", "dataPoint": "string"}
    vector = {"column": "dataPoint", "length": POINTS, "into": "points"}
    nodes = [
        {"id": "points", "type": "ParseVector", "params": vector},
        onnx(["points"], {"prediction": "probabilities"}),
    ]
    graph = write(folder / "crayfish", nodes, ["prediction"], types, models.network(POINTS))
    return Workload(
        "crayfish",
        "Crayfish: 7.9 KB JSON, a network of 784-32-32-32-32-10",
        graph,
        graph.parent / "model.onnx",
        "prediction",
        lambda n: numbered('{"creationTimestamp":17000%08d,', texts, n),
        lambda n: rows[np.arange(n) % VECTORS].astype(np.float32),
    )


def _visits(prepare: Any) -> tuple[list[making.Event], Features]:
    """Visits that get a score, and their features by pandas."""
    visits = making.load("car-insurance", "generate").visits(VISITS, load.SEED)
    events = [event for event, _ in visits]
    table = prepare.frame(events)
    good = [prepare.fate(row) is None for row in table.to_dict("records")]
    kept = [event for event, is_good in zip(events, good, strict=True) if is_good]
    return kept, prepare.features(table[good])


def numbered(start: str, texts: Sequence[str], n: int) -> list[Event]:
    """So many events that begin with their number and go on as the texts do, in turn."""
    return load.keyed([(start % i + texts[i % len(texts)]).encode() for i in range(n)])


def onnx(features: list[str], outputs: dict[str, str], **more: str) -> dict[str, Any]:
    """The node that scores."""
    params = {"model": "model.onnx", "features": features, "outputs": outputs, **more}
    return {"id": "score", "type": "ONNXNode", "params": params}


def write(
    folder: Path,
    nodes: list[dict[str, Any]],
    fields: list[str],
    types: dict[str, Any],
    model: bytes,
) -> Path:
    """A graph like `LR`'s; its file."""
    properties = {name: {"type": kind} for name, kind in types.items()}
    spec = {
        "name": f"bench-{folder.name}",
        "source": {"topic": EVENTS, "schema": "schema.json", "start": "earliest"},
        "nodes": nodes,
        "sink": {"topic": SCORED, "fields": fields, "into": "merge", "headers": True},
        "dead_letter": {"topic": DEAD},
    }
    folder.mkdir()
    (folder / "schema.json").write_text(
        json.dumps({"type": "object", "required": list(types), "properties": properties})
    )
    (folder / "model.onnx").write_bytes(model)
    (folder / "graph.yaml").write_text(json.dumps(spec, indent=1))  # which is YAML too
    return folder / "graph.yaml"
