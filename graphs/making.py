"""What the `make.py` of every graph shares: reading its graph file, writing its files and cases."""

import functools
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from onnx import ModelProto, checker
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

Event = dict[str, Any]
Case = dict[str, Any]

FOLDER = Path(__file__).resolve().parent
MODEL_LIMIT_BYTES = 1_000_000
CASES_HEADER = (
    "# Written by `python -m graphs`: change make.py. The scores are scikit-learn's own.\n"
)


@functools.cache
def load(name: str, part: str) -> ModuleType:
    """Return the module `<name>/<part>.py`; a folder with a dash in its name is no package."""
    spec = importlib.util.spec_from_file_location(
        f"graphs.{name.replace('-', '_')}_{part}", FOLDER / name / f"{part}.py"
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"graphs/{name}/{part}.py cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def node_params(name: str) -> dict[str, Any]:
    """Return the params of each node of the graph by the node's id."""
    graph = yaml.safe_load((FOLDER / name / "graph.yaml").read_text(encoding="utf-8"))
    return {node["id"]: node["params"] for node in graph["nodes"]}


def to_model(estimator: Any, input_name: str, width: int, *, zipmap: bool) -> ModelProto:
    """Return the fitted estimator as ONNX, with one float32 input of shape (n, width)."""
    model: ModelProto = to_onnx(
        estimator,
        initial_types=[(input_name, FloatTensorType([None, width]))],
        options={"zipmap": zipmap},
        target_opset=17,
    )
    # skl2onnx collects the operator sets in a set, whose order differs from process to process.
    operator_sets = sorted(model.opset_import, key=lambda item: item.domain)
    del model.opset_import[:]
    model.opset_import.extend(operator_sets)
    return model


def one_case(name: str, events: list[Event], expect: list[dict[str, Any]]) -> Case:
    """Return a case of a graph's `cases.yaml`: what is expected of each event."""
    return {"name": name, "events": events, "expect": expect}


def rejected(name: str, event: Event, **fault: str) -> Case:
    """Return the case of an event that becomes a dead letter with this stage, node, ..."""
    return one_case(name, [event], [{"rejected": fault}])


def write(folder: Path, model: ModelProto, events: list[Event], cases: list[Case]) -> None:
    """Write `model.onnx`, `events.jsonl` and `cases.yaml` into the folder.

    Raises:
        ValueError: the model is too large to be kept beside its graph; nothing is written.
    """
    checker.check_model(model, full_check=True)
    content = model.SerializeToString(deterministic=True)
    if len(content) >= MODEL_LIMIT_BYTES:
        raise ValueError(f"the model has {len(content)} bytes, the limit is {MODEL_LIMIT_BYTES}")
    (folder / "model.onnx").write_bytes(content)
    (folder / "events.jsonl").write_text(json_lines(events), encoding="utf-8")
    (folder / "cases.yaml").write_text(cases_text(cases), encoding="utf-8")


def json_lines(events: list[Event]) -> str:
    """Return the events as JSON Lines, one event per line."""
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)


def cases_text(cases: list[Case]) -> str:
    """Return the cases as YAML, the fields of an event side by side."""
    text: str = yaml.safe_dump(
        {"cases": [rounded(case) for case in cases]},
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=110,
    )
    return CASES_HEADER + text


def rounded(value: Any) -> Any:
    """Return the value with its floats at 9 significant digits, all that float32 can tell apart."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return value
