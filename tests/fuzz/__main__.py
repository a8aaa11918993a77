"""``python -m tests.fuzz [EXAMPLES]``: looks for inputs with other outcomes, and keeps them."""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS, Target


def search(name: str, target: Target, examples: int) -> int:
    """How many new outcomes were found; a shorter input takes the place of a longer one."""
    known = {entry["outcome"]: entry["input"] for entry in corpus.load(name)}
    before = len(known)

    @settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=[*HealthCheck]
    )
    @given(target.inputs)
    def tried(one: Any) -> None:
        outcome, packed = target.run(one), target.pack(one)
        if outcome not in known or len(repr(packed)) < len(repr(known[outcome])):
            known[outcome] = packed

    tried()
    corpus.save(name, [{"outcome": key, "input": value} for key, value in known.items()])
    return len(known) - before


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    for label, chosen in TARGETS.items():
        print(f"{label}: {search(label, chosen, count)} new outcomes")
