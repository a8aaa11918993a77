# %% [markdown]
# # Bring your own ONNX model
#
# A model that somebody else has trained: it is inspected, kept under a name and a version, and served. This one is
# that of `graphs/breast-cancer`: 30 measurements of a tumour in, two probabilities out. A worker must be there:
# `rtml run --location edge`, with the same `RTML_BROKERS` and `RTML_MODEL_STORE` as here.

# %%
import json
from pathlib import Path
from pprint import pprint

from worker.authoring import EdgeUtils, GraphBuilder, JsonToDataframe, ModelUpload, ONNXNode

FOLDER = Path.cwd()
ROOT = next(place for place in [FOLDER, *FOLDER.parents] if (place / "graphs").is_dir())
EXAMPLE = ROOT / "graphs" / "breast-cancer"

# %% [markdown]
# ## Upload
#
# A file that is no ONNX, has weights elsewhere or never returns is refused here, with the reason.

# %%
upload = ModelUpload(params={"model_path": str(EXAMPLE / "model.onnx"), "name": "breast-cancer"})
msg_model = upload.process(None, 1)
pprint(msg_model.model)

# %% [markdown]
# ## The graph and its service
#
# The features stand in the order that the model expects.

# %%
events = [json.loads(line) for line in (EXAMPLE / "events.jsonl").open(encoding="utf-8")]
schema = json.loads((EXAMPLE / "schema.json").read_text(encoding="utf-8"))
features = [name for name in schema["properties"] if name != "id"]
nodes = [
    JsonToDataframe(params={}),
    ONNXNode(params={"features": features, "model_id": msg_model.model["model_id"]}),
]
dsl = GraphBuilder.generate_dsl(nodes=nodes, edges=[(nodes[0], nodes[1])])
edge_utils = EdgeUtils()
(edge_location, service_id) = edge_utils.publish_to_edge(dsl, schema=schema)
dsl

# %% [markdown]
# ## Score

# %%
answers = edge_utils.score_edge(
    edge_location=edge_location, service_id=service_id, scoring_data=events[:5]
)
assert [answer["status"] for answer in answers] == ["scored"] * 5
pprint(answers[0]["event"])
assert edge_utils.delete_from_edge(service_id=service_id)
