"""A process under measurement: started, watched for CPU and memory, and stopped."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).parent.parent
SAMPLE_S = 0.1
STOP_TIMEOUT_S = 30.0
LOG_LINES = 20


class Subject:
    """A process and its children; ``with`` starts and stops them.

    Attributes:
        rss_bytes: memory at the last look, over the whole tree.
        peak_rss_bytes: the most that was seen.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        sample_s: float = SAMPLE_S,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``log`` takes everything that the process prints; looked at every ``sample_s``."""
        self.rss_bytes = self.peak_rss_bytes = 0
        self._command, self._log, self._sample_s = list(command), log, sample_s
        self._environment = environment or {}
        self._times_s: list[float] = []
        self._cpu_s: list[float] = []
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
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
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._over.set()
        self._watcher.join()
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

    def cpu_s(self, start_s: float, end_s: float) -> float:
        """CPU seconds between two moments of the epoch, between samples interpolated."""
        first, last = np.interp([start_s, end_s], self._times_s, self._cpu_s)
        return float(last - first)

    def _watch(self) -> None:
        assert self._process is not None
        while not self._over.is_set():
            with contextlib.suppress(psutil.NoSuchProcess):
                self._sample(psutil.Process(self._process.pid))
            self._over.wait(self._sample_s)

    def _sample(self, root: psutil.Process) -> None:
        cpu_s, rss = 0.0, 0
        now_s = time.time()
        for process in (root, *root.children(recursive=True)):
            with process.oneshot():
                times = process.cpu_times()
                cpu_s += times.user + times.system
                rss += process.memory_info().rss
        self._times_s.append(now_s)
        self._cpu_s.append(cpu_s)
        self.rss_bytes = rss
        self.peak_rss_bytes = max(self.peak_rss_bytes, rss)
