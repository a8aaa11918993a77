"""What is wrong with one command, from all its parts, told at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from worker.errors import ConfigError, Problem


class Gathered:
    """Problems of settings, graphs and arguments that are looked at one after the other.

    Attributes:
        problems: of the parts so far.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._warnings: list[str] = []

    @contextmanager
    def more(self) -> Iterator[None]:
        """A part of the command; what it is refused for is kept for `check`."""
        try:
            yield
        except ConfigError as error:
            self.problems += [one for one in error.problems if one not in self.problems]
            self._warnings += error.warnings

    def check(self) -> None:
        """To be called before what the parts have made is used.

        Raises:
            ConfigError: every problem of every part.
        """
        if self.problems:
            # A graph tells a setting that is wrong as the reason why it has no model.
            told = {str(one) for one in self.problems if one.path or one.file}
            own = [problem for problem in self.problems if problem.message not in told]
            raise ConfigError(own, self._warnings)
