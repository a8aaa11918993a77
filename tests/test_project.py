"""What the project's own files promise to those who work on them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import worker

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
MODULES = sorted((ROOT / "worker").rglob("*.py"))
KINDS = [
    path.stem
    for path in sorted((ROOT / "worker" / "nodes").glob("*.py"))
    if not path.stem.startswith("_") and path.stem not in {"base", "registry"}
]
MAX_LINES = 250


def canonical(requirement: str) -> str:
    """The normalised name of a requirement, as in PEP 503."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_requirements() -> list[str]:
    """Every requirement of pyproject.toml: dependencies, extras, groups, build backend."""
    groups = [
        entry
        for group in PROJECT["dependency-groups"].values()
        for entry in group
        if isinstance(entry, str)
    ]
    extras = [
        entry for extra in PROJECT["project"]["optional-dependencies"].values() for entry in extra
    ]
    return [
        *PROJECT["project"]["dependencies"],
        *extras,
        *groups,
        *PROJECT["build-system"]["requires"],
    ]


def pins() -> list[str]:
    """The lines of constraints.txt that are not comments."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_modules_stay_small() -> None:
    """No module is too long to be one idea."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in MODULES}

    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}


def test_every_node_kind_has_its_test() -> None:
    """A node in worker/nodes has a test of its own in tests/nodes."""
    tests = ROOT / "tests" / "nodes"

    assert [kind for kind in KINDS if not (tests / f"test_{kind}.py").is_file()] == []


def test_constraints_are_exact_versions() -> None:
    """A constraint is a name, a version and at most a marker: no address, path or option."""
    pin = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; .+)?")

    assert [line for line in pins() if not pin.fullmatch(line)] == []


def test_every_direct_requirement_is_pinned() -> None:
    """What pyproject.toml asks for, the constraints fix."""
    pinned = {canonical(line) for line in pins()}

    assert {canonical(entry) for entry in direct_requirements()} - pinned == set()


def test_types_are_shipped() -> None:
    """The package tells type checkers that it is typed."""
    assert (ROOT / "worker" / "py.typed").is_file()


def test_version_is_semantic() -> None:
    """The version in the package, which the build takes, is major.minor.patch."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", worker.__version__)


def test_package_import_is_light() -> None:
    """`import worker` gives the version and loads neither a module of the project nor a library."""
    program = "import sys; old = set(sys.modules); import worker; print(*set(sys.modules) - old)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["worker"]
