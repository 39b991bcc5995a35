"""Hyperliquid's perpetuals of its main dex, to the collectors. State and funding are polled; no feed has its liquidations, but
the files of a node do.

venue.py   its address    rest.py   polls, budgets, refusals    node.py   a node's files    simulator/   a local server like it
"""

from collectors.history.endpoint import History
from collectors.venues.hyperliquid.node import FILLS
from collectors.venues.hyperliquid.venue import Hosts, venue
from collectors.venues.record import Kind, Record

STATE = ("metaAndAssetCtxs",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": FILLS,
    "funding": STATE, "settled funding": ("fundingHistory",), "open interest": STATE, "mark": STATE, "index": STATE,
}  # fmt: skip
RECORD = Record("hyperliquid", venue, lambda: History((), {}), Hosts, known=("BTC", "ETH"), collects=COLLECTS)
"""No history: it is asked for by POST. Fills of a node, which have the liquidations, are read from its files."""
