"""The examples of docs/http.md: what they show is what the server says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.web.support import Shelf, example, served, serving

GUIDE = Path(__file__).parents[2] / "docs" / "http.md"
EXAMPLES: list[tuple[str, str]] = re.findall(
    r"^```\n\$ (curl .*?')\n([\[{].*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE
)


def rounded(text: str) -> Any:
    """The JSON, its numbers to six places: processors differ in the last ones."""
    return json.loads(text, parse_float=lambda number: round(float(number), 6))


@pytest.mark.parametrize(
    ("command", "shown"), EXAMPLES, ids=[urlsplit(c.split()[1]).path for c, _ in EXAMPLES]
)
def test_the_guide_shows_what_is_answered(command: str, shown: str) -> None:
    """Each curl command, sent as it stands, gives the JSON below it."""
    _, url, _, header, _, body = shlex.split(command)
    name, _, value = header.partition(": ")
    with serving(Shelf.of(served(example("car-insurance")))) as client:
        found = client.ask("POST", urlsplit(f"http://{url}").path, body.encode(), {name: value})
    assert rounded(found.body.decode()) == rounded(shown)


def test_the_guide_has_an_example_of_each() -> None:
    """A list, columns, tensors and a refusal."""
    assert len(EXAMPLES) == 4


def test_every_route_is_in_the_guide() -> None:
    """The table names what the server answers to."""
    guide = GUIDE.read_text()
    with serving(Shelf()) as client:
        paths = {route.path for route in client.web.routes}
    below = "/v2/models/{name}/versions/{version}"
    assert [path for path in paths if path.removeprefix(below) == path and path not in guide] == []
    assert below in guide
