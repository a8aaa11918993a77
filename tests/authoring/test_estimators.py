"""The closed table of estimators: what each learns is what its ONNX gives."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.authoring.support import problems
from worker.authoring import DataMsg, ScikitLearn
from worker.authoring.estimators import ESTIMATORS, Task, made
from worker.errors import ConfigError
from worker.models.session import Session

FEATURES = ["a", "b", "c", "d"]
QUICK = {"random_state": 0, "hidden_layer_sizes": [16], "tol": 0.1, "n_iter_no_change": 2}
"""A net need not be good to be compared; where it does not settle, scikit-learn warns."""
PARAMS: dict[str, dict[str, Any]] = {
    "MLPClassifier": QUICK,
    "MLPRegressor": QUICK,
    "LogisticRegression": {"solver": "lbfgs"},
    "HuberRegressor": {"max_iter": 1000},
    "LinearSVC": {"max_iter": 100_000},
    "LinearSVR": {"max_iter": 100_000},
}

FAST = {"random_state": 0, "n_estimators": 20}


def table(task: Task, n: int = 200) -> pd.DataFrame:
    """Four features, not negative, and a label that depends on them."""
    random = np.random.default_rng(3)
    rows = random.gamma(2.0, 1.0, size=(n, 4)).astype(np.float32)
    told = rows[:, 0] - rows[:, 1] * rows[:, 2] / 2 + 0.3 * random.normal(size=n)
    frame = pd.DataFrame(rows, columns=FEATURES)
    label = np.digitize(told, [-0.5, 0.8]) if task is Task.CLASSIFIER else np.exp(told / 4)
    return frame.assign(y=label)


def trained(path: str, folder: Path, mode: str = "train", **model_params: Any) -> Any:
    """A node that trains this class on `table`."""
    name = path.rpartition(".")[2]
    given = {**PARAMS.get(name, {}), **model_params}
    known = made(path, {}).get_params()
    given |= {key: value for key, value in FAST.items() if key in known and key not in given}
    return ScikitLearn(
        params={
            "features": FEATURES,
            "label": "y",
            "mode": mode,
            "model_path": str(folder / "m.onnx"),
            "params": {"model": path, "model_params": given},
        }
    )


def wrong(path: str) -> dict[str, Any]:
    """Params with a class that is not in the table."""
    model = {"model": path}
    return {"features": ["a"], "label": "y", "mode": "train", "model_path": "m", "params": model}


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=pytest.mark.long if "MLP" in p else ()) for p in ESTIMATORS],
)
def test_onnx_is_what_was_learnt(path: str, tmp_path: Path) -> None:
    """The file gives scikit-learn's numbers (rtol 1e-5, atol 1e-6 of the scale) and classes."""
    task = ESTIMATORS[path]
    frame = table(task)
    node = trained(path, tmp_path)
    msg = node.process(DataMsg(frame))
    rows = frame[FEATURES].to_numpy()
    own = made(path, node.params["params"]["model_params"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own.fit(rows, frame["y"])
    session = Session(tmp_path / "m.onnx", "m")
    first, *rest = session.run({"features": rows}, list(session.outputs))
    if task is Task.CLASSIFIER:
        assert first.tolist() == own.predict(rows).tolist()
        close(rest[0], scores(own, rows))
    elif task is Task.REGRESSOR:
        close(first[:, 0], own.predict(rows))
    else:
        close(first, own.transform(rows))
        close(msg.data[FEATURES].to_numpy(), own.transform(rows))


def scores(own: Any, rows: Any) -> Any:
    """What scikit-learn says beside the class: probabilities, else distances of the classes."""
    if hasattr(own, "predict_proba"):
        return own.predict_proba(rows)
    found = own.decision_function(rows)
    return np.column_stack([-found, found]) if found.ndim == 1 else found


def close(found: Any, truth: Any) -> None:
    """Within the tolerances for smooth models."""
    scale = float(np.abs(truth).max())
    np.testing.assert_allclose(found, truth, rtol=1e-5, atol=1e-6 * max(scale, 1.0))


def test_a_class_that_is_not_in_the_table() -> None:
    """An unknown path is refused with the nearest one and the whole list."""
    with pytest.raises(ConfigError) as caught:
        ScikitLearn(params=wrong("sklearn.linear_model.LogisticRegresion"))
    (told,) = problems(caught.value)
    assert "did you mean 'sklearn.linear_model.LogisticRegression'?" in told
    assert all(path in told for path in ESTIMATORS)


def test_nothing_else_can_be_imported() -> None:
    """A path outside the table is never imported, however near to scikit-learn it looks."""
    with pytest.raises(ConfigError, match="none of the models that can be trained here"):
        ScikitLearn(params=wrong("sklearn.os.system"))


def test_unknown_hyperparameters(tmp_path: Path) -> None:
    """Each unknown one is told with the nearest that the class knows."""
    with pytest.raises(ConfigError) as caught:
        trained("sklearn.linear_model.Ridge", tmp_path, alfa=1).process(
            DataMsg(table(Task.REGRESSOR))
        )
    assert problems(caught.value) == [
        "params.model_params.alfa: is no param of Ridge; did you mean 'alpha'?"
    ]


def test_what_scikit_learn_refuses(tmp_path: Path) -> None:
    """A hyperparameter of a wrong value is told in scikit-learn's words, and no file is written."""
    with pytest.raises(ConfigError, match="GradientBoostingClassifier: The 'n_estimators' param"):
        trained("sklearn.ensemble.GradientBoostingClassifier", tmp_path, n_estimators=-1).process(
            DataMsg(table(Task.CLASSIFIER))
        )
    assert list(tmp_path.iterdir()) == []
