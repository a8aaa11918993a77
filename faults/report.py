"""The report: where the suite ran and with what, and a line for each finding."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import worker
from bench.report import machine
from faults.finding import Finding
from tests.jars import VERSION, find_java

ROOT = Path(__file__).parent.parent
OUT = Path(__file__).parent / "out"
PACKAGES = ("aiokafka", "confluent-kafka", "faust-streaming", "msgspec", "numpy", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Report:
    """Findings of one call or of several.

    Attributes:
        facts: seed, versions and machine of the latest call.
        findings: in the order of the suite.
    """

    facts: dict[str, str]
    findings: Sequence[Finding]

    def write(self) -> Path:
        """Keeps it as JSON in a folder that git ignores; the file."""
        OUT.mkdir(exist_ok=True)
        (OUT / ".gitignore").write_text("*\n")
        path = OUT / "results.json"
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")
        return path

    @classmethod
    def read(cls) -> Report | None:
        """What was kept, if anything was."""
        path = OUT / "results.json"
        if not path.exists():
            return None
        found: dict[str, Any] = json.loads(path.read_text())
        return cls(found["facts"], [Finding(**one) for one in found["findings"]])


def facts(seed: int, quick: bool) -> dict[str, str]:
    """What a figure needs to be repeated."""
    where = machine()
    return {
        "seed": str(seed) + (", the quick form" if quick else ""),
        "rtml": f"{worker.__version__}, commit {commit()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "Kafka": f"{VERSION}, one node",
        "Java": _java(),
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": where["machine"],
        "load": f"{os.getloadavg()[0]:.1f} at the start",
    }


def commit() -> str:
    """Of the working tree, and whether it was changed."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(git, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _java() -> str:
    done = subprocess.run([find_java(), "-version"], capture_output=True, text=True, check=False)
    return done.stderr.partition("\n")[0].replace('"', "").strip()
