"""Node kinds are found in the folder and in installed packages, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import worker.nodes
from worker.errors import ConfigError
from worker.nodes import registry
from worker.nodes.clip import Clip
from worker.nodes.drop import Drop

Install = Callable[[str, str], None]

PLUGIN = '''
from worker.nodes.clip import Clip

class Bound(Clip):
    """A node kind of another package."""

def no_node():
    """Not even a class."""
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes a distribution with one entry point importable; forgets it after the test."""

    def installed(name: str, value: str) -> None:
        (tmp_path / "rtml_test_plugin.py").write_text(PLUGIN)
        info = tmp_path / "rtml_test_plugin-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rtml-test-plugin\nVersion: 1")
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        registry.kinds.cache_clear()

    yield installed
    registry.kinds.cache_clear()


def test_every_file_is_a_kind() -> None:
    """Each file of worker/nodes defines the one kind it is named after."""
    files = {path.stem for path in Path(worker.nodes.__path__[0]).glob("*.py")}
    expected = {name for name in files if not name.startswith("_")} - {"base", "registry"}
    modules = [kind.__module__.rpartition(".")[2] for kind in registry.kinds().values()]
    assert sorted(modules) == sorted(expected)
    for kind, value in registry.kinds().items():
        assert value.__module__.rpartition(".")[2].replace("_", "") == kind.lower()


def test_kinds_are_sorted() -> None:
    """Listings are in the order of the alphabet."""
    assert list(registry.kinds()) == sorted(registry.kinds())


def test_an_installed_package_adds_a_kind(install: Install) -> None:
    """A node class behind an entry point is a kind under the entry point's name."""
    install("Bound", "rtml_test_plugin:Bound")
    bound = registry.kinds()["Bound"]
    assert bound.__module__ == "rtml_test_plugin"
    assert issubclass(bound, Clip)


def test_a_package_cannot_replace_a_kind(install: Install) -> None:
    """An entry point under a name that is taken is refused; both owners are named."""
    install("Clip", "rtml_test_plugin:Bound")
    with pytest.raises(ConfigError, match=r"worker\.nodes\.clip and rtml_test_plugin"):
        registry.kinds()


def test_an_entry_point_must_be_a_node(install: Install) -> None:
    """Anything but a node class behind an entry point is refused by its name."""
    install("Odd", "rtml_test_plugin:no_node")
    with pytest.raises(ConfigError, match=r"entry point 'Odd' of rtml\.nodes is no Node class"):
        registry.kinds()


def test_duplicate_kinds_name_both_owners() -> None:
    """Two classes for one kind: the error says which modules they come from."""
    with pytest.raises(ConfigError, match="'Same'") as caught:
        registry.collect(iter([("Same", Clip), ("Same", Drop)]))
    assert "worker.nodes.clip and worker.nodes.drop" in str(caught.value)
