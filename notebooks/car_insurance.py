# %% [markdown]
# # Car insurance: from a table to scored events
#
# Will this visitor ask for a quote? This is the tutorial of Adobe's Real-time Machine Learning with its own calls:
# load, look, transform, split, train, test, upload, write the graph, publish it, score over HTTP and over the stream,
# update, list, delete. Every node of the notebook runs the code that the worker runs.
#
# A worker must be there: `rtml run --location edge`, with the same `RTML_BROKERS` and `RTML_MODEL_STORE` as here. The
# packages come with `pip install 'rtml-worker[authoring]'`; matplotlib, for the plots, is optional.

# %%
import json
import os
import sys
from pathlib import Path
from pprint import pprint

import confluent_kafka
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

from worker.authoring import (
    DataMsg,
    EdgeUtils,
    GraphBuilder,
    JsonToDataframe,
    ModelUpload,
    NodeFactory,
    ONNXNode,
    Pandas,
    ScikitLearn,
    Split,
)

FOLDER = Path.cwd()
ROOT = next(place for place in [FOLDER, *FOLDER.parents] if (place / "graphs").is_dir())
sys.path.insert(0, str(ROOT))
BROKERS = os.environ.get("RTML_BROKERS", "localhost:9092")
pprint(NodeFactory.discover_nodes())

# %% [markdown]
# ## Load
#
# The tutorial's data are not public; these are made up, with the same nested fields. A seed makes them repeatable.

# %%
from graphs.making import load  # noqa: E402 - found only now

generate = load("car-insurance", "generate")
pairs = generate.visits(3000, seed=1)
events = [event for event, _ in pairs]
print(json.dumps(events[0], indent=2, ensure_ascii=False))
raw = JsonToDataframe(params={"json_payload": json.dumps(events)}).process()
raw

# %% [markdown]
# ## Look

# %%
quotes = np.array([quote for _, quote in pairs])
prefix = "_experienceplatform.userInfo."
brands = raw.data[prefix + "carbrand"].str.strip().str.lower()
try:
    import matplotlib.pyplot as plt
except ImportError:
    print(brands.value_counts().head(8))
else:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    brands.value_counts().head(8).plot.barh(ax=left, title="brands, as typed")
    hours = raw.data["timestamp"].str[11:13].astype(int)
    left.invert_yaxis()
    right.hist([hours[quotes], hours[~quotes]], bins=24, stacked=True, label=["quote", "none"])
    right.set_title("visits by the hour")
    right.legend()
    plt.show()

# %% [markdown]
# ## Transform
#
# Each node is an operation of pandas from a closed table, with pandas' own keywords.

# %%
texts = ["carbrand", "cartype", "country", "gender", "leasing", "nationality", "primaryuser"]
short = {prefix + name: name for name in [*texts, "age", "km"]}
maps = {
    "carbrand": {
        "VW": "volkswagen",
        "vw": "volkswagen",
        "Volkswagen": "volkswagen",
        "Mercedes": "mercedes",
        "BMW": "bmw",
        "bmw": "bmw",
        "Audi": "audi",
        "AUDI": "audi",
        "Opel": "opel",
        "notgiven": "notgiven",
    },
    "cartype": {
        "SUV": "suv",
        "Limousine": "sedan",
        "sedan": "sedan",
        "Kombi": "estate",
        "small": "small",
    },
    "country": {"DE": "de", "Germany": "de", "Deutschland": "de", "AT": "at", "CH": "ch"},
    "gender": {"f": "female", "female": "female", "w": "female", "m": "male", "male": "male"},
    "leasing": {"dataLayerNull": "notgiven", "no": "no", "nein": "no", "yes": "yes", "ja": "yes"},
}


def pandas(name, cols=None, inplace=True, **kwargs):
    """One node."""
    params = {"import": name, "kwargs": kwargs, "inplace": inplace}
    return Pandas(params=params if cols is None else {**params, "cols": cols})


def transformations():
    """New nodes, from raw events to columns without gaps."""
    return [
        JsonToDataframe(params={}),
        pandas("rename", columns=short),
        pandas("to_datetime", "timestamp"),
        pandas("dt.hour", "timestamp", inplace=False),
        pandas("dt.dayofweek", "timestamp", inplace=False),
        pandas("fillna", "age", value="40"),
        pandas("fillna", "km", value=15000),
        pandas("fillna", texts, value="notgiven"),
        *(pandas("map", name, arg=arg, na_action=0) for name, arg in maps.items()),
        pandas("astype", "age", dtype=int),
        pandas(
            "cut",
            "age",
            bins=[15, 25, 35, 50, 65, 110],
            labels=["to25", "to35", "to50", "to65", "over65"],
        ),
        pandas("clip", "km", upper=60000),
    ]


msg = DataMsg(raw.data.assign(quote=quotes.astype(int)))
for node in transformations():
    msg = node.process(msg)
msg

# %% [markdown]
# Rows that the stream would reject, such as an age that is no number, have left the table; why, the message knows.

# %%
print(len(msg.left), "rows left:", msg.left[0])
msg = pandas("get_dummies", [*texts, "age"]).process(msg)
encoded = tuple(f"{name}_" for name in [*texts, "age"])
features = ["timestamp_hour", "timestamp_dayofweek", "km"]
features += [name for name in msg.data.columns if name.startswith(encoded)]
print(len(features), "features:", ", ".join(features[:6]), "...")

# %% [markdown]
# ## Split, train, test
#
# The test runs the ONNX file, as the worker will.

# %%
msg5 = Split(params={"train_size": 0.7}).process(msg)
train, test = msg5.data.xs("train"), msg5.data.xs("test")
model_path = "resources/car-insurance.onnx"
hyperparameters = {"n_estimators": 80, "max_depth": 5, "random_state": 0}
learning = {
    "features": features,
    "label": "quote",
    "model_path": model_path,
    "params": {
        "model": "sklearn.ensemble.GradientBoostingClassifier",
        "model_params": hyperparameters,
    },
}
msg6 = ScikitLearn(params={**learning, "mode": "train"}).process(msg5)
msg7 = ScikitLearn(params={**learning, "mode": "test"}).process(msg6)
pprint(msg7.model["metrics"])

# %% [markdown]
# The ONNX file gives scikit-learn's own numbers.

# %%
own = GradientBoostingClassifier(**hyperparameters)
own.fit(train[features].to_numpy(np.float32), train["quote"])
onnx = ONNXNode(params={"features": features, "model": model_path})
told = np.stack(onnx.process(DataMsg(test)).data["probabilities"])
truth = own.predict_proba(test[features].to_numpy(np.float32))
np.testing.assert_allclose(told, truth, rtol=1e-5, atol=1e-6)
print("largest difference:", np.abs(told - truth).max())

# %% [markdown]
# ## Upload

# %%
model = ModelUpload(params={"model_path": model_path})
msg_model = model.process(msg7, 1)
model_id = msg_model.model["model_id"]
print("model id:", model_id)

# %% [markdown]
# ## The graph
#
# One event knows no categories: those of `get_dummies` are taken from the features of the model behind it.

# %%
scoring = ONNXNode(params={"features": features, "model_id": model_id})
nodes = [*transformations(), pandas("get_dummies", [*texts, "age"]), scoring]
edges = [(nodes[i], nodes[i + 1]) for i in range(len(nodes) - 1)]
dsl = GraphBuilder.generate_dsl(nodes=nodes, edges=edges)
dsl

# %% [markdown]
# ## Publish
#
# The call returns when a worker serves the graph. It names no topics and no schema: both are derived, and printed.

# %%
edge_utils = EdgeUtils()
(edge_location, service_id) = edge_utils.publish_to_edge(dsl=dsl)
print(edge_location)

# %% [markdown]
# ## Score over HTTP

# %%
fresh = [event for event, _ in generate.visits(200, seed=2)]
answers = edge_utils.score_edge(
    edge_location=edge_location, service_id=service_id, scoring_data=fresh
)
print(answers[0]["status"], answers[0]["event"]["probabilities"])

# %% [markdown]
# And column-oriented, as a table's `to_dict` has it:

# %%
frame = JsonToDataframe(params={"json_payload": json.dumps(fresh[:3])}).process().data
data = frame.to_dict()
by_columns = edge_utils.score_edge(
    edge_location=edge_location, service_id=service_id, scoring_data=data
)
assert [a["event"]["probabilities"] for a in by_columns] == [
    a["event"]["probabilities"] for a in answers[:3]
]

# %% [markdown]
# ## Score over the stream
#
# The same events into the topic; the scored ones come out of the other, in their order.

# %%
producer = confluent_kafka.Producer({"bootstrap.servers": BROKERS})
for event in fresh:
    producer.produce(f"{service_id}-events", json.dumps(event).encode(), event["_id"].encode())
producer.flush(30)
consumer = confluent_kafka.Consumer(
    {
        "bootstrap.servers": BROKERS,
        "group.id": f"{service_id}-reader",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
)
consumer.subscribe([f"{service_id}-scored"])
expected = sum(answer["status"] == "scored" for answer in answers)
records = []
for _ in range(60):
    records += consumer.consume(500, timeout=0.5)
    if len(records) >= expected:
        break
consumer.close()
scored = [json.loads(record.value()) for record in records]
print(len(scored), "scored of", len(fresh))

# %% [markdown]
# ## Compare
#
# HTTP, the stream and scikit-learn agree, event by event.

# %%
by_http = {a["event"]["_id"]: a["event"] for a in answers if a["status"] == "scored"}
assert {event["_id"]: event for event in scored} == by_http
table = JsonToDataframe(params={"json_payload": json.dumps(fresh)}).process()
for node in [*transformations(), nodes[-2]]:
    table = node.process(table)
rows = table.data.reindex(columns=features, fill_value=0)
truth = own.predict_proba(rows.to_numpy(np.float32))
told = np.array([by_http[event_id]["probabilities"] for event_id in table.data["_id"]])
np.testing.assert_allclose(told, truth, rtol=1e-5, atol=1e-6)
print(len(told), "events, largest difference to scikit-learn:", np.abs(told - truth).max())

# %% [markdown]
# ## Update
#
# The same service with one number instead of the model's raw outputs, and a decision. Nothing is lost in between.

# %%
from worker.authoring import Threshold  # noqa: E402 - every node kind of the worker is here

decided = ONNXNode(
    params={"features": features, "model_id": model_id, "outputs": {"interest": "probabilities[1]"}}
)
offer = Threshold(
    params={"column": "interest", "at": 0.5, "into": "offer", "above": "quote", "below": "none"}
)
nodes = [*transformations(), pandas("get_dummies", [*texts, "age"]), decided, offer]
edges = [(nodes[i], nodes[i + 1]) for i in range(len(nodes) - 1)]
dsl = GraphBuilder.generate_dsl(nodes=nodes, edges=edges)
(edge_location, service_id, updated_dsl) = edge_utils.update_deployment(
    dsl=dsl, service_id=service_id
)
changed = edge_utils.score_edge(
    edge_location=edge_location, service_id=service_id, scoring_data=fresh[:1]
)
assert changed[0]["event"]["offer"] in ("quote", "none")
pprint(changed[0]["event"])

# %% [markdown]
# ## List and delete

# %%
services = edge_utils.list_deployed_services()
pprint([service for service in services if service["id"] == service_id])
assert edge_utils.delete_from_edge(service_id=service_id)
assert service_id not in [service["id"] for service in edge_utils.list_deployed_services()]
