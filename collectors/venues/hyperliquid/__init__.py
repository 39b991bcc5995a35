"""Hyperliquid's perpetuals of its main dex, to the collectors. No feed has its liquidations; state and funding are polled.

venue.py   its address    rest.py   polls, budgets, refusals    simulator/   a local server like it
"""

from collectors.history.endpoint import History
from collectors.venues.hyperliquid.venue import Hosts, venue
from collectors.venues.record import Kind, Record

STATE = ("metaAndAssetCtxs",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "funding": STATE, "settled funding": ("fundingHistory",), "open interest": STATE, "mark": STATE, "index": STATE,
}  # fmt: skip
RECORD = Record("hyperliquid", venue, lambda: History((), {}), Hosts, known=("BTC", "ETH"), collects=COLLECTS)
"""No history: it is asked for by POST. Fills of a node, which have the liquidations, are read from its files."""
