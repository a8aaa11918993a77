"""The table of docs/reliability.md, between ``<!-- faults -->`` and ``<!-- end: faults -->``."""

from __future__ import annotations

from pathlib import Path

from faults.report import ROOT, Report

PAGE = ROOT / "docs" / "reliability.md"
START, END = "<!-- faults -->\n", "<!-- end: faults -->"


def write(report: Report, page: Path = PAGE) -> Path:
    """Replaces what stands between the markers.

    Raises:
        RuntimeError: the page has no such markers.
    """
    text = page.read_text(encoding="utf-8")
    head, found, rest = text.partition(START)
    _, ended, tail = rest.partition(END)
    if not found or not ended:
        raise RuntimeError(f"{page} has no lines '{START.strip()}' and '{END}'")
    page.write_text(f"{head}{START}\n{_table(report)}\n\n{END}{tail}", encoding="utf-8")
    return page


def _table(report: Report) -> str:
    lines = [["row", "what was done", "figure", "pass line", "", "s", "commit"], ["---"] * 7]
    lines += [
        [
            f"`{one.row}`",
            one.done,
            one.figure,
            one.wanted,
            "met" if one.passed else "**missed**",
            f"{one.seconds:.0f}",
            one.under,
        ]
        for one in report.findings
    ]
    rows = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
    met = sum(one.passed for one in report.findings)
    told = "; ".join(f"{name}: {value}" for name, value in report.facts.items())
    return f"{rows}\n\n{met} of {len(report.findings)} met.\n\n> {told}"


def _cell(text: str) -> str:
    """Text without what would end a cell."""
    return text.replace("|", "\\|").replace("\n", " ")
