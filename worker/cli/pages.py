"""A page in Markdown for each node kind, made of its params and its example."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from worker.cli.kinds import Param, params, params_of, snippet
from worker.cli.steps import Steps, call, models
from worker.graph.json_schema import description, markdown, summary
from worker.nodes.base import Node
from worker.nodes.pandas import Pandas

if TYPE_CHECKING:
    from worker.authoring.node import Node as Step

INDEX = "README.md"
MEASURED = "Measured: "
"""Begins the line that `python -m bench.nodes` ends a page with; writing pages leaves it."""

Kinds = Mapping[str, type[Node[Any]]]


def pages(kinds: Kinds, steps: Steps) -> dict[str, str]:
    """File name -> text: a page for each kind and each step, and `INDEX` that lists them."""
    made = {f"{name}.md": _page(name, kind) for name, kind in kinds.items()}
    made |= {f"{name}.md": _step(name, step) for name, step in steps.items()}
    return {INDEX: _index(kinds, steps), **made}


def unmeasured(page: str) -> str:
    """A page without the line of what was measured."""
    lines = page.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(MEASURED)).rstrip("\n") + "\n"


def measured(page: str, line: str) -> str:
    """A page with that line; without one if it is empty."""
    return unmeasured(page) + (f"\n{line}\n" if line else "")


def measure_of(page: str) -> str:
    """The line of what was measured; empty without one."""
    return next((line for line in page.splitlines() if line.startswith(MEASURED)), "")


def _index(kinds: Kinds, steps: Steps) -> str:
    rows, only = (
        [(f"[{name}]({name}.md)", markdown(summary(one))) for name, one in listed.items()]
        for listed in (kinds, steps)
    )
    lines = [
        "# Node kinds",
        "",
        "Made by `make docs` from the nodes themselves; `rtml nodes KIND` shows the same.",
        "",
        *_table(("kind", "what it does"), rows),
        "",
        "Only a notebook has these; a graph goes without them.",
        "",
        *_table(("kind", "what it does"), only),
    ]
    return "\n".join(lines) + "\n"


def _page(name: str, kind: type[Node[Any]]) -> str:
    lines = [f"# {name}", "", markdown(description(kind)), "", "## Params", ""]
    rows = [(f"`{p.name}`", p.type, p.shown_default) for p in params(kind)]
    lines += [*_table(("param", "type", ""), rows), ""]
    if kind is Pandas:
        lines += ["## Operations", "", *_operations(), ""]
    lines += ["## Example", "", "```yaml", "nodes:"]
    lines += [f"  {line}" for line in snippet(name, kind).splitlines()]
    lines += ["```", ""]
    example = kind.EXAMPLE
    types = {column: str(of) for column, of in example.types.items()}
    lines += _cells("Goes in:", {f"{c} ({types[c]})": v for c, v in example.given.items()})
    lines += _cells("Comes out:", example.gives)
    return "\n".join(lines).rstrip() + "\n"


def _step(name: str, step: type[Step]) -> str:
    lines = [f"# {name}", "", "A step of a notebook; no graph has it.", ""]
    rows = [(f"`{p.name}`", p.type, p.shown_default) for p in params_of(step.Params)]
    lines += [markdown(description(step)), "", "## Params", ""]
    lines += [*_table(("param", "type", ""), rows), ""]
    trained = models(name)
    if trained:
        cells = [(task, ", ".join(f"`{p}`" for p in paths)) for task, paths in trained.items()]
        lines += ["## Models", "", *_table(("kind", "model"), cells), ""]
    lines += ["## Example", "", "```python", *call(name, step).splitlines(), "```"]
    return "\n".join(lines) + "\n"


def _operations() -> Iterator[str]:
    from worker.nodes._pandas.table import ALIASES, OPERATIONS

    also: dict[str, list[str]] = {}
    for alias, name in ALIASES.items():
        also.setdefault(name, []).append(alias)
    rows = [
        (
            ", ".join(f"`{each}`" for each in [name, *also.get(name, [])]),
            operation.says,
            "; ".join(map(_keyword, params_of(operation.kwargs))),
        )
        for name, operation in OPERATIONS.items()
    ]
    yield from _table(("import", "gives", "kwargs"), rows)


def _keyword(param: Param) -> str:
    default = f", {param.shown_default}" if param.shown_default else ""
    return f"`{param.name}`: {param.type}{default}"


def _cells(title: str, columns: Mapping[str, Sequence[Any]]) -> list[str]:
    if not columns:
        return []
    rows = zip(*columns.values(), strict=True)
    return [title, "", *_table(list(columns), ([_cell(v) for v in row] for row in rows)), ""]


def _cell(value: Any) -> str:
    return "*missing*" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
