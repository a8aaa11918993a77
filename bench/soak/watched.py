"""The worker as ``rtml`` starts it, with a thread that writes down which asyncio tasks there are.

``python -m bench.soak.watched FILE run ...``: FILE is replaced every `PERIOD_S`, as JSON: how many
tasks of each coroutine. From outside a process there is no way to see them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import worker.loop
from worker.__main__ import main

PERIOD_S = 1.0

_loops: list[asyncio.AbstractEventLoop] = []
_made = worker.loop.new_event_loop


def _new_event_loop() -> asyncio.AbstractEventLoop:
    _loops.append(_made())
    return _loops[-1]


def _write(path: Path) -> None:
    fresh = path.with_suffix(".new")
    while True:
        tasks = [task for loop in _loops for task in asyncio.all_tasks(loop)]
        names = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in tasks)
        fresh.write_text(json.dumps(names))
        fresh.replace(path)
        time.sleep(PERIOD_S)


if __name__ == "__main__":
    worker.loop.new_event_loop = _new_event_loop
    threading.Thread(target=_write, args=(Path(sys.argv.pop(1)),), daemon=True).start()
    main()
