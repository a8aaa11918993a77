"""The car insurance model: its training, its export, its sample events and its cases."""

import copy
import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from onnx import ModelProto
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import accuracy_score, roc_auc_score

from graphs.making import Case, Event, load, one_case, rejected, to_model

Floats = npt.NDArray[np.float32]
Classes = npt.NDArray[np.int64]

GENERATE = load("car-insurance", "generate")
PREPARE = load("car-insurance", "prepare")
PARAMS = PREPARE.PARAMS
TRAINING = {"n": 6000, "seed": 1}
HELD_OUT = {"n": 2000, "seed": 2}
SAMPLE = {"n": 480, "seed": 3}


def labelled(n: int, seed: int) -> tuple[Floats, Classes]:
    """Return features (m, 36) and classes (m,) of those of the n events that get a score."""
    pairs = GENERATE.visits(n, seed)
    table = PREPARE.frame([event for event, _ in pairs])
    good = [PREPARE.fate(row) is None for row in table.to_dict("records")]
    classes = np.array([quote for _, quote in pairs], dtype=np.int64)
    return PREPARE.features(table[good]), classes[good]


def held_out() -> tuple[Floats, Classes]:
    """Return features and classes of events that training did not see."""
    return labelled(**HELD_OUT)


@functools.cache
def train() -> GradientBoostingClassifier:
    """Return the classifier, the same one in every process."""
    model = GradientBoostingClassifier(n_estimators=80, max_depth=5, random_state=0)
    return model.fit(*labelled(**TRAINING))


def export() -> ModelProto:
    """Return the classifier as ONNX."""
    return to_model(train(), "features", len(PREPARE.FEATURES), zipmap=False)


def quality() -> str:
    """Return how good the model is on events that it has not seen."""
    rows, classes = held_out()
    interest = train().predict_proba(rows)[:, 1]
    return (
        f"{len(classes)} events held out, {classes.sum()} quotes, "
        f"accuracy {accuracy_score(classes, interest >= PARAMS['offer']['at']):.4f}, "
        f"ROC AUC {roc_auc_score(classes, interest):.4f}"
    )


def reference(events: list[Event]) -> list[dict[str, Any]]:
    """Return what a case expects of each event, by scikit-learn; each must be decodable."""
    table = PREPARE.frame(events)
    outcomes = [PREPARE.fate(row) for row in table.to_dict("records")]
    good = [outcome is None for outcome in outcomes]
    scored = iter(
        train().predict_proba(PREPARE.features(table[good]))[:, 1].tolist() if any(good) else []
    )
    return [outcome or {"scored": decision(next(scored))} for outcome in outcomes]


def decision(interest: float) -> dict[str, Any]:
    """Return the fields that the graph adds to an event with this score."""
    segment, offer = PARAMS["segment"], PARAMS["offer"]
    return {
        "interest": interest,
        "segment": pd.cut([interest], segment["bins"], labels=segment["labels"])[0],
        "offer": offer["above"] if interest >= offer["at"] else offer["below"],
    }


def sample_events() -> list[Event]:
    """Return simulated events that neither training nor the test of the model has seen."""
    return [event for event, _ in GENERATE.visits(**SAMPLE)]


def changed(event: Event, timestamp: str | None = None, **user_info: Any) -> Event:
    """Return a copy of the event with another time and other fields of `userInfo`."""
    other = copy.deepcopy(event)
    other["timestamp"] = timestamp or other["timestamp"]
    other["_experienceplatform"]["userInfo"].update(user_info)
    return other


def cases() -> list[Case]:
    """Return the graph's cases."""
    visitor = {
        "timestamp": "2026-03-07T19:30:00.000+00:00",
        "eventType": GENERATE.VISIT,
        "_experienceplatform": {
            "identification": {"ecid": "10000000000000000000000000000000000001"},
            "userInfo": {
                "age": "24",
                "carbrand": "BMW",
                "cartype": "SUV",
                "leasing": "yes",
                "gender": "f",
                "country": "DE",
                "km": 22000,
                "nationality": "German",
                "primaryuser": "me",
            },
        },
    }
    told_nothing = copy.deepcopy(visitor)
    del told_nothing["_experienceplatform"]["userInfo"]
    unknown = copy.deepcopy(visitor)
    del unknown["_experienceplatform"]["identification"]["ecid"]
    nulls = dict.fromkeys(visitor["_experienceplatform"]["userInfo"])
    strange = dict.fromkeys(["carbrand", "cartype", "leasing", "gender", "nationality"], "???")

    def scored(name: str, *events: Event) -> Case:
        return one_case(name, list(events), reference(list(events)))

    def each(field: str, *values: Any) -> list[Event]:
        return [changed(visitor, **{field: value}) for value in values]

    def at(*times: str) -> list[Event]:
        return [changed(visitor, timestamp=time) for time in times]

    return [
        scored("a young driver who leases a large car is interested", visitor),
        scored("spellings of one brand score alike", *each("carbrand", "VW", " vw ", "Volkswagen")),
        scored("also beyond ASCII", *each("carbrand", "ŠKODA", "Skoda", "škoda")),
        scored("a brand nobody listed is one of the others", *each("carbrand", "Lada", "")),
        scored("words nobody listed are no category", changed(visitor, **strange)),
        scored("what is null is filled", changed(visitor, **nulls)),
        scored("what is absent is filled alike", told_nothing),
        scored("an age that is no number is filled", *each("age", "forty", "", None, "40")),
        scored("25 still is young, 26 is not", *each("age", "25", "26")),
        scored("ages at the limits", *each("age", "16", "110")),
        scored("ages beyond the limits are refused", *each("age", "15", "111", "-1")),
        scored("no kilometres, and more than count", *each("km", 0, 60000, 60000.5, 1e9)),
        scored("negative kilometres are refused", *each("km", -1)),
        scored(
            "hour and weekday are those of UTC, across midnight",
            *at("2026-03-08T00:30:00+01:00", "2026-03-07T23:30:00Z", "2026-03-07T23:59:59.999Z"),
            *at("2026-03-08T00:00:00Z", "2026-03-07T23:30:00"),
        ),
        scored("only page views are scored", {**visitor, "eventType": GENERATE.CLICK}, visitor),
        rejected("a time that is none is refused", *at("yesterday"), node="when"),
        rejected("kilometres in words are refused", *each("km", "many"), stage="decode"),
        rejected("an event without a visitor is refused", unknown, stage="decode"),
        scored("events as they come", *sample_events()[:40]),
    ]
