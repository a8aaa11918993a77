"""The model behind every peer in Python: decoded events in, scores put into them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Event = dict[str, Any]


class Scorer:
    """An ONNX model in one thread, as the worker runs it too.

    One thread is the setting that https://onnxruntime.ai/docs/performance/tune-performance/threading.html
    gives for small models and a process per core.
    """

    def __init__(self, model: str) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        given = self._session.get_inputs()[0]
        self._input, self._output = given.name, self._session.get_outputs()[-1].name
        self._names = [f"f{i}" for i in range(given.shape[1])]

    def score(self, event: Event) -> Event:
        """The event with its score in it."""
        return self.score_all([event])[0]

    def score_all(self, events: list[Event]) -> list[Event]:
        """The same for many, by one run of the model."""
        if not events:
            return events
        rows = np.array([self._row(event) for event in events], dtype=np.float32)
        found: npt.NDArray[np.float32] = self._session.run([self._output], {self._input: rows})[0]
        if found.shape[1] == 2:
            for event, risk in zip(events, found[:, 1].tolist(), strict=True):
                event["risk"] = risk
        else:
            for event, prediction in zip(events, found.tolist(), strict=True):
                event["prediction"] = prediction
        return events

    def _row(self, event: Event) -> Any:
        if "dataPoint" in event:
            return np.fromstring(event["dataPoint"], dtype=np.float32, sep=",")
        return [event[name] for name in self._names]
