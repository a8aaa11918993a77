"""A process beside this one: its log in a file, and stopped whatever happens."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from worker.errors import RtmlError
from worker.stream.tools import command

_LOG_LINES = 10


class ChildEnded(RtmlError):
    """A process ended by itself, or did not become ready."""


class Child:
    """A program of this package; leaving the context stops it, whatever happens.

    It drains also where this process is killed.

    Attributes:
        name: for messages.
        log: the file; removed in the end unless ``keep_log`` is set.
        stop_timeout_s: how long `stop` waits before it kills.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        stop_timeout_s: float,
    ) -> None:
        """Starts it.

        Args:
            name: for messages.
            arguments: what starts it; it takes `command.WHILE_OPEN` as well.
            environment: all the variables that it gets.
            stop_timeout_s: how long it may take to stop.
        """
        self.name, self.stop_timeout_s, self.keep_log = name, stop_timeout_s, False
        prefix = f"rtml-{name}-"
        with tempfile.NamedTemporaryFile(prefix=prefix, suffix=".log", delete=False) as log:
            self.log = Path(log.name)
            # Nothing is written to it: its end closes with this process, however that ends.
            watched, self._held = os.pipe()
            self._process = subprocess.Popen(
                [*arguments, command.WHILE_OPEN, str(watched)],
                env=command.environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[watched],
            )
            os.close(watched)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def check(self) -> None:
        """Notices a process that ended by itself.

        Raises:
            ChildEnded: it did; with the end of its log.
        """
        code = self._process.poll()
        if code is not None:
            lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
            tail = "\n".join(lines)
            message = f"the {self.name} ended with exit code {code}; its log ends:\n{tail}"
            raise ChildEnded(message)

    def stop(self) -> int:
        """SIGTERM, so that it drains; SIGKILL after a bound. The exit code."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self.stop_timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
            except KeyboardInterrupt:  # a second Ctrl-C: nothing may be left behind
                self._process.kill()
                raise
        return self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        os.close(self._held)
        if not self.keep_log:
            self.log.unlink(missing_ok=True)
