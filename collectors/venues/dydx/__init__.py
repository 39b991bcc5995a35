"""dYdX v4, by its indexer, to the collectors.

stream.py   a feed of all markets, sockets of trades    rest.py   polls, budgets, refusals
simulator/  a local server like it
"""

from collectors.history.endpoint import History
from collectors.venues.dydx.stream import Hosts, venue
from collectors.venues.record import Kind, Record

MARKETS = ("v4_markets",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("v4_trades", "trades"), "funding": MARKETS, "settled funding": ("historicalFunding",),
    "open interest": MARKETS, "mark": MARKETS, "index": MARKETS,
}  # fmt: skip
RECORD = Record("dydx", venue, lambda: History((), {}), Hosts, known=("BTC-USD", "ETH-USD"), collects=COLLECTS)
"""No history: it is asked for by a time as text. A subscription brings a market's last trades, and so does a poll."""
