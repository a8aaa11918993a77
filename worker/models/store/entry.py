"""What the store knows of one version of a model."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.errors import StoreError
from worker.models.inspect import Port, Report
from worker.models.store.names import Reference
from worker.models.store.source import Source


class Entry(BaseModel):
    """One version; nothing of it ever changes, but that it may be deleted.

    Attributes:
        push: which push made it, so that one can tell its own from another's.
        origin: what was pushed: ``onnx`` or ``mlflow``.
        features: in the model's order, where they are known.
        training_schema: JSON Schema of the events it was trained on.
        deleted: when; the version is never used again, so that it never means other bytes.
    """

    # A newer release may know more; what it wrote must stay readable.
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    version: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int
    created: datetime.datetime
    push: str
    origin: str
    ir_version: int
    producer: str
    opsets: dict[str, int]
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    batch_size: int | None
    batch_invariant: bool | None
    batch_difference: float | None = None
    features: tuple[str, ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)
    training_schema: dict[str, Any] | None = None
    deleted: datetime.datetime | None = None

    @property
    def model_id(self) -> str:
        """What graphs call it: ``name@version``."""
        return str(Reference(self.name, self.version))

    @property
    def report(self) -> Report:
        """What inspection said when it was pushed."""
        return Report(
            sha256=self.sha256,
            size_bytes=self.size_bytes,
            ir_version=self.ir_version,
            producer=self.producer,
            opsets=self.opsets,
            inputs=self.inputs,
            outputs=self.outputs,
            batch_size=self.batch_size,
            batch_invariant=self.batch_invariant,
            batch_difference=self.batch_difference,
            features=self.features,
        )

    @classmethod
    def drafted(cls, report: Report, source: Source, **rest: Any) -> Self:
        """What is known of a model that is about to be pushed; ``rest``: other fields."""
        known = {field.name: getattr(report, field.name) for field in dataclasses.fields(report)}
        known["features"] = report.features or source.features
        now = datetime.datetime.now(datetime.UTC)
        return cls(**known, created=now, push=uuid.uuid4().hex, origin=source.origin, **rest)

    def encoded(self) -> bytes:
        """As it is stored."""
        return self.model_dump_json(indent=2).encode()

    def shown(self) -> dict[str, Any]:
        """As it is printed."""
        found: Mapping[str, Any] = self.model_dump(mode="json", exclude={"push", "deleted"})
        return {"model_id": self.model_id, **found}

    @classmethod
    def decoded(cls, data: bytes, name: str, version: str) -> Self:
        """The record that was read for a version.

        Raises:
            StoreError: it is none, or that of another version.
        """
        try:
            entry = cls.model_validate_json(data)
        except ValidationError as error:
            message = f"the record of {name}@{version} cannot be read"
            raise StoreError(message, retriable=False) from error
        if (entry.name, entry.version) != (name, version):
            message = f"the record of {name}@{version} is that of {entry.model_id}"
            raise StoreError(message, retriable=False)
        return entry
