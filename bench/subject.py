"""A process under measurement: started, watched for CPU and memory, and stopped."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from worker.stream.tools.bench.use import Use
from worker.stream.tools.bench.watch import EVERY_S, Watch

ROOT = Path(__file__).parent.parent
STOP_TIMEOUT_S = 30.0
LOG_LINES = 20


class Subject:
    """A process and its children; ``with`` starts and stops them.

    Attributes:
        watch: on the whole tree.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        sample_s: float = EVERY_S,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``log`` takes everything that the process prints; looked at every ``sample_s``."""
        self._command, self._log = list(command), log
        self._environment = environment or {}
        self.watch = Watch(self._look, sample_s)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Subject:
        # Settings of the caller's shell would change what is measured.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RTML_")}
        folder = str(self._log.parent)  # so that what a process leaves behind goes with the logs
        environment |= {"TMPDIR": folder, "JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={folder}"}
        environment |= self._environment
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.watch.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self.watch.__exit__(None, None, None)
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def exit_code(self) -> int:
        """Of a process that is over."""
        assert self._process is not None
        return self._process.wait()

    @property
    def pid(self) -> int:
        """Of the process itself, without its children."""
        assert self._process is not None
        return self._process.pid

    def check(self) -> None:
        """Does nothing while the process runs.

        Raises:
            RuntimeError: it has ended, with the end of what it printed.
        """
        assert self._process is not None
        code = self._process.poll()
        if code is not None:
            tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-LOG_LINES:])
            raise RuntimeError(f"`{' '.join(self._command)}` ended with {code}:\n{tail}")

    def _look(self) -> Use | None:
        """By psutil, which knows processes of every system; None of one that has ended."""
        cpu_s, rss = 0.0, 0
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.pid)
            for process in (root, *root.children(recursive=True)):
                with process.oneshot():
                    times = process.cpu_times()
                    cpu_s += times.user + times.system
                    rss += process.memory_info().rss
            return Use(cpu_s, rss)
        return None
