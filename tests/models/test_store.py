"""The model store, in a folder and on S3: what is kept, found, refused and deleted."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.graph.support import DATA
from worker.errors import ConfigError, StoreError
from worker.models.inspect import Port
from worker.models.store.folder import open_files
from worker.models.store.store import Store

LR, TREES = DATA / "lr.onnx", DATA / "trees.onnx"
LR_SHA256 = hashlib.sha256(LR.read_bytes()).hexdigest()


def contents(url: str) -> dict[str, bytes]:
    """Every file of a store by its key, but drafts."""
    files = open_files(url)
    keys = [key for piece in ("models", "blobs", "trash") for key in files.keys(piece)]
    return files.read_all(keys)


def reasons(error: ConfigError | StoreError) -> str:
    """What is told."""
    return str(error)


def test_a_pushed_model_is_known(store: Store) -> None:
    """The entry says what the file is, what was measured, and what graphs call it."""
    schema = {"type": "object", "properties": {"f0": {"type": "number"}}}
    pushed = store.push(LR, "fraud", metrics={"auc": 0.9}, training_schema=schema)
    entry = store.find("fraud@1")
    assert (pushed.new, pushed.entry) == (True, entry)
    assert (entry.model_id, entry.sha256, entry.size_bytes) == (
        "fraud@1",
        LR_SHA256,
        LR.stat().st_size,
    )
    assert (entry.origin, entry.ir_version, entry.batch_invariant) == ("onnx", 8, True)
    assert entry.opsets == {"ai.onnx": 17, "ai.onnx.ml": 1}
    assert entry.producer.startswith("skl2onnx ")
    assert entry.inputs == {"X": Port("float32", (2,))}
    assert set(entry.outputs) == {"label", "probabilities"}
    assert (entry.metrics, entry.training_schema) == ({"auc": 0.9}, schema)


def test_versions_count_from_one_and_may_be_labels(store: Store) -> None:
    """Without a label the next number is taken, whatever labels there are."""
    assert store.push(LR, "fraud").entry.version == "1"
    assert store.push(TREES, "fraud", version="2026-q4").entry.version == "2026-q4"
    assert store.push(DATA / "image.onnx", "fraud", version="7").entry.version == "7"
    assert store.push(DATA / "nan.onnx", "fraud").entry.version == "8"
    assert store.push(LR, "other").entry.version == "1"
    listed = [entry.model_id for entry in store.listing().entries]
    assert listed == ["fraud@1", "fraud@2026-q4", "fraud@7", "fraud@8", "other@1"]


def test_the_same_bytes_again_are_no_new_version(store: Store, url: str) -> None:
    """With and without a version the entry that is there is returned, and nothing changes."""
    first = store.push(LR, "fraud").entry
    before = contents(url)
    for version in (None, "1"):
        again = store.push(LR, "fraud", version=version, metrics={"auc": 1.0})
        assert (again.new, again.entry) == (False, first)
    assert contents(url) == before


def test_a_version_never_changes(store: Store, url: str) -> None:
    """Other bytes under a version that is taken are refused, and leave nothing behind."""
    store.push(LR, "fraud")
    before = contents(url)
    with pytest.raises(ConfigError, match=r"fraud@1 has other bytes .*push the next one"):
        store.push(TREES, "fraud", version="1")
    assert contents(url) == before


def test_a_refused_model_leaves_the_store_unchanged(store: Store, url: str, tmp_path: Path) -> None:
    """No ONNX, data of other files, no file at all: refused with the reason."""
    (tmp_path / "text.onnx").write_text("no model")
    store.push(LR, "fraud")
    before = contents(url)
    for path, reason in [
        (tmp_path / "text.onnx", "is no ONNX model"),
        (DATA / "external.onnx", "holds tensor data outside the file: .*; save it whole"),
        (tmp_path / "none.onnx", "cannot be read: No such file"),
        (tmp_path, "is a folder without MLmodel"),
    ]:
        with pytest.raises(ConfigError, match=f"{path.name}.* {reason}"):
            store.push(path, "fraud")
    assert contents(url) == before


def test_wrong_names_are_refused_at_once(store: Store, url: str) -> None:
    """Name, version and alias, each with its own problem; no path gets out of the store."""
    with pytest.raises(ConfigError) as caught:
        store.push(LR, "../x", version="a/b", alias="m.onnx")
    assert [p.path for p in caught.value.problems] == ["--name", "--version", "--alias"]
    for reference in ("../x@1", "x@../1", "x@", "@1", "x@1@2", "x"):
        with pytest.raises(ConfigError, match="names no"):
            store.find(reference)
    assert contents(url) == {}


def test_an_alias_moves(store: Store) -> None:
    """It means the version it was last pointed to; it is set at a push or by itself."""
    store.push(LR, "fraud", alias="champion")
    store.push(TREES, "fraud")
    assert store.find("fraud@champion").version == "1"
    store.set_alias("fraud", "champion", "2")
    assert store.find("fraud@champion").version == "2"
    assert store.listing("fraud").aliases == {("fraud", "champion"): "2"}


def test_an_alias_hides_no_version(store: Store, url: str) -> None:
    """An alias and a version never share a name, whichever was first; numbers are versions."""
    store.push(LR, "fraud", version="stable", alias="champion")
    before = contents(url)
    for alias in ("stable", "1"):
        with pytest.raises(ConfigError, match=f"'{alias}' is a version, or will be one"):
            store.set_alias("fraud", alias, "stable")
    with pytest.raises(ConfigError, match="'champion' is an alias of fraud"):
        store.push(TREES, "fraud", version="champion")
    with pytest.raises(ConfigError, match="'new' is a version"):
        store.push(TREES, "fraud", version="new", alias="new")
    assert contents(url) == before


def test_what_is_unknown_is_told_with_the_nearest(store: Store) -> None:
    """The nearest model; the versions and aliases there are; or that the store is empty."""
    with pytest.raises(ConfigError, match="no model 'fraud'; it is empty: rtml model push"):
        store.find("fraud@1")
    store.push(LR, "fraud", alias="champion")
    with pytest.raises(ConfigError, match="no model 'frod'; did you mean 'fraud'"):
        store.find("frod@1")
    with pytest.raises(ConfigError, match="no version or alias '9'; it has: 1, champion"):
        store.find("fraud@9")
    with pytest.raises(ConfigError, match="no model 'frod'; did you mean 'fraud'"):
        store.listing("frod")
    with pytest.raises(ConfigError, match="no version or alias '9'"):
        store.set_alias("fraud", "champion", "9")


def test_pulled_bytes_are_those_that_were_pushed(store: Store, tmp_path: Path) -> None:
    """To any file, and to the one that nodes load."""
    entry = store.push(LR, "fraud").entry
    store.pull(entry, tmp_path / "new" / "m.onnx")
    assert (tmp_path / "new" / "m.onnx").read_bytes() == LR.read_bytes()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["m.onnx"]
    file = store.fetch(entry)
    assert (file.name, file.sha256) == ("fraud@1", LR_SHA256)
    assert file.path.read_bytes() == LR.read_bytes()


def test_nothing_is_pulled_into_the_store(tmp_path: Path) -> None:
    """By a link neither: it would stand in the place of a record or of other bytes."""
    root = tmp_path / "models"
    store = Store(str(root), tmp_path / "cache")
    entry = store.push(LR, "fraud").entry
    (tmp_path / "link").symlink_to(root)
    before = sorted(root.rglob("*"))
    for path in (root / "m.onnx", tmp_path / "link" / "blobs" / "m.onnx", *root.glob("blobs/*/*")):
        with pytest.raises(ConfigError, match="lies within the model store"):
            store.pull(entry, path)
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("damage", [b"", b"other", None])
def test_damaged_bytes_are_never_given(
    store: Store, url: str, tmp_path: Path, damage: bytes | None
) -> None:
    """Cut, changed or missing: told, nothing is written; the same push again heals it."""
    entry = store.push(LR, "fraud").entry
    files = open_files(url)
    [key] = files.keys("blobs")
    if damage is None:
        files.remove(key)
    else:
        files.replace(key, damage or LR.read_bytes()[:-1] + b"!")
    with pytest.raises(StoreError, match=f"blob {entry.sha256[:12]} is (damaged|missing)"):
        store.pull(entry, tmp_path / "m.onnx")
    with pytest.raises(StoreError, match="push the model again"):
        store.fetch(entry)
    assert not (tmp_path / "m.onnx").exists()
    assert store.push(LR, "fraud").new is False
    store.pull(entry, tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == LR.read_bytes()


def test_a_damaged_copy_of_the_cache_is_fetched_again(s3_url: str, tmp_path: Path) -> None:
    """A copy is used only while it has the bytes, and then the store is not asked for them."""
    store = Store(s3_url, tmp_path / "cache")
    entry = store.push(LR, "fraud").entry
    path = store.fetch(entry).path
    path.write_bytes(b"damaged")
    assert store.fetch(entry).path.read_bytes() == LR.read_bytes()
    files = open_files(s3_url)
    files.remove(files.keys("blobs")[0])
    assert store.fetch(entry).path.read_bytes() == LR.read_bytes()


def test_a_deleted_version_is_gone_for_good(store: Store, url: str) -> None:
    """It is found no more, its bytes are gone, and its number never means others."""
    store.push(LR, "fraud")
    store.push(TREES, "fraud")
    store.push(LR, "other")
    store.delete("fraud@2")
    assert [entry.model_id for entry in store.listing().entries] == ["fraud@1", "other@1"]
    with pytest.raises(ConfigError, match="'fraud@2' was deleted; it has: 1"):
        store.find("fraud@2")
    with pytest.raises(ConfigError, match="fraud@2 was deleted; a version is never used twice"):
        store.push(TREES, "fraud", version="2")
    assert [k.rpartition("/")[2] for k in open_files(url).keys("blobs")] == [f"{LR_SHA256}.onnx"]
    assert store.push(TREES, "fraud").entry.version == "3"
    store.delete("fraud@1")
    assert store.fetch(store.find("other@1")).path.read_bytes() == LR.read_bytes()
    assert open_files(url).keys("trash") == []


def test_what_an_alias_means_is_not_deleted_by_chance(store: Store) -> None:
    """Only with force, and then the alias goes as well."""
    store.push(LR, "fraud", alias="champion")
    with pytest.raises(ConfigError, match="is meant by champion; move the alias, or use --force"):
        store.delete("fraud@1")
    with pytest.raises(ConfigError, match="is an alias of fraud@1; name the version"):
        store.delete("fraud@champion", force=True)
    store.delete("fraud@1", force=True)
    assert (store.listing().entries, store.listing().aliases) == ((), {})


def test_a_record_that_cannot_be_read_is_told_and_left_out(store: Store, url: str) -> None:
    """The others are listed; who asks for it hears of it; its number is not used again."""
    store.push(LR, "fraud")
    files = open_files(url)
    files.replace("models/fraud/versions/2.json", b"{")
    files.replace("models/fraud/versions/3.json", store.find("fraud@1").encoded())
    files.replace("models/fraud/aliases/odd.json", b"[]")
    listing = store.listing()
    assert [entry.version for entry in listing.entries] == ["1"]
    assert set(listing.unreadable) == {
        "the record of fraud@2 cannot be read",
        "the record of fraud@3 is that of fraud@1",
        "the record of fraud@odd cannot be read",
    }
    for reference in ("fraud@2", "fraud@3", "fraud@odd"):
        with pytest.raises(StoreError, match=f"the record of {reference}"):
            store.find(reference)
    assert store.push(TREES, "fraud").entry.version == "4"


def test_progress_of_an_upload_is_told(store: Store) -> None:
    """At the end all bytes are done."""
    told: list[tuple[int, int]] = []
    store.push(LR, "fraud", told=lambda done, total: told.append((done, total)))
    assert told[-1] == (LR.stat().st_size, LR.stat().st_size)


def test_a_model_that_mixes_its_events_is_refused(store: Store) -> None:
    """With the difference that was measured, unless who pushes it says that it may."""
    with pytest.raises(ConfigError) as caught:
        store.push(DATA / "mean_coupled.onnx", "mean")
    told = reasons(caught.value)
    assert "an event's result depends on the events beside it: it differs by " in told
    assert (told.endswith("allow it with --coupled"), store.listing().entries) == (True, ())
    entry = store.push(DATA / "mean_coupled.onnx", "mean", coupled=True).entry
    assert store.fetch(entry).difference == entry.batch_difference
