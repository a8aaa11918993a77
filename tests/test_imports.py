"""The import rule: a layer of `worker` imports only from those above it, libraries in place."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Top to bottom; a layer is a module or a folder, and inside one folder anything goes.
CORE = [
    "bounds",
    "errors",
    "problems",
    "files",
    "marks",
    "batch",
    "schema",
    "dataset",
    "codec",
    "models",
    "nodes",
    "graph",
    "score",
]
SHELL = [
    "addresses",
    "secure",
    "settings",
    "places",
    "logs",
    "loop",
    "stream",
    "services",
    "web",
    "authoring",
    "app",
    "cli",
    "__main__",
]
LAYERS = [*CORE, *SHELL]

# Libraries that only some modules may import: the core none of them, the shell each in few places.
ONLY_IN = {
    "faust": ["app"],
    "mode": ["stream", "services", "web", "app"],
    "aiokafka": ["stream", "services"],
    "confluent_kafka": ["stream"],
    "aiohttp": ["services", "web", "authoring", "cli"],
    "fsspec": ["models.store"],
    "onnxruntime": ["models.session", "models.inspect"],
    "structlog": SHELL,
    "logging": SHELL,
    "asyncio": SHELL,
    "os.environ": SHELL,
    "os.getenv": SHELL,
}


def imported(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, `TYPE_CHECKING` and function bodies included.

    Args:
        tree: the parsed module.
        package: the dotted name of the package that the module is in, for relative imports.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(parents if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "os":
            # The environment is mostly reached as an attribute: `os.environ`.
            yield node.lineno, f"os.{node.attr}"


def within(name: str, prefix: str) -> bool:
    """Whether a dotted name is the prefix or stands below it."""
    return name == prefix or name.startswith(f"{prefix}.")


def module_violations(module: str, package: str, tree: ast.Module) -> Iterator[str]:
    """What one module imports against the rule, as `module:line what`."""
    layer = module.split(".")[0]
    if layer not in LAYERS:
        yield f"{module}:1 stands in no layer"
        return
    for line, name in imported(tree, package):
        top, _, rest = name.partition(".")
        if top == "worker":
            target = rest.split(".")[0]
            if target in LAYERS and LAYERS.index(target) > LAYERS.index(layer):
                yield f"{module}:{line} imports {target} from below"
        for library, places in ONLY_IN.items():
            if within(name, library) and not any(within(module, place) for place in places):
                yield f"{module}:{line} uses {library}"


def violations(root: Path) -> list[str]:
    """Every breach of the rule in the package `worker` of the folder `root`, by file name."""
    found: list[str] = []
    for path in sorted((root / "worker").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts == ("worker", "__init__"):
            continue
        package = ".".join(parts[:-1])
        module = ".".join(part for part in parts[1:] if part != "__init__")
        found += module_violations(module, package, ast.parse(path.read_text()))
    return found


def test_the_page_for_contributors_lists_the_layers() -> None:
    """In their order, so that nobody has to look here for where a module belongs."""
    _, _, page = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where things are")
    named = re.findall(r"`([a-z_]+)`", page.partition("##")[0])
    assert [*named, "__main__"] == LAYERS


def test_every_module_keeps_the_import_rule() -> None:
    """No module of `worker` imports from a layer below it, nor a library that belongs elsewhere."""
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("errors", "import worker.batch", "errors:1 imports batch from below"),
        ("batch", "from worker import schema", "batch:1 imports schema from below"),
        ("codec/a", "from ..score import b", "codec.a:1 imports score from below"),
        ("models/a", "from .. import nodes", "models.a:1 imports nodes from below"),
        ("nodes/a", "def f():\n  import worker.graph.run", "nodes.a:2 imports graph from below"),
        (
            "graph/__init__",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from worker.cli import x",
            "graph:3 imports cli from below",
        ),
        ("web/a", "import faust.app", "web.a:1 uses faust"),
        ("cli/a", "from mode import Service", "cli.a:1 uses mode"),
        ("app", "from aiokafka.errors import KafkaError", "app:1 uses aiokafka"),
        ("services/a", "import confluent_kafka", "services.a:1 uses confluent_kafka"),
        ("nodes/a", "from onnxruntime import InferenceSession", "nodes.a:1 uses onnxruntime"),
        ("score", "import structlog", "score:1 uses structlog"),
        ("score", "import logging.config", "score:1 uses logging"),
        ("batch", "import asyncio", "batch:1 uses asyncio"),
        ("models/a", "import aiohttp", "models.a:1 uses aiohttp"),
        ("schema", "import os\nos.environ['A']", "schema:2 uses os.environ"),
        ("schema", "from os import getenv", "schema:1 uses os.getenv"),
        ("helpers", "", "helpers:1 stands in no layer"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, module: str, source: str, expected: str) -> None:
    """The checker can fail: each kind of breach is reported with its module and line."""
    path = tmp_path / "worker" / f"{module}.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)

    assert violations(tmp_path) == [expected]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("__init__", "import numpy"),
        ("batch", "import numpy\nfrom worker.errors import RecordError"),
        ("schema", "from worker import __version__"),
        ("codec/a", "from .b import c\nfrom worker.codec import d\nfrom ..batch import Batch"),
        ("models/session", "import onnxruntime as ort"),
        ("models/inspect", "import os\nimport onnxruntime\nos.path.join('a', 'b')"),
        ("graph/a", "from worker.nodes.base import Node"),
        ("stream/a", "import asyncio\nfrom mode import Service\nimport aiokafka, structlog"),
        ("settings", "import os\nos.environ['A']"),
        ("app", "import faust\nfrom worker.web import routes"),
        ("__main__", "from worker.cli import main"),
    ],
)
def test_what_the_rule_allows_passes(tmp_path: Path, module: str, source: str) -> None:
    """The checker reports nothing where a module keeps the rule."""
    path = tmp_path / "worker" / f"{module}.py"
    path.parent.mkdir(parents=True)
    path.write_text(source)

    assert violations(tmp_path) == []
