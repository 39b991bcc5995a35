"""The files of a node of one's own (`--write-fills --batch-by-block`). Facts: exchanges/hyperliquid.md §2.

Each line is a block with its fills, in a file an hour: node_fills_by_block/hourly/20261130/9; without `--batch-by-block` it is
one fill, in node_fills. Lines are many, and few have a liquidation; only those are kept, for the files have all.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from collectors import topics
from collectors.venues.hyperliquid.accounts import ACCOUNTS
from collectors.venues.venue import Folder

FILLS = ("node_fills_by_block", "node_fills")
FLAG = b'"liquidation"'
ADDRESS = re.compile(rb'\["(0x[0-9a-f]{40})"')
CARRIES = "liquidations, flagged among fills"


def fills(data: Path) -> tuple[Folder, ...]:
    """Return what is followed in a node's folder."""
    return tuple(
        Folder(
            name,
            name,
            CARRIES,
            topics.LIQUIDATION,
            data / name,
            _hour,
            lambda line: FLAG in line,
            names=_accounts,
            names_group=ACCOUNTS,
        )
        for name in FILLS
    )


def _accounts(line: bytes) -> Iterator[str]:
    return (found.decode() for found in ADDRESS.findall(line))


def _hour(file: PurePath) -> tuple[int, ...] | None:
    kind, day, hour = ("", "", "", *file.parts)[-3:]
    return (int(day), int(hour)) if kind == "hourly" and day.isdecimal() and hour.isdecimal() else None
