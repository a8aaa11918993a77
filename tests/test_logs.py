"""Logs: JSON lines for machines, on stderr, without what libraries chatter."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

# In a process of its own, because logging is configured once for the whole process.
SCRIPT = """
import logging, sys
import structlog
from worker import logs
style, level = sys.argv[1:]
logs.configure(style, level)
log = structlog.get_logger("worker.test")
log.debug("quiet", n=0)
log.info("partitions_assigned", partitions=[1, 2])
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
logging.getLogger("aiokafka.conn").error("Unable to connect")
logging.getLogger("other").warning("from %s", "elsewhere")
logs.warn_all("unknown_setting", ["one", "two"])
print("data")
"""


def run(style: str, level: str = "info") -> tuple[str, str]:
    """What the script wrote to stdout and to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, style, level],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout, done.stderr


def events(text: str) -> list[dict[str, Any]]:
    """The lines as JSON; every line must be an object."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("style", ["json", "auto"])
def test_where_no_terminal_is_logs_are_json_lines(style: str) -> None:
    """One object per line on stderr, with event, level, logger and a UTC time; stdout is data."""
    out, err = run(style)
    assert out == "data\n"
    found = {one["event"]: one for one in events(err)}
    assert found["partitions_assigned"]["partitions"] == [1, 2]
    assert found["partitions_assigned"]["logger"] == "worker.test"
    assert {one["level"] for one in found.values()} == {"info", "error", "warning"}
    assert all(one["timestamp"].endswith("Z") for one in found.values())


def test_an_exception_is_one_line() -> None:
    """The traceback is a field of its event."""
    (failed,) = [one for one in events(run("json")[1]) if one["event"] == "failed"]
    assert "ZeroDivisionError" in failed["exception"]


def test_libraries_are_quiet_unless_debugged() -> None:
    """Their clients report every try; other loggers' lines have the same form as ours."""
    names = [one["event"] for one in events(run("json")[1])]
    assert "Unable to connect" not in names
    assert "quiet" not in names
    assert "from elsewhere" in names
    debugged = [one["event"] for one in events(run("json", "debug")[1])]
    assert {"Unable to connect", "quiet"} <= {*debugged}


def test_each_warning_is_an_event() -> None:
    """Several details are several events of one name."""
    found = [one for one in events(run("json")[1]) if one["event"] == "unknown_setting"]
    assert [one["detail"] for one in found] == ["one", "two"]


def test_the_console_style_is_plain_without_a_terminal() -> None:
    """Readable lines, and no colour codes where nobody sees colours."""
    _, err = run("console")
    assert "partitions_assigned" in err
    assert "\x1b[" not in err


LINES = """
import json, sys
import structlog
from worker import bounds, logs
from worker.bounds import Bounds
logs.configure(sys.argv[1], "info")
bounds.use(Bounds(max_log_bytes=1_000))
log = structlog.get_logger("worker.test")
for length in range(800, 1_000):
    log.info("sized", text="x" * length)
log.error("huge", text="\\x00\\u20ac" * 100_000, many=list(range(10_000)), n=7)
log.error("x" * 5_000)
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_line_is_bounded(style: str) -> None:
    """Up to the limit it is whole; by a byte more its values are cut, and it says so."""
    done = subprocess.run(
        [sys.executable, "-c", LINES, style], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stderr.splitlines()
    assert len(lines) == 202
    sizes = [len(line.encode()) for line in lines]
    assert max(sizes) == 1_000
    whole = [line for line in lines[:200] if "cut_from_bytes" not in line]
    assert [len(line.encode()) for line in whole] == list(range(1_001 - len(whole), 1_001))
    assert "cut_from_bytes" in lines[len(whole)]
    if style == "json":
        cut = json.loads(lines[200])
        assert (cut["event"], cut["n"], cut["level"]) == ("huge", 7, "error")
        assert cut["cut_from_bytes"] > 1_000_000
