"""Runs `rtml` inside the test's process: as fast as a call, with its exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.cli.conftest import Done
from worker.cli import main


def rtml(variables: Mapping[str, str], *arguments: str | Path) -> Done:
    """What a command leaves behind that finds these variables besides those of the tests."""
    words = ["rtml", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with (
        patch.dict(os.environ, {"NO_COLOR": "1", **variables}),
        patch.object(sys, "argv", words),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    told = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return Done(int(ended.value.code or 0), *told)
