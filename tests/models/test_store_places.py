"""Places where a store cannot be, or cannot be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.graph.support import DATA
from tests.net import free_ports
from worker.errors import ConfigError, StoreError
from worker.models.store.store import Store

LR = DATA / "lr.onnx"


def test_an_unknown_kind_of_url(tmp_path: Path) -> None:
    """Refused with the nearest kind, before anything is connected; no credentials are shown."""
    with pytest.raises(ConfigError, match="is no URL of a model store; did you mean 's3'"):
        Store("s33://bucket", tmp_path)
    with pytest.raises(ConfigError) as caught:
        Store("nope://user:secret@host/x", tmp_path)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told as such, and that waiting may help."""
    [port] = free_ports(1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tested")
    store = Store("s3://models/away", tmp_path)
    with pytest.raises(
        StoreError, match="model store s3://models/away: reading failed: "
    ) as caught:
        store.find("fraud@1")
    assert caught.value.retriable is True


def test_a_bucket_that_does_not_exist(s3_url: str, tmp_path: Path) -> None:
    """It is not taken for an empty store."""
    assert Store(s3_url, tmp_path).listing().entries == ()
    absent = Store("s3://absent/models", tmp_path)
    with pytest.raises(StoreError, match="'absent' does not exist"):
        absent.listing()
    with pytest.raises(StoreError) as caught:
        absent.push(LR, "fraud")
    assert caught.value.retriable is False


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the way is told with the place."""
    (tmp_path / "file").write_text("")
    store = Store(str(tmp_path / "file" / "store"), tmp_path / "cache")
    with pytest.raises(StoreError, match=r"file/store: .* failed: .*Not a directory"):
        store.push(LR, "fraud")


def test_other_backends_of_fsspec_work(tmp_path: Path) -> None:
    """A URL that is neither a folder nor S3: pushed, found, deleted."""
    store = Store("memory://store", tmp_path)
    store.push(LR, "fraud", alias="champion")
    assert store.fetch(store.find("fraud@champion")).path.read_bytes() == LR.read_bytes()
    store.delete("fraud@1", force=True)
    assert store.listing().entries == ()
    assert store.push(LR, "fraud").entry.version == "2"
