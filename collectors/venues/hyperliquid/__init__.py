"""Hyperliquid's perpetuals of its main dex, to the collectors. State and funding are polled; no feed has its liquidations, but
the files of a node do.

venue.py   its address    rest.py   polls, budgets, refusals    accounts.py   whose positions are asked for
node.py    a node's files    history.py   its past               simulator/   a local server like it
"""

from collectors.venues.hyperliquid.history import history
from collectors.venues.hyperliquid.node import FILLS
from collectors.venues.hyperliquid.venue import Hosts, venue
from collectors.venues.record import Kind, Record

STATE = ("metaAndAssetCtxs",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": FILLS,
    "funding": STATE, "settled funding": ("fundingHistory",), "open interest": STATE, "mark": STATE, "index": STATE,
}  # fmt: skip
RECORD = Record("hyperliquid", venue, history, Hosts, known=("BTC", "ETH"), collects=COLLECTS)
"""The history of its liquidations is in a node's files."""
