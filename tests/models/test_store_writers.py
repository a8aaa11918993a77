"""Several writers at once, and writers that are killed: the store stays whole."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.graph.support import DATA
from worker.models.inspect import inspect
from worker.models.store.blobs import Blobs
from worker.models.store.catalog import Catalog
from worker.models.store.entry import Entry
from worker.models.store.files import Told
from worker.models.store.folder import open_files
from worker.models.store.push import Push
from worker.models.store.source import Source
from worker.models.store.store import Store

pytestmark = pytest.mark.long

LR = DATA / "lr.onnx"
WRITERS = 8
EACH = 2

# Without inspection, which would take so much longer than a push that the writers hardly met.
WRITER = """
import sys
from pathlib import Path
from tests.models.test_store_writers import write_many
print("ready", flush=True)
sys.stdin.readline()
write_many(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
"""


def write_many(url: str, label: str, many: int, folder: Path) -> None:
    """Adds so many versions of ``fraud`` whose bytes nobody else has."""
    files = open_files(url)
    push = Push(Catalog(files), Blobs(files, folder / "cache"))
    report = inspect(LR)
    for i in range(many):
        path = folder / f"{label}-{i}.onnx"
        path.write_bytes(f"{label} {i} ".encode() * 20_000)
        draft = Entry.drafted(report, Source(path, "onnx"), name="fraud", version="")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        push.add(draft.model_copy(update={"sha256": sha256}), path, None)
        path.unlink()


def writer(url: str, label: str, many: int, folder: Path) -> subprocess.Popen[bytes]:
    """A process that waits for a line of stdin before it writes."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, label, str(many), str(folder)],
        cwd=DATA.parent.parent,
        env=os.environ | {"PYTHONPATH": str(DATA.parent.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def started(process: subprocess.Popen[bytes]) -> None:
    """Lets a writer go on."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def is_whole(url: str, folder: Path) -> list[int]:
    """The versions of ``fraud``, after each of them was read and verified."""
    store = Store(url, folder / "verified")
    listing = store.listing()
    assert listing.unreadable == ()
    for entry in listing.entries:
        store.pull(entry, folder / "verified.onnx")
    return sorted(int(entry.version) for entry in listing.entries)


def test_eight_writers_at_once(url: str, tmp_path: Path) -> None:
    """Every version is taken exactly once, none is left out, and each has its writer's bytes."""
    writers = [writer(url, f"w{i}", EACH, tmp_path) for i in range(WRITERS)]
    try:
        for process in writers:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in writers:
            started(process)
        assert [process.wait(90) for process in writers] == [0] * WRITERS
    finally:
        for process in writers:
            process.kill()
            process.communicate()
    assert is_whole(url, tmp_path) == list(range(1, WRITERS * EACH + 1))
    digests = {entry.sha256 for entry in Store(url, tmp_path).listing().entries}
    expected = {
        hashlib.sha256(f"w{i} {j} ".encode() * 20_000).hexdigest()
        for i in range(WRITERS)
        for j in range(EACH)
    }
    assert digests == expected


def test_one_label_for_one_of_two(url: str) -> None:
    """A label is created by one of two who both saw it free; the other is told so."""
    files = open_files(url)
    catalog = Catalog(files)
    report = inspect(LR)
    drafts = [
        Entry.drafted(report, Source(LR, "onnx"), name="fraud", version="blue") for _ in range(2)
    ]
    assert [catalog.create(draft) for draft in drafts] == [True, False]
    assert catalog.entry("fraud", "blue") == drafts[0]


def test_killed_writers_leave_a_whole_store(url: str, tmp_path: Path) -> None:
    """SIGKILL at any moment: what is listed can be read, and the next push goes on from there."""
    store = Store(url, tmp_path / "cache")
    for i in range(3):
        process = writer(url, f"k{i}", 1_000, tmp_path)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            seen = len(is_whole(url, tmp_path))
            started(process)
            deadline = time.monotonic() + 30
            while len(store.listing().entries) <= seen + i:
                assert time.monotonic() < deadline
        finally:
            process.kill()
            process.communicate()
        versions = is_whole(url, tmp_path)
        assert versions == list(range(1, len(versions) + 1))
    pushed = store.push(LR, "fraud")
    assert pushed.entry.version == str(len(is_whole(url, tmp_path)))


class _Meddling(Blobs):
    """Bytes that another process deletes right after they were looked for."""

    def __init__(self, blobs: Blobs, other: Push) -> None:
        self.__dict__.update(blobs.__dict__)
        self._other = other
        self._done = False

    def add(self, path: Path, sha256: str, told: Told | None = None) -> None:
        """Adds them; then the other one sweeps, since no record names them yet."""
        super().add(path, sha256, told)
        if not self._done:
            self._done = True
            self._other.sweep(sha256)


def test_bytes_that_a_delete_takes_from_under_a_push_come_back(url: str, tmp_path: Path) -> None:
    """A delete between a push's upload and its record: the version is whole all the same."""
    files = open_files(url)
    catalog, blobs = Catalog(files), Blobs(files, tmp_path)
    push = Push(catalog, _Meddling(blobs, Push(catalog, blobs)))
    draft = Entry.drafted(inspect(LR), Source(LR, "onnx"), name="fraud", version="")
    assert push.add(draft, LR, None).new is True
    assert is_whole(url, tmp_path) == [1]
