"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from worker import bounds
from worker.bounds import Bounds

# Threads of scikit-learn and NumPy that wait for a core spin: beside other tests, trainings took
# 65 s of CPU for 20. It has to be said before either is loaded, and is passed on to children.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Two busy cores make a deadline a matter of luck. Forty examples of each of several hundred
# properties find what a hundred do; one that needs more says so itself.
settings.register_profile("rtml", deadline=None, max_examples=40)
settings.load_profile("rtml")


@pytest.fixture
def bounded() -> Iterator[Callable[..., None]]:
    """A function that sets limits for this test, by the names of `Bounds`."""
    yield lambda **limits: bounds.use(Bounds(**limits))
    bounds.use(Bounds())
