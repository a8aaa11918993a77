"""Makes the model of the benchmark anew: `python -m bench.graphs.lr.make`.

Logistic regression on the ten numbers of an event; what it predicts does not matter here.
"""

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from bench.load import COLUMNS
from graphs.making import to_model

SEED = 0
ROWS = 2_000


def main() -> None:
    """Trains the model and writes it beside the graph."""
    rng = np.random.default_rng(SEED)
    rows = rng.normal(size=(ROWS, COLUMNS)).astype(np.float32)
    weights = rng.normal(size=COLUMNS)
    classes = (rows @ weights + rng.normal(size=ROWS) > 0).astype(np.int64)
    estimator = LogisticRegression(random_state=SEED).fit(rows, classes)
    model = to_model(estimator, "features", COLUMNS, zipmap=False)
    content = model.SerializeToString(deterministic=True)
    (Path(__file__).parent / "model.onnx").write_bytes(content)
    print(f"model.onnx: {len(content)} bytes, accuracy {estimator.score(rows, classes):.3f}")


if __name__ == "__main__":
    main()
