"""The closed table of scikit-learn classes that a notebook may train, and that become ONNX."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from worker.authoring.extras import need
from worker.errors import Problem, nearest


class Task(StrEnum):
    """What an estimator is for."""

    CLASSIFIER = "classifier"
    REGRESSOR = "regressor"
    SCALER = "scaler"


_NAMES: dict[Task, dict[str, tuple[str, ...]]] = {
    Task.CLASSIFIER: {
        "discriminant_analysis": ("LinearDiscriminantAnalysis",),
        "ensemble": (
            "AdaBoostClassifier",
            "ExtraTreesClassifier",
            "GradientBoostingClassifier",
            "HistGradientBoostingClassifier",
            "RandomForestClassifier",
        ),
        "linear_model": ("LogisticRegression", "Perceptron", "RidgeClassifier", "SGDClassifier"),
        "naive_bayes": ("BernoulliNB", "GaussianNB", "MultinomialNB"),
        "neighbors": ("KNeighborsClassifier",),
        "neural_network": ("MLPClassifier",),
        "svm": ("LinearSVC",),
        "tree": ("DecisionTreeClassifier", "ExtraTreeClassifier"),
    },
    Task.REGRESSOR: {
        "ensemble": (
            "AdaBoostRegressor",
            "ExtraTreesRegressor",
            "GradientBoostingRegressor",
            "HistGradientBoostingRegressor",
            "RandomForestRegressor",
        ),
        "linear_model": (
            "BayesianRidge",
            "ElasticNet",
            "HuberRegressor",
            "Lasso",
            "LinearRegression",
            "PoissonRegressor",
            "Ridge",
            "SGDRegressor",
        ),
        "neighbors": ("KNeighborsRegressor",),
        "neural_network": ("MLPRegressor",),
        "svm": ("LinearSVR", "SVR"),
        "tree": ("DecisionTreeRegressor", "ExtraTreeRegressor"),
    },
    Task.SCALER: {
        "preprocessing": ("MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler"),
    },
}

ESTIMATORS: dict[str, Task] = {
    f"sklearn.{module}.{name}": task
    for task, modules in _NAMES.items()
    for module, names in modules.items()
    for name in names
}
"""Import path -> what it is."""


def known(path: str) -> str:
    """The path.

    Raises:
        ValueError: it is not in the table.
    """
    if path in ESTIMATORS:
        return path
    by_class = {name.rpartition(".")[2]: name for name in ESTIMATORS}
    way_out = nearest(path, ESTIMATORS, limit=len(ESTIMATORS))
    last = path.rpartition(".")[2]
    if last in by_class:
        way_out = f"; did you mean '{by_class[last]}'?"
    if "known:" not in way_out:
        way_out += f" Known: {', '.join(ESTIMATORS)}"
    raise ValueError(f"'{path}' is none of the models that can be trained here{way_out}")


def param_problems(path: str, params: Iterable[str]) -> list[Problem]:
    """Every param that the class of an estimator does not know.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    kind = _class(path)
    names = [name for name in inspect.signature(kind).parameters if name != "self"]
    return [
        Problem(
            f"params.model_params.{param}", f"is no param of {kind.__name__}{nearest(param, names)}"
        )
        for param in params
        if param not in names
    ]


def made(path: str, params: Mapping[str, Any]) -> Any:
    """A new estimator of params that its class knows."""
    return _class(path)(**params)


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(need(module), name)
