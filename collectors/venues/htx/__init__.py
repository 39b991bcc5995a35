"""HTX futures, to the collectors: linear, coin-margined swaps, coin-margined deliveries.

stream.py   three sockets of notifications, packed in gzip    rest.py   polls, budgets, refusals
history.py   its past                                         simulator/   a local server that speaks its protocol
"""

from collectors.venues.htx.history import history
from collectors.venues.htx.stream import Hosts, venue
from collectors.venues.record import Kind, Record

COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("liquidation_orders", "liquidation_history"), "funding": ("funding_rate",),
    "settled funding": ("historical_funding_rate",), "open interest": ("open-interest",), "index": ("index",),
    "ratios": ("elite-ratio@5min", "elite-position-ratio@5min"),
}  # fmt: skip
RECORD = Record("htx", venue, history, Hosts, known=("BTC-USDT", "ETH-USDT"), collects=COLLECTS)
"""Liquidations of the last two hours are polled."""
