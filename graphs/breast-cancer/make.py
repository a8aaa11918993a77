"""The breast cancer model: its training, its export, its sample events and its cases."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.model_selection import train_test_split

from graphs.making import Case, Event, node_params, one_case, rejected, to_model

Floats = npt.NDArray[np.float32]
Classes = npt.NDArray[np.int64]

FEATURES = [name.replace(" ", "_") for name in load_breast_cancer().feature_names]
MALIGNANT = 0  # scikit-learn's class order: malignant, benign
ALERT_AT = node_params("breast-cancer")["alarm"]["at"]
SEED = 0


def data() -> tuple[Floats, Floats, Classes, Classes]:
    """Return features (n, 30) and classes (n,): training rows, held-out rows, then their classes.

    The features are float32, as the worker feeds them, so that no value lies between a tree's
    threshold in double and in single precision.
    """
    features, classes = load_breast_cancer(return_X_y=True)
    split: Any = train_test_split(
        features.astype(np.float32), classes, test_size=0.25, stratify=classes, random_state=SEED
    )
    return tuple(split)


def held_out() -> tuple[Floats, Classes]:
    """Return features (143, 30) and classes (143,) of the rows that training did not see."""
    _, features, _, classes = data()
    return features, classes


@functools.cache
def train() -> GradientBoostingClassifier:
    """Return the classifier, the same one in every process."""
    features, _, classes, _ = data()
    model = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=SEED)
    return model.fit(features, classes)


def export() -> ModelProto:
    """Return the classifier as ONNX, with ZipMap: one map of class to probability per row."""
    return to_model(train(), "measurements", len(FEATURES), zipmap=True)


def quality() -> str:
    """Return how good the model is on the rows that it has not seen."""
    features, classes = held_out()
    malignancy = train().predict_proba(features)[:, MALIGNANT]
    actual = classes == MALIGNANT
    return (
        f"{len(actual)} rows held out, {actual.sum()} malignant, "
        f"accuracy {np.mean((malignancy >= ALERT_AT) == actual):.4f}, "
        f"sensitivity {recall_score(actual, malignancy >= ALERT_AT):.4f}, "
        f"ROC AUC {roc_auc_score(actual, malignancy):.4f}"
    )


def reference(events: list[Event]) -> list[dict[str, Any]]:
    """Return what a case expects of each event, by scikit-learn; no measurement may be missing."""
    rows = np.array([[event[name] for name in FEATURES] for event in events], dtype=np.float32)
    return [
        {"scored": {"malignancy": p, "alert": p >= ALERT_AT}}
        for p in train().predict_proba(rows)[:, MALIGNANT].tolist()
    ]


def sample_events() -> list[Event]:
    """Return all 569 rows of the data set as events, the numbers as the data set prints them."""
    rows = load_breast_cancer().data.tolist()
    return [
        {"id": f"sample-{index:03}", **dict(zip(FEATURES, row, strict=True))}
        for index, row in enumerate(rows)
    ]


def cases() -> list[Case]:
    """Return the graph's cases."""
    events = sample_events()
    malignant, benign = events[0], events[19]
    smooth = next(event for event in events if event["mean_concavity"] == 0)
    whole = {**benign, "mean_radius": 14, "worst_radius": 15}
    at_limits = {**malignant, "mean_radius": 50, "smoothness_error": 0}
    too_large = {**malignant, "mean_radius": 50.01}
    negative = {**benign, "area_error": -1.0}
    null = {**benign, "mean_texture": None}
    absent = {name: value for name, value in benign.items() if name != "worst_texture"}
    text = {**benign, "mean_area": "566.3"}
    nameless = {name: value for name, value in benign.items() if name != "id"}

    def scored(name: str, event: Event) -> Case:
        return one_case(name, [event], reference([event]))

    def implausible(name: str, event: Event, error: str, field: str) -> Case:
        fault = {"stage": "validate", "node": "plausible", "error": error, "message": field}
        return rejected(name, event, **fault)

    among_good = [*reference([malignant]), {"rejected": {"stage": "decode"}}, *reference([benign])]
    return [
        scored("a malignant tumour raises an alert", malignant),
        scored("a benign tumour raises none", benign),
        scored("a cell without any concavity is measured, not missing", smooth),
        scored("numbers may be whole", whole),
        scored("a measurement at its limit is plausible", at_limits),
        implausible("a measurement above its limit is not", too_large, "RangeError", "mean_radius"),
        implausible("nor is a negative one", negative, "RangeError", "area_error"),
        implausible(
            "a measurement that is null is refused, not guessed",
            null,
            "MissingError",
            "mean_texture",
        ),
        implausible("and so is one that is not there", absent, "MissingError", "worst_texture"),
        rejected("text is no measurement", text, stage="decode"),
        rejected("a sample needs its id", nameless, stage="decode"),
        one_case("a bad event spares its neighbours", [malignant, text, benign], among_good),
    ]
