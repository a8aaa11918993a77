"""Services that come and go leave nothing behind in the worker that served them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.kafka.client import produce, read_all
from tests.kafka.service import make_service
from tests.kafka.site import Site, with_model
from tests.kafka.verdict import events
from tests.kafka.waiting import until

pytestmark = pytest.mark.long

TIMES = 4
ENTRIES = 2_500_000
MODEL_BYTES = 4 * ENTRIES
EVENTS_EACH = 8


def test_services_that_were_deleted_leave_no_files_threads_connections_or_models(
    kafka: str, tmp_path: Path
) -> None:
    """A worker holds what it held before; 4 models that stay would be 8 times their file, not 6."""
    service = make_service(kafka, tmp_path)
    large = replace(service, graph=with_model(service, _large_model(tmp_path)))
    with Site(kafka, tmp_path) as site:
        worker = site.worker()
        process = psutil.Process(worker.process.pid)
        port = int(kafka.rpartition(":")[2])

        def held() -> tuple[int, int, int]:
            ours = [one for one in process.net_connections("tcp") if one.raddr[1:] == (port,)]
            return process.num_fds(), process.num_threads(), len(ours)

        def cycle(i: int) -> None:
            assert site.publish(large, wait_s=120).problem == ""
            produce(kafka, service.source, events(EVENTS_EACH, i * EVENTS_EACH))
            read_all(kafka, service.sink, until=(i + 1) * EVENTS_EACH)
            assert site.rtml("delete", service.name).code == 0

        cycle(0)
        before, rss_bytes = held(), process.memory_info().rss
        for i in range(TIMES):
            cycle(1 + i)
        # What is made when first needed is no leak; one for each service would be.
        until(lambda: all(now < was + TIMES for now, was in zip(held(), before, strict=True)))
        until(lambda: process.memory_info().rss - rss_bytes < 1.5 * TIMES * MODEL_BYTES)


def _large_model(folder: Path) -> Path:
    """A table of which one entry is looked up, so that a run is fast."""
    table = np.random.default_rng(1).random((ENTRIES, 1), np.float32)
    nodes = [
        helper.make_node("Cast", ["X"], ["whole"], to=TensorProto.INT64),
        helper.make_node("ReduceSum", ["whole", "axes"], ["sums"], keepdims=0),
        helper.make_node("Sub", ["sums", "sums"], ["zeros"]),
        helper.make_node("Gather", ["table", "zeros"], ["first"]),
        helper.make_node("Concat", ["first", "first"], ["probabilities"], axis=1),
    ]
    given = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([1], np.int64), "axes"),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2])
        for name in ("X", "probabilities")
    ]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], given)
    path = folder / "large.onnx"
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path
