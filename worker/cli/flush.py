"""The end of sending: what is on its way is waited for, whatever made it end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from worker.cli.console import ExitCode, print_problems
from worker.errors import ConfigError

if TYPE_CHECKING:
    from worker.stream.tools.send import Sender

_INTERRUPTED_FLUSH_S = 5.0


def flushed(sender: Sender, send: Callable[[], object]) -> ExitCode:
    """Sends everything; what is refused ends it, after what came before, and is told."""
    code = ExitCode.DONE
    try:
        send()
        sender.finish()
    except ConfigError as error:
        print_problems(error.problems)
        sender.finish()
        code = ExitCode.REFUSED
    except KeyboardInterrupt:
        sender.finish(_INTERRUPTED_FLUSH_S)
        code = ExitCode.INTERRUPTED
    return code
