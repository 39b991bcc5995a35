"""The files of a node of one's own (`--write-fills --batch-by-block`). Facts: exchanges/hyperliquid.md §2.

Each line is a block with its fills, in a file an hour: node_fills_by_block/hourly/20261130/9; without `--batch-by-block` it is
one fill, in node_fills. Lines are many, and few have a liquidation; only those are kept, for the files have all.
"""

from pathlib import Path, PurePath

from collectors import topics
from collectors.venues.venue import Folder

FILLS = ("node_fills_by_block", "node_fills")
FLAG = b'"liquidation"'
CARRIES = "liquidations, flagged among fills"


def fills(data: Path) -> tuple[Folder, ...]:
    """Return what is followed in a node's folder."""
    return tuple(
        Folder(name, name, CARRIES, topics.LIQUIDATION, data / name, _hour, lambda line: FLAG in line) for name in FILLS
    )


def _hour(file: PurePath) -> tuple[int, ...] | None:
    kind, day, hour = ("", "", "", *file.parts)[-3:]
    return (int(day), int(hour)) if kind == "hourly" and day.isdecimal() and hour.isdecimal() else None
