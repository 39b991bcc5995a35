"""HTX futures, to the collectors: linear, coin-margined swaps, coin-margined deliveries.

stream.py   three sockets of notifications, packed in gzip    rest.py   polls, budgets, refusals
simulator/   a local server that speaks its protocol
"""

from collectors.history.endpoint import History
from collectors.venues.htx.stream import Hosts, venue
from collectors.venues.record import Kind, Record

COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("liquidation_orders", "liquidation_history"), "funding": ("funding_rate",),
    "settled funding": ("historical_funding_rate",), "open interest": ("open-interest",), "index": ("index",),
}  # fmt: skip
RECORD = Record("htx", venue, lambda: History((), {}), Hosts, known=("BTC-USDT", "ETH-USDT"), collects=COLLECTS)
"""No history: pages of settled funding are turned by number, not by time. Liquidations of the last two hours are polled."""
