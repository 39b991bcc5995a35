"""The commands that README.md, or the demo, prints. Pure."""

import re
from collections.abc import Iterator

BLOCK = re.compile(r"^    ((?:LIQ_DATA=\S+ )?(?:\.venv/bin/)?liq\b.*|make\b.*|pipx? .*|duckdb .*)$")
CELL = re.compile(r"^\| (`(?:liq|[^|]*` / `)[^|]*) \|")
CODE = re.compile(r"`([^`]+)`")


def of_readme(text: str) -> list[str]:
    """Return each command of the indented blocks and of the first column of tables, in order and once.

    Where a cell names several words of one command, as in `liq broker start` / `stop`, each is one.
    """
    return list(dict.fromkeys(found for line in text.splitlines() for found in _of_line(line)))


def of_demo(told: str) -> list[str]:
    """Return the commands that the demo says to try next."""
    after = told.partition("Try next:")[2]
    return [line.strip() for line in after.splitlines() if line.strip().startswith(("LIQ_DATA=", ".venv/bin/liq"))]


def _of_line(line: str) -> Iterator[str]:
    if block := BLOCK.match(line):
        yield block[1]
    elif cell := CELL.match(line):
        yield from _of_cell(CODE.findall(cell[1]))


def _of_cell(named: list[str]) -> Iterator[str]:
    first = named[0]
    if not first.startswith("liq "):
        return
    yield first
    stem = first.rsplit(" ", 1)[0]
    for other in named[1:]:
        yield other if other.startswith("liq ") else f"{stem} {other}"
