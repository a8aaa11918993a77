"""The example graphs end to end: real events in, scikit-learn's own answers out."""

from __future__ import annotations

import json
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from graphs.making import FOLDER, load
from tests.kafka.client import Record, create_topic, produce
from tests.kafka.metrics import total
from tests.kafka.service import Service
from tests.kafka.worker import Worker

NAMES = ["breast-cancer", "car-insurance", "digits"]
GROUP = "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """An example graph on topics of its own, and what was sent to it."""

    service: Service
    sent: list[dict[str, Any]]
    expected: list[dict[str, Any]]


def sample(name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The graph's sample events with scikit-learn's answers, then the events of its cases."""
    lines = (FOLDER / name / "events.jsonl").read_text(encoding="utf-8").splitlines()
    sent = [json.loads(line) for line in lines]
    expected = load(name, "make").reference(sent)
    for case in yaml.safe_load((FOLDER / name / "cases.yaml").read_text(encoding="utf-8"))["cases"]:
        sent += case["events"]
        expected += case["expect"]
    return sent, expected


def place(bootstrap: str, folder: Path, name: str) -> Service:
    """A copy of the example whose graph file is the same but for its topics, which are created."""
    shutil.copytree(FOLDER / name, folder / name)
    graph = folder / name / "graph.yaml"
    data = yaml.safe_load(graph.read_text(encoding="utf-8"))
    source = f"{name}-{uuid.uuid4().hex[:8]}"
    data["source"]["topic"], data["sink"]["topic"] = source, f"{source}-scored"
    data["dead_letter"] = {"topic": f"{source}-dlq"}
    graph.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    service = Service(bootstrap, name, source, f"{source}-scored", f"{source}-dlq", graph)
    for topic in (service.source, service.sink, service.dead):
        create_topic(bootstrap, topic)
    return service


@pytest.fixture(scope="module")
def worker_and_examples(
    kafka: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Worker, dict[str, Example]]]:
    """One worker that has scored everything that was sent to the three graphs."""
    folder = tmp_path_factory.mktemp("examples")
    examples = {name: Example(place(kafka, folder, name), *sample(name)) for name in NAMES}
    for example in examples.values():
        produce(
            kafka,
            example.service.source,
            [
                Record(json.dumps(one).encode(), b"%d" % index, [("index", b"%d" % index)])
                for index, one in enumerate(example.sent)
            ],
        )
    graphs = [example.service.graph for example in examples.values()]
    group = f"{GROUP}-{uuid.uuid4().hex[:8]}"
    with Worker(graphs, kafka, group, folder) as worker:
        worker.wait_ready()
        for name, example in examples.items():
            example.service.settled(f"{group}-{name}")
        yield worker, examples


@pytest.mark.parametrize("name", NAMES)
def test_scores_equal_scikit_learn(
    worker_and_examples: tuple[Worker, dict[str, Example]], name: str
) -> None:
    """Each event that scikit-learn scores comes out once, as it was with those fields; no other."""
    example = worker_and_examples[1][name]
    wanted = {i: one["scored"] for i, one in enumerate(example.expected) if "scored" in one}
    scored = {int(one.header("index") or b""): one for one in example.service.scored()}
    assert len(example.service.scored()) == len(wanted)
    assert scored.keys() == wanted.keys()
    for index, fields in wanted.items():
        value = json.loads(scored[index].value or b"")
        assert close({key: value.pop(key) for key in fields}, fields), f"event {index}"
        assert value == example.sent[index]


@pytest.mark.parametrize("name", NAMES)
def test_dead_letters_are_those_expected(
    worker_and_examples: tuple[Worker, dict[str, Example]], name: str
) -> None:
    """Each event that is to be rejected is a dead letter, with that stage, node and error."""
    example = worker_and_examples[1][name]
    wanted = {i: one["rejected"] for i, one in enumerate(example.expected) if "rejected" in one}
    dead = {int(one.header("index") or b""): one for one in example.service.dead_letters()}
    assert len(example.service.dead_letters()) == len(wanted)
    assert dead.keys() == wanted.keys()
    for index, fault in wanted.items():
        found = {key: (dead[index].header(f"rtml-dlq-{key}") or b"").decode() for key in fault}
        told = found.pop("message", "")
        assert fault.get("message", "") in told
        assert found == {key: text for key, text in fault.items() if key != "message"}


@pytest.mark.parametrize("name", NAMES)
def test_every_event_is_counted_once(
    worker_and_examples: tuple[Worker, dict[str, Example]], name: str
) -> None:
    """In = scored + dropped by their reason + dead letters, as the metrics count them."""
    worker, examples = worker_and_examples
    expected = examples[name].expected
    kinds = Counter(kind for one in expected for kind in one)
    drops = Counter(one["dropped"] for one in expected if "dropped" in one)
    page = worker.get("/metrics")[1]
    assert total(page, "rtml_events_received_total", service=name) == len(expected)
    assert total(page, "rtml_events_scored_total", service=name) == kinds["scored"]
    assert total(page, "rtml_dead_letters_total", service=name) == kinds["rejected"]
    for reason, n in drops.items():
        assert total(page, "rtml_events_dropped_total", service=name, reason=reason) == n
    print(f"{name}: {len(expected)} in = {dict(kinds)}")


def close(actual: object, expected: object) -> bool:
    """Whether both are the same, floats within what float32 can tell apart."""
    if isinstance(expected, Mapping):
        assert isinstance(actual, Mapping)
        return all(close(actual[key], value) for key, value in expected.items())
    if isinstance(expected, list):
        assert isinstance(actual, list)
        return len(actual) == len(expected) and all(map(close, actual, expected))
    if isinstance(expected, float):
        return bool(actual == pytest.approx(expected, rel=1e-5, abs=1e-6))
    return actual == expected
