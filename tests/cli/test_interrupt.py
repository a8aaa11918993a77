"""Signals: what is to be done to its end is."""

from __future__ import annotations

import os
import signal

import pytest

from worker.cli.interrupt import like_ctrl_c, undisturbed

ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def test_cleaning_up_is_not_interrupted() -> None:
    """A second Ctrl-C, or a SIGTERM, does nothing within; after it they are what they were."""
    with like_ctrl_c():
        with undisturbed():
            for number in ASKED:
                os.kill(os.getpid(), number)
        for number in ASKED:
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), number)
