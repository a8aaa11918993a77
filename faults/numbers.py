"""Numbers: pipelines of scikit-learn through the worker, against scikit-learn itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from faults.finding import Finding
from faults.stage import PATIENCE_S, Stage
from tests.kafka.client import Record, produce
from tests.kafka.service import Service

FEATURES, TRAINED = 6, 1_500
BATCHES = (1, 7, 64, 1_024)
RTOL, ATOL = 1e-5, 1e-6
Rows = NDArray[np.float32]


def run(stage: Stage) -> Iterator[Finding]:
    """Each pipeline, in batches of every size and in another order."""
    random = np.random.default_rng(stage.seed)
    rows = random.normal(size=(stage.size(4_000, 500), FEATURES)).astype(np.float32)
    for name, pipeline in _pipelines(random):
        yield _compared(stage, name, pipeline, rows)


def _pipelines(random: np.random.Generator) -> Iterator[tuple[str, Any]]:
    rows = random.normal(size=(TRAINED, FEATURES)).astype(np.float32)
    noise = random.normal(size=TRAINED)
    classes = (rows @ random.normal(size=FEATURES) + noise > 0).astype(np.int64)
    for last in (
        LogisticRegression(),
        MLPClassifier((16, 8), max_iter=400, random_state=0),
        GradientBoostingClassifier(n_estimators=40, random_state=0),
        RandomForestClassifier(n_estimators=30, random_state=0),
    ):
        smooth = isinstance(last, LogisticRegression | MLPClassifier)
        # A scaler before a tree moves values across its thresholds by a bit of float32.
        steps = [StandardScaler(), last] if smooth else [last]
        yield type(last).__name__, make_pipeline(*steps).fit(rows, classes)


def _compared(stage: Stage, name: str, pipeline: Any, rows: Rows) -> Finding:
    truth = pipeline.predict_proba(rows)[:, 1]
    model = to_onnx(
        pipeline,
        initial_types=[("X", FloatTensorType([None, FEATURES]))],
        options={"zipmap": False},
        target_opset=17,
    ).SerializeToString()
    order = np.random.default_rng(stage.seed).permutation(len(rows))
    found = {}
    for batch in (1, 1_024) if stage.quick else BATCHES:
        stage.say(f"{name}, batches of {batch}")
        found[str(batch)] = _scores(stage, model, rows, batch)
    shuffled = np.empty(len(rows))
    shuffled[order] = _scores(stage, model, rows[order], BATCHES[-1])
    found["shuffled"] = shuffled
    first = next(iter(found.values()))
    off = {
        at: int((~np.isclose(one, truth, rtol=RTOL, atol=ATOL)).sum()) for at, one in found.items()
    }
    unequal = {at: int((one != first).sum()) for at, one in found.items()}
    worst = max(float(np.abs(one - truth).max()) for one in found.values())
    return Finding(
        "numbers",
        f"{name}, {len(rows):,} rows through the worker in batches of "
        f"{', '.join(at for at in found if at != 'shuffled')}, and shuffled",
        f"beyond the tolerance of scikit-learn's {sum(off.values())}/{len(rows) * len(found):,}, "
        f"largest difference {worst:.1e}; other than in batches of 1: "
        f"{sum(unequal.values())}/{len(rows) * (len(found) - 1):,}",
        f"0 beyond rtol {RTOL:g}, atol {ATOL:g}; 0 that depend on their batch",
        not any(off.values()) and not any(unequal.values()),
    )


def _scores(stage: Stage, model: bytes, rows: Rows, batch: int) -> NDArray[np.float64]:
    """The worker's score of each row ``(n,)``."""
    service = _service(stage, model)
    sent = [
        Record(json.dumps({"id": i, **{f"x{k}": float(v) for k, v in enumerate(row)}}).encode())
        for i, row in enumerate(rows)
    ]
    with ExitStack() as stack:
        produce(stage.bootstrap, service.source, sent)
        environment = {"RTML_MAX_BATCH_EVENTS": str(batch)}
        stack.enter_context(service.worker(environment=environment))
        service.settled(timeout_s=PATIENCE_S)
    scores = np.full(len(rows), np.nan)
    for one in service.scored():
        found = json.loads(one.value or b"")
        scores[found["id"]] = found["score"]
    return scores


def _service(stage: Stage, model: bytes) -> Service:
    names = [f"x{k}" for k in range(FEATURES)]
    types = {"id": {"type": "integer"}, **{name: {"type": "number"} for name in names}}
    outputs = {"score": "probabilities[1]"}
    node = {"model": "pipeline.onnx", "features": names, "outputs": outputs}
    return stage.service(
        nodes=[{"id": "score", "type": "ONNXNode", "params": node}],
        source={"schema": {"type": "object", "required": list(types), "properties": types}},
        models={"pipeline.onnx": model},
    )
