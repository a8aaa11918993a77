"""Stores for tests: in a folder, and on an S3 server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.s3 import BUCKET, s3_server
from worker.models.store.store import Store


@pytest.fixture(scope="session")
def s3_environ() -> Iterator[dict[str, str]]:
    """Variables by which clients find an S3 server."""
    with s3_server() as environ:
        yield environ


@pytest.fixture
def s3_url(s3_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty store on the S3 server; clients of this process and its children find it."""
    for name, value in s3_environ.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind."""
    found: str = (
        str(tmp_path / "store") if request.param == "folder" else request.getfixturevalue("s3_url")
    )
    return found


@pytest.fixture
def store(url: str, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    return Store(url, tmp_path / "cache")
