"""The command `rtml`, and `python -m worker`."""

from __future__ import annotations

import os
import signal
import sys

_INTERRUPTED = 130


def main() -> None:
    """Loads the command line and runs it; until then Ctrl-C has nothing to clean up."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored
        signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
    try:
        from worker.cli import main as run

        run()
    except KeyboardInterrupt:  # on the way in or out of it
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
