"""The rows of the suite, in their order."""

from __future__ import annotations

from faults import (
    checker,
    crashes,
    kills,
    letters,
    network,
    numbers,
    outages,
    overload,
    poison,
    rolling,
    sizes,
    slow_models,
    storm,
    swaps,
    zombies,
)
from faults.stage import Row

ROWS: dict[str, Row] = {
    "checker": checker.run,
    "kills": kills.run,
    "zombies": zombies.run,
    "storm": storm.run,
    "outages": outages.run,
    "network": network.run,
    "rolling": rolling.run,
    "crashes": crashes.run,
    "poison": poison.run,
    "letters": letters.run,
    "sizes": sizes.run,
    "overload": overload.run,
    "models": slow_models.run,
    "swaps": swaps.run,
    "numbers": numbers.run,
}
