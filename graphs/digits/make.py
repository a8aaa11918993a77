"""The digits model: its training, its export, its sample events and its cases."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from graphs.making import Case, Event, node_params, one_case, rejected, to_model

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]

PARAMS = node_params("digits")
PIXELS = 64
SEED = 0


def data() -> tuple[Floats, Floats, Classes, Classes]:
    """Return pixels (n, 64) and digits (n,): training rows, held-out rows, then their digits."""
    pixels, digits = load_digits(return_X_y=True)
    split: Any = train_test_split(pixels, digits, test_size=450, stratify=digits, random_state=SEED)
    return tuple(split)


def held_out() -> tuple[Floats, Classes]:
    """Return pixels (450, 64) and digits (450,) of the images that training did not see."""
    _, pixels, _, digits = data()
    return pixels, digits


@functools.cache
def train() -> Pipeline:
    """Return the scaler and perceptron, the same ones in every process.

    Adam with a fixed seed comes to the same weights whatever the machine's vector instructions
    (scores agree within 2e-15); L-BFGS does not (they differ by up to 0.05).
    """
    pixels, _, digits, _ = data()
    perceptron = MLPClassifier(
        hidden_layer_sizes=(64,),
        alpha=0.01,
        learning_rate_init=0.003,
        tol=1e-3,
        max_iter=300,
        random_state=SEED,
    )
    return make_pipeline(MaxAbsScaler(), perceptron).fit(pixels, digits)


def export() -> ModelProto:
    """Return the pipeline as ONNX, with the largest probability as a third output."""
    model = to_model(train(), "image", PIXELS, zipmap=False)
    largest = helper.make_node("ReduceMax", ["probabilities"], ["confidence"], axes=[1], keepdims=0)
    confidence = helper.make_tensor_value_info("confidence", TensorProto.FLOAT, [None])
    model.graph.node.append(largest)
    model.graph.output.append(confidence)
    return model


def quality() -> str:
    """Return how good the model is on the images that it has not seen."""
    pixels, digits = held_out()
    probabilities = train().predict_proba(pixels)
    accepted = probabilities.max(axis=1) >= PARAMS["desk"]["at"]
    right = probabilities.argmax(axis=1) == digits
    return (
        f"{len(digits)} images held out, accuracy {right.mean():.4f}, "
        f"{accepted.sum()} accepted, of them right {right[accepted].mean():.4f}, "
        f"{(~accepted).sum()} to review, of them right {right[~accepted].mean():.4f}"
    )


def reference(events: list[Event]) -> list[dict[str, Any]]:
    """Return what a case expects of each event, by scikit-learn; every image must be complete."""
    pixels = np.array([event["pixels"].split(",") for event in events], dtype=np.float64)
    return [{"scored": decision(row)} for row in train().predict_proba(pixels)]


def decision(probabilities: Floats) -> dict[str, Any]:
    """Return the fields that the graph adds to an image with these probabilities (10,)."""
    digit = int(probabilities.argmax())
    confidence = float(probabilities[digit])
    desk = PARAMS["desk"]
    return {
        "digit": digit,
        "name": PARAMS["word"]["labels"][digit],
        "confidence": confidence,
        "handling": desk["above"] if confidence >= desk["at"] else desk["below"],
        "probabilities": probabilities.tolist(),
    }


def sample_events() -> list[Event]:
    """Return the held-out images as events, so that what is shown was not learnt by heart."""
    pixels, _ = held_out()
    return [
        image(f"image-{index:03}", row) for index, row in enumerate(pixels.astype(int).tolist())
    ]


def image(name: str, values: list[Any]) -> Event:
    """Return the event of an image with these grey values."""
    return {"id": name, "pixels": ",".join(map(str, values))}


def cases() -> list[Case]:
    """Return the graph's cases."""
    events = sample_events()
    outcomes = [outcome["scored"] for outcome in reference(events)]
    order = sorted(range(len(events)), key=lambda index: outcomes[index]["confidence"])
    of_each_digit = {outcomes[index]["digit"]: events[index] for index in order}
    values = events[0]["pixels"].split(",")

    def scored(name: str, *images: Event) -> Case:
        return one_case(name, list(images), reference(list(images)))

    def unreadable(name: str, values: list[Any]) -> Case:
        return rejected(name, image("unreadable", values), node="image")

    return [
        scored("a clear image is accepted", events[order[-1]]),
        scored("a doubtful image goes to review", events[order[0]]),
        scored("every digit has its name", *(of_each_digit[digit] for digit in range(10))),
        scored("the emptiest image and the fullest", image("0", [0] * 64), image("16", [16] * 64)),
        scored("numbers may have a fraction", image("fraction", [f"{v}.0" for v in values])),
        unreadable("63 numbers are no image", values[1:]),
        unreadable("nor are 65", ["0", *values]),
        unreadable("nor is a word among the numbers", ["ink", *values[1:]]),
        rejected("an image that is null cannot be read", {"id": "a", "pixels": None}, node="image"),
        rejected("nor one that is not there", {"id": "a"}, node="image"),
        rejected("a list is not the text declared", {"id": "a", "pixels": [0]}, stage="decode"),
        rejected("an image needs its id", {"pixels": events[0]["pixels"]}, stage="decode"),
    ]
