"""The notebook: nodes, graphs and services with the calls of Adobe's Real-time Machine Learning.

Every node kind of the worker is a class here, also those of installed packages; `process` runs
the same code as the stream. pandas, scikit-learn and skl2onnx come with the extra ``authoring``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.authoring.builder import GraphBuilder
from worker.authoring.edge_utils import EdgeUtils
from worker.authoring.factory import NodeFactory
from worker.authoring.kinds import JsonToDataframe, Pandas
from worker.authoring.message import DataMsg
from worker.authoring.model_upload import ModelUpload
from worker.authoring.node import Node
from worker.authoring.scikit_learn import ScikitLearn
from worker.authoring.simulator import Simulator
from worker.authoring.split import Split
from worker.errors import ConfigError

if TYPE_CHECKING:
    from worker.authoring.node import CoreNode as FieldOps
    from worker.authoring.node import CoreNode as FieldTrans
    from worker.authoring.node import CoreNode as ONNXNode
    from worker.authoring.node import CoreNode as OneHotEncoder
    from worker.authoring.node import CoreNode as Processor
    from worker.authoring.node import CoreNode as Receiver

__all__ = [
    "DataMsg",
    "EdgeUtils",
    "FieldOps",
    "FieldTrans",
    "GraphBuilder",
    "JsonToDataframe",
    "ModelUpload",
    "Node",
    "NodeFactory",
    "ONNXNode",
    "OneHotEncoder",
    "Pandas",
    "Processor",
    "Receiver",
    "ScikitLearn",
    "Simulator",
    "Split",
]


def __getattr__(name: str) -> type[Node]:
    """The class of a node kind."""
    try:
        return NodeFactory.node_class(name)
    except ConfigError as error:
        raise AttributeError(f"module 'worker.authoring': {error}") from None


def __dir__() -> list[str]:
    return sorted({*__all__, *NodeFactory.discover_nodes()})
