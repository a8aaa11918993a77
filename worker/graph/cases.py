"""Cases: what a graph must answer, as data beside it in ``cases.yaml``, and whether it does.

::

    cases:
      - name: a large amount is suspicious
        event: {amount: 9000}
        expect: {scored: {score: 0.93, label: suspicious}}
      - name: what cannot be read is a dead letter
        events: [{raw: "{broken"}, {amount: many}, null]      # null is a tombstone
        expect: [{rejected: {stage: decode}}, {rejected: {message: amount}}, {dropped: tombstone}]

A field of an event whose only key is ``raw`` would be taken for raw text; write it as raw text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from worker.codec.outcome import Drop, Outcomes, Scored
from worker.errors import ConfigError, Fault, Problem, Stage
from worker.graph.compare import Difference, Tolerance, differences
from worker.graph.text import read
from worker.problems import problems_of

FILE = "cases.yaml"

Score = Callable[[Sequence[bytes | None]], Outcomes]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rejection(_Part):
    """What is expected of a dead letter; what is not given is not looked at."""

    stage: Stage | None = None
    node: str | None = None
    error: str | None = None
    message: str | None = Field(default=None, description="a part of the message")


class Expectation(_Part):
    """Exactly one outcome: ``scored`` with some of its fields, ``dropped`` or ``rejected``."""

    scored: dict[str, Any] | None = None
    topic: str | None = Field(default=None, description="where the scored event goes")
    dropped: str | None = None
    rejected: Rejection | None = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Expectation:
        given = [self.scored, self.dropped, self.rejected]
        if given.count(None) != 2:
            raise ValueError("expect one of scored, dropped and rejected")
        if self.topic is not None and self.scored is None:
            raise ValueError("only a scored event has a topic")
        return self


class _Case(_Part):
    name: str = Field(min_length=1)
    event: dict[str, Any] | None = None
    events: list[dict[str, Any] | None] | None = Field(default=None, min_length=1)
    expect: list[Expectation]
    tolerance: Tolerance = Tolerance()

    @model_validator(mode="before")
    @classmethod
    def _single(cls, data: Any) -> Any:
        if isinstance(data, dict) and "event" in data and isinstance(data.get("expect"), dict):
            return {**data, "expect": [data["expect"]]}
        return data

    @model_validator(mode="after")
    def _one_expectation_per_event(self) -> _Case:
        if ("event" in self.model_fields_set) == ("events" in self.model_fields_set):
            raise ValueError("give either event or events")
        if len(self.given) != len(self.expect):
            counts = f"expect has {len(self.expect)} entries for {len(self.given)} events"
            raise ValueError(f"{counts}; give one for each")
        return self

    @property
    def given(self) -> list[dict[str, Any] | None]:
        return [self.event] if self.events is None else self.events


class _File(_Part):
    cases: list[_Case] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        name: what it shows.
        line: where it stands in its file.
        values: the events as they would be read, scored as one batch.
        expected: one per event.
        tolerance: of its floats.
    """

    name: str
    line: int | None
    values: tuple[bytes | None, ...]
    expected: tuple[Expectation, ...]
    tolerance: Tolerance


@dataclass(frozen=True, slots=True)
class Result:
    """A case that was run; it passed if nothing differed."""

    case: Case
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether every event had the expected outcome."""
        return not self.differences


def load(path: Path) -> list[Case]:
    """The cases of a file.

    Raises:
        ConfigError: the file cannot be read, or everything that is wrong with it, with lines.
    """
    document = read(path)
    try:
        if not isinstance(document.data, dict):
            raise ConfigError(Problem("", "a cases file is a mapping with the key cases"))
        file = _File.model_validate(document.data)
    except ValidationError as error:
        found = problems_of(error, _File, document.data)
        raise ConfigError(document.locate(problem) for problem in found) from error
    except ConfigError as error:
        raise ConfigError(document.locate(problem) for problem in error.problems) from error
    return [
        Case(
            case.name,
            document.locate(Problem(f"cases[{i}]", "")).line,
            tuple(_value(event) for event in case.given),
            tuple(case.expect),
            case.tolerance,
        )
        for i, case in enumerate(file.cases)
    ]


def _value(event: dict[str, Any] | None) -> bytes | None:
    if event is None:
        return None
    if event.keys() == {"raw"} and isinstance(event["raw"], str):
        return event["raw"].encode()
    return json.dumps(event, ensure_ascii=False).encode()


def run(cases: Iterable[Case], score: Score, sink: str) -> list[Result]:
    """Each case's result.

    Args:
        cases: as they were loaded.
        score: the graph's own scoring, from values to outcomes.
        sink: the topic of what no Route sends elsewhere.
    """
    return [_run(case, score, sink) for case in cases]


def _run(case: Case, score: Score, sink: str) -> Result:
    found: list[Difference] = []
    outcomes = score(case.values)
    for i, (expected, actual) in enumerate(zip(case.expected, outcomes, strict=True)):
        found += _compared(i, expected, actual, case.tolerance, sink)
    return Result(case, tuple(found))


def _compared(
    i: int, expected: Expectation, actual: Scored | Drop | Fault, tolerance: Tolerance, sink: str
) -> list[Difference]:
    if isinstance(actual, Scored) and expected.scored is not None:
        found = list(differences(i, expected.scored, json.loads(actual.value), tolerance))
        topic = actual.topic or sink
        if expected.topic not in (None, topic):
            found.append(Difference(i, "topic", expected.topic, topic))
        return found
    if isinstance(actual, Drop) and expected.dropped is not None:
        same = expected.dropped == actual.reason
        return [] if same else [Difference(i, "dropped", expected.dropped, actual.reason)]
    if isinstance(actual, Fault) and expected.rejected is not None:
        return _compared_faults(i, expected.rejected, actual)
    return [Difference(i, "", _outcome(expected), _told(actual), plain=True)]


def _compared_faults(i: int, expected: Rejection, actual: Fault) -> list[Difference]:
    found = [
        Difference(i, f"rejected.{key}", wanted, getattr(actual, key))
        for key in ("stage", "node", "error")
        if (wanted := getattr(expected, key)) is not None and wanted != getattr(actual, key)
    ]
    if expected.message is not None and expected.message not in actual.message:
        found.append(Difference(i, "rejected.message", expected.message, actual.message))
    return found


def _outcome(expected: Expectation) -> str:
    if expected.dropped is not None:
        return f"dropped: {expected.dropped}"
    return "scored" if expected.scored is not None else "rejected"


def _told(actual: Scored | Drop | Fault) -> str:
    if isinstance(actual, Scored):
        return f"scored: {actual.value.decode()}"
    if isinstance(actual, Drop):
        return f"dropped: {actual.reason}"
    place = f"{actual.stage}, node {actual.node}" if actual.node else str(actual.stage)
    return f"rejected ({place}): {actual.error}: {actual.message}"
