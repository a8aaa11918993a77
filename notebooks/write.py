"""Writes each notebook from its script: `python notebooks/write.py`.

The scripts are the source. A line `# %%` begins a cell of code, `# %% [markdown]` one of text.
"""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
NOTEBOOKS = {
    "car_insurance.py": "car-insurance.ipynb",
    "bring_your_own_model.py": "bring-your-own-model.ipynb",
}
_CELL = re.compile(r"^# %%( \[markdown\])?\n", re.MULTILINE)


def notebook(script: str) -> dict[str, Any]:
    """Return the notebook of a script, without outputs."""
    _, *parts = _CELL.split(script)
    cells = [cell(i, parts[2 * i], parts[2 * i + 1]) for i in range(len(parts) // 2)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def cell(i: int, markdown: str | None, text: str) -> dict[str, Any]:
    """Return one cell; its id is its place, so that the file changes with its content only."""
    lines = text.strip("\n").split("\n")
    if markdown:
        lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
    else:
        lines = [re.sub(r"  # noqa: \w+.*$", "", line) for line in lines]
    source = [line + "\n" for line in lines[:-1]] + lines[-1:]
    common = {"id": f"cell-{i:02}", "metadata": {}, "source": source}
    if markdown:
        return {"cell_type": "markdown", **common}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **common}


def content(script: Path) -> str:
    """Return the notebook file of a script as text."""
    data = notebook(script.read_text(encoding="utf-8"))
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every notebook."""
    for script, name in NOTEBOOKS.items():
        (FOLDER / name).write_text(content(FOLDER / script), encoding="utf-8")


if __name__ == "__main__":
    main()
