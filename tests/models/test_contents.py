"""Contents: external data, foreign operators and deep graphs are found wherever they hide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from tests.models.makers import FLOAT, identity, tensor
from worker.models.contents import reasons_against

DEPTH = 3


def outside(location: str = "weights.bin") -> TensorProto:
    """A tensor whose data lie in another file."""
    made = tensor("w", [1], [0])
    made.ClearField("float_data")
    made.data_location = TensorProto.EXTERNAL
    made.external_data.add(key="location", value=location)
    return made


def hidden() -> TensorProto:
    """A tensor that names another file, and says that it does not use it."""
    made = tensor("w", [1], [0])
    made.external_data.add(key="location", value="weights.bin")
    return made


def sparse(values: TensorProto, indices: TensorProto) -> Any:
    """A sparse tensor of these parts."""
    return helper.make_sparse_tensor(values, indices, [9])


def constant(**attributes: Any) -> NodeProto:
    """A node with these attributes."""
    return helper.make_node("Constant", [], ["c"], **attributes)


def subgraph(*nodes: NodeProto) -> GraphProto:
    """A graph for an attribute."""
    return helper.make_graph(nodes, "inner", [], [helper.make_tensor_value_info("c", FLOAT, [1])])


def branch(inner: GraphProto) -> NodeProto:
    """A node that holds a graph."""
    return helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)


def in_initializer(model: ModelProto) -> None:
    """Where weights usually are."""
    model.graph.initializer.append(outside())


def in_disguise(model: ModelProto) -> None:
    """The location is there, the flag is not."""
    model.graph.initializer.append(hidden())


def in_sparse_values(model: ModelProto) -> None:
    """The values of a sparse initializer."""
    model.graph.sparse_initializer.append(sparse(outside(), tensor("i", [1], [0])))


def in_sparse_indices(model: ModelProto) -> None:
    """The indices of a sparse initializer."""
    model.graph.sparse_initializer.append(sparse(tensor("v", [1], [0]), outside()))


def in_attribute(model: ModelProto) -> None:
    """A constant."""
    model.graph.node.append(constant(value=outside()))


def in_list_attribute(model: ModelProto) -> None:
    """An attribute of several tensors."""
    model.graph.node.append(constant(values=[tensor("v", [1], [0]), outside()]))


def in_sparse_attribute(model: ModelProto) -> None:
    """A sparse constant."""
    model.graph.node.append(constant(sparse_value=sparse(outside(), tensor("i", [1], [0]))))


def in_subgraph(model: ModelProto) -> None:
    """A graph inside a graph inside a node."""
    model.graph.node.append(branch(subgraph(branch(subgraph(constant(value=outside()))))))


def in_subgraph_initializer(model: ModelProto) -> None:
    """An initializer of a nested graph."""
    inner = subgraph()
    inner.initializer.append(outside())
    model.graph.node.append(branch(inner))


def in_graphs_attribute(model: ModelProto) -> None:
    """An attribute of several graphs."""
    node = model.graph.node.add(op_type="Any")
    attribute = node.attribute.add(name="bodies", type=AttributeProto.GRAPHS)
    attribute.graphs.append(subgraph(constant(value=outside())))


def in_function(model: ModelProto) -> None:
    """A function of the model's own."""
    opset = [helper.make_opsetid("", 17)]
    node = constant(value=outside())
    model.functions.append(helper.make_function("own", "f", [], ["c"], [node], opset))


def in_function_default(model: ModelProto) -> None:
    """The default of a function's attribute."""
    function = model.functions.add(name="f", domain="own")
    function.attribute_proto.add(name="a", type=AttributeProto.TENSOR).t.CopyFrom(outside())


def in_training(model: ModelProto) -> None:
    """What training would use."""
    model.training_info.add().initialization.initializer.append(outside())


PLACES = [
    in_initializer,
    in_disguise,
    in_sparse_values,
    in_sparse_indices,
    in_attribute,
    in_list_attribute,
    in_sparse_attribute,
    in_subgraph,
    in_subgraph_initializer,
    in_graphs_attribute,
    in_function,
    in_function_default,
    in_training,
]


@pytest.mark.parametrize("hide", PLACES, ids=lambda hide: hide.__name__)
def test_external_data_is_found(hide: Callable[[ModelProto], None]) -> None:
    """In every place of the format that can hold a tensor."""
    model = identity()
    assert reasons_against(model, DEPTH) == []
    hide(model)
    (reason,) = reasons_against(ModelProto.FromString(model.SerializeToString()), DEPTH)
    assert reason.startswith("holds tensor data outside the file: ")


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../../secret", "", "C:\\x", "*/_ORT_MEM_ADDR_/*"]
)
def test_no_location_is_fine(location: str) -> None:
    """Absolute, relative, nowhere, or an address in memory."""
    model = identity()
    model.graph.initializer.append(outside(location))
    (reason,) = reasons_against(model, DEPTH)
    assert reason == "holds tensor data outside the file: graph.initializer[0]; save it whole"


@pytest.mark.parametrize("domain", ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"])
def test_operators_that_onnx_runtime_brings(domain: str) -> None:
    """Its own domains need no other library."""
    model = identity()
    model.graph.node.append(helper.make_node("Any", ["x"], ["z"], domain=domain))
    assert reasons_against(model, DEPTH) == []


def test_foreign_operators_are_found_in_subgraphs_and_functions() -> None:
    """Each is named once, wherever it stands."""
    model = identity()
    evil = helper.make_node("Evil", ["x"], ["c"], domain="com.evil")
    model.graph.node.append(branch(subgraph(evil, evil)))
    opset = [helper.make_opsetid("", 17)]
    worse = helper.make_node("Worse", [], ["c"], domain="com.evil")
    model.functions.append(helper.make_function("own", "f", [], ["c"], [worse], opset))
    (reason,) = reasons_against(model, DEPTH)
    listed = reason.removeprefix("uses operators of other libraries: ").split(", ")
    assert sorted(listed) == ["com.evil.Evil", "com.evil.Worse"]


def test_a_models_own_functions_are_allowed() -> None:
    """PyTorch writes them, in domains of its own."""
    model = identity()
    opset = [helper.make_opsetid("", 17)]
    node = constant(value=tensor("v", [1], [0]))
    model.functions.append(helper.make_function("pkg.torch", "f", [], ["c"], [node], opset))
    model.graph.node.append(helper.make_node("f", [], ["z"], domain="pkg.torch"))
    assert reasons_against(model, DEPTH) == []


@pytest.mark.parametrize(("levels", "allowed"), [(1, True), (DEPTH, True), (DEPTH + 1, False)])
def test_depth_is_bounded(levels: int, allowed: bool) -> None:
    """Graphs in attributes of nodes of graphs, up to the limit."""
    inner = subgraph()
    for _ in range(levels - 1):
        inner = subgraph(branch(inner))
    model = identity()
    model.graph.node.append(branch(inner))
    expected = [] if allowed else [f"nests graphs {levels} deep; at most {DEPTH} are allowed"]
    assert reasons_against(model, DEPTH) == expected


def test_every_reason_at_once_and_few_of_each() -> None:
    """All reasons are told; a long list is cut off."""
    model = identity()
    for i in range(9):
        model.graph.initializer.append(outside())
        model.graph.node.append(helper.make_node(f"E{i}", ["x"], ["z"], domain="x" * 1000))
    data, operators = reasons_against(model, DEPTH)
    assert data.endswith(" and 4 more; save it whole")
    assert operators.endswith(" and 4 more")
    assert len(operators) < 700
