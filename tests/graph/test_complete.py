"""A notebook's graph becomes a graph file: ids, categories, topics and the derived schema."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from worker.errors import ConfigError
from worker.graph.categories import with_categories
from worker.graph.complete import complete
from worker.graph.dsl import parse_dsl
from worker.graph.spec import parse

FEATURE = {"type": "ONNXNode", "params": {"model_id": "m@1", "features": ["x"]}}


def op(name: str, cols: Any = None, *, inplace: bool = True, **kwargs: Any) -> dict[str, Any]:
    """A Pandas node."""
    named = {} if cols is None else {"cols": cols}
    params = {"import": name, "kwargs": kwargs, "inplace": inplace, **named}
    return {"type": "Pandas", "params": params}


def model(*features: str, **more: Any) -> dict[str, Any]:
    """An ONNXNode."""
    params = {"model_id": "m@1", "features": list(features), **more}
    return {"type": "ONNXNode", "params": params}


def payload(data: Any) -> dict[str, Any]:
    """A JsonToDataframe with a sample."""
    return {"type": "JsonToDataframe", "params": {"json_payload": json.dumps(data)}}


def dsl(*nodes: dict[str, Any]) -> dict[str, Any]:
    """A chain in the envelope; ids are n0, n1, ..."""
    written = [{"id": f"n{i}", **node} for i, node in enumerate(nodes)]
    edges = [[f"n{i}", f"n{i + 1}"] for i in range(len(nodes) - 1)]
    return {"edge": {"applicationDsl": {"nodes": written, "edges": edges}}}


def types(*nodes: dict[str, Any]) -> dict[str, Any]:
    """Field -> its JSON Schema, as derived."""
    found = complete(dsl(*nodes), "s")["source"]["schema"]["properties"]
    return {name: " ".join(field.values()) for name, field in found.items()}


def refused(*nodes: dict[str, Any]) -> list[str]:
    """Why no schema is derived."""
    with pytest.raises(ConfigError) as caught:
        complete(dsl(*nodes), "s")
    return [str(problem) for problem in caught.value.problems]


def test_topics_are_named_by_the_service() -> None:
    """Without names, topics are those of the service; `model_id` becomes `model`."""
    found = complete(dsl(FEATURE), "quotes-1")
    assert found == {
        "name": "quotes-1",
        "source": {
            "topic": "quotes-1-events",
            "schema": {"type": "object", "properties": {"x": {"type": "number"}}},
        },
        "nodes": [{"id": "n0", "type": "ONNXNode", "params": {"model": "m@1", "features": ["x"]}}],
        "edges": [],
        "sink": {"topic": "quotes-1-scored"},
    }
    assert parse(found).source.topic == "quotes-1-events"


def test_what_is_given_counts() -> None:
    """Topics as names or as a whole part of the file; a schema is taken as it is."""
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    found = complete(dsl(FEATURE), "s", "in", {"topic": "out", "into": "only"}, schema)
    assert found["source"] == {"topic": "in", "schema": schema}
    assert found["sink"] == {"topic": "out", "into": "only"}


def test_what_the_text_says_is_kept() -> None:
    """A whole graph file in the envelope keeps its name, topics, schema and the rest."""
    whole = dsl(FEATURE)
    rest = {
        "name": "own",
        "source": {"topic": "a", "schema": {"properties": {"x": {"type": "number"}}}},
        "sink": {"topic": "b"},
        "dead_letter": {"topic": "c"},
    }
    whole["edge"]["applicationDsl"] |= rest
    found = complete(json.dumps(whole), "s")
    assert {key: found[key] for key in rest} == rest


CUT = op("cut", "agee", bins=[0, 20, 100], labels=["young", "old"])


@pytest.mark.parametrize(
    "nodes",
    [
        (op("rename", None, columns={"_t.agee": "age"}), model("age")),
        (op("fillna", "_t.agee", value=0), model("_t.agee")),
        (model("_t.agee"),),
    ],
)
def test_a_column_beside_a_sample_that_is_misspelt(nodes: tuple[dict[str, Any], ...]) -> None:
    """What is nearly a column of the sample is refused with that, also where it is renamed."""
    (told,) = refused(payload([{"_t": {"age": 3}, "km": None}]), *nodes)
    wanted = "'_t.age'? Else put it there; null will do"
    assert told == f"_t.agee: is no column of json_payload; did you mean {wanted}"


def test_a_sample_need_not_have_every_field() -> None:
    """A field of another name is one of the event's; an empty column of the sample is known."""
    nodes = op("fillna", "speed", value=0), op("fillna", "km", value=0)
    assert types(payload([{"age": 3, "km": None}]), *nodes) == {
        "age": "number",
        "speed": "number",
        "km": "number",
    }


def test_categories_that_no_feature_names() -> None:
    """The features are told, and how one would have to begin."""
    with pytest.raises(ConfigError) as caught:
        with_categories(parse_dsl(dsl(op("get_dummies", "agee"), model("age_young", "km"))))
    (problem,) = caught.value.problems
    assert problem.path == "nodes[0].params.categories"
    assert problem.message.endswith("of the features age_young, km none begins with 'agee_'")


def test_a_replaced_id_is_found_again() -> None:
    """The notebook replaces the first node's id alone; its edges follow."""
    whole = dsl(op("abs", "a"), op("abs", "b"), FEATURE)
    fresh = str(uuid.uuid4())
    whole["edge"]["applicationDsl"]["nodes"][0]["id"] = fresh
    assert parse_dsl(whole).links == [(fresh, "n1"), ("n1", "n2")]


def test_two_replaced_ids_are_told() -> None:
    """Where more than one node lost its edges, nothing is guessed."""
    whole = dsl(op("abs", "a"), op("abs", "b"), FEATURE)
    for i in (0, 1):
        whole["edge"]["applicationDsl"]["nodes"][i]["id"] = f"other{i}"
    with pytest.raises(ConfigError, match="no node 'n0'"):
        complete(whole, "s")


def test_the_file_of_a_worker_needs_topics() -> None:
    """A notebook's graph as a file is refused with what to do."""
    with pytest.raises(ConfigError, match="names no topics and no schema: publish it"):
        parse(dsl(FEATURE))


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([model("a", "b.c")], {"a": "number", "b": {}}),
        ([op("map", "x", arg={"vw": 1}), FEATURE], {"x": "string"}),
        ([op("to_datetime", "x"), op("dt.hour", "x")], {"x": "string"}),
        ([op("to_datetime", "x", unit="ms"), op("dt.hour", "x")], {"x": "number"}),
        ([op("dt.hour", "x")], {"x": "string date-time"}),
        ([op("fillna", "x", value=0), FEATURE], {"x": "number"}),
        ([op("fillna", "x", value="none"), op("map", "x", arg={"a": 1}), FEATURE], {"x": "string"}),
        ([op("fillna", ["x", "y"], value="none")], {"x": "string", "y": "string"}),
        ([op("fillna", None, value=0), FEATURE], {"x": "number"}),
        ([op("rename", columns={"_t.age": "x"}), FEATURE], {"_t": {}}),
        ([{"type": "OneHotEncoder", "params": {"columns": {"x": [1, 2]}}}], {"x": "integer"}),
        ([op("str.lower", "x")], {"x": "string"}),
        (
            [{"type": "Derive", "params": {"into": "z", "expression": "x * 2 + y"}}],
            {"x": "number", "y": "number"},
        ),
        ([payload({"x": {0: True}}), op("isna", "x")], {"x": "boolean"}),
        ([payload([{"x": 3}]), op("map", "x", arg={"3": "a"})], {"x": "number"}),
        ([payload([{"x": "3"}]), op("map", "x", arg={"3": "a"})], {"x": "string"}),
        ([payload([{"x": "2026-01-01"}]), op("dt.hour", "x")], {"x": "string date-time"}),
    ],
)
def test_derived_types(nodes: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    """Features are numbers; keys, values, categories, operations and samples decide the rest."""
    found = complete(dsl(*nodes), "s")["source"]["schema"]["properties"]
    assert found.keys() == expected.keys()
    for name, words in expected.items():
        if words:
            assert " ".join(found[name].values()) == words


def test_nested_fields() -> None:
    """A dotted name is a field inside objects."""
    found = complete(dsl(op("rename", columns={"_t.user.age": "x"}), FEATURE), "s")
    assert found["source"]["schema"] == {
        "type": "object",
        "properties": {
            "_t": {
                "type": "object",
                "properties": {
                    "user": {"type": "object", "properties": {"age": {"type": "number"}}}
                },
            }
        },
    }


def test_columns_of_nodes_are_no_fields() -> None:
    """What a node before has made, and what a model gives, is not asked of the event."""
    nodes = [
        op("to_datetime", "at"),
        op("dt.hour", "at", inplace=False),
        model("at_hour", "km"),
        {"type": "Threshold", "params": {"column": "score", "at": 0.5, "into": "offer"}},
    ]
    assert types(*nodes) == {"at": "string", "km": "number"}


def test_what_stays_open_is_refused() -> None:
    """Every field whose type the graph does not tell is named, with what it could be."""
    (told,) = refused(op("isna", "x"), op("map", "y", arg={"1": "a", "2": "b"}), op("abs", "z"))
    assert told == (
        "schema: the graph does not tell the type of 'x' (any type), 'y' (number or integer or "
        "text); give schema={...}, or a sample of the events as json_payload of JsonToDataframe"
    )


def test_a_sample_that_does_not_fit_is_refused() -> None:
    """A text in the sample where the graph needs a number is told before the first event."""
    (told,) = refused(payload([{"x": "31"}]), op("cut", "x", bins=[0, 1]))
    assert told.startswith("x: is text in json_payload, and the graph can take number or integer")


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([op("abs", "x"), op("str.lower", "x")], "nodes[1].params.cols: column 'x' is"),
        ([op("drop", "x"), FEATURE], "nodes[1].params.features: no column 'x' reaches this node"),
        ([op("str.lower", "x"), FEATURE], "nodes[1].params.features: 'x' is text"),
        ([op("map", "x")], "nodes[0].params.kwargs.arg: is required"),
        ([{"type": "Pands", "params": {}}], "nodes[0].type: no node kind 'Pands'; did you mean"),
        ([model("a", "a.b")], "schema: 'a.b' lies inside a field with a value"),
    ],
)
def test_graphs_that_no_events_fit(nodes: list[dict[str, Any]], told: str) -> None:
    """Where no types would do, the problem stands at its node."""
    assert any(text.startswith(told) for text in refused(*nodes)), refused(*nodes)


def categories(*nodes: dict[str, Any]) -> Any:
    """The categories of the first get_dummies."""
    found = with_categories(parse_dsl(dsl(*nodes)))
    return next(n.params["categories"] for n in found.nodes if n.params.get("import") == DUMMIES)


DUMMIES = "get_dummies"


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        (
            [op(DUMMIES, "gender"), model("age", "gender_female", "gender_male")],
            {"gender": ["female", "male"]},
        ),
        ([op(DUMMIES, columns=["g"], prefix="is"), model("is_f", "g_x")], {"g": ["f"]}),
        ([op(DUMMIES, columns=["g"], prefix_sep="="), model("g=f")], {"g": ["f"]}),
        ([op(DUMMIES, "g", dummy_na=True), model("g_f", "g_nan")], {"g": ["f"]}),
        (
            [
                op("fillna", ["car", "car_brand"], value="-"),
                op(DUMMIES),
                model("car_brand_vw", "car_x"),
            ],
            {"car_brand": ["vw"], "car": ["x"]},
        ),
        ([op(DUMMIES), model("gender_female", "age")], {"gender": ["female"]}),
        (
            [
                op("to_datetime", "t"),
                op("dt.dayofweek", "t"),
                op(DUMMIES, "t"),
                model("t_0", "t_6"),
            ],
            {"t": [0, 6]},
        ),
        ([payload([{"n": 2}]), op(DUMMIES, "n"), model("n_2", "n_4")], {"n": [2, 4]}),
        ([op("isna", "a"), op(DUMMIES, "a"), model("a_True", "a_False")], {"a": [True, False]}),
        (
            [op("cut", "age", bins=[0, 9, 99], labels=["lo", "hi"]), op(DUMMIES), model("age_hi")],
            {"age": ["hi"]},
        ),
    ],
)
def test_categories_from_features(nodes: list[dict[str, Any]], expected: Any) -> None:
    """`gender_female` is the category female of gender; types follow the column's."""
    assert categories(*nodes) == expected


def test_categories_that_are_given_stay() -> None:
    """Params win over the features behind."""
    node = op(DUMMIES, "g")
    node["params"]["categories"] = {"g": ["x"]}
    assert categories(node, model("g_y")) == {"g": ["x"]}


def test_the_first_category_is_not_dropped_twice() -> None:
    """With `drop_first` the features already lack it: what they name is all there is."""
    found = with_categories(parse_dsl(dsl(op(DUMMIES, "g", drop_first=True), model("g_b", "g_c"))))
    assert found.nodes[0].params["categories"] == {"g": ["b", "c"]}
    assert found.nodes[0].params["kwargs"] == {}


@pytest.mark.parametrize("after", [[], [model("age")]])
def test_nobody_names_categories(after: list[dict[str, Any]]) -> None:
    """Without categories and without features that name some, the node is refused."""
    with pytest.raises(ConfigError, match="one event knows no categories: give categories"):
        with_categories(parse_dsl(dsl(op(DUMMIES, "gender"), *after)))
