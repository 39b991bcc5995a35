"""Bitget futures (the unified API, v3), to the collectors.

stream.py   the socket: liquidations by category    rest.py   polls, budgets, refusals    simulator/   a local server like it
"""

from collectors.history.endpoint import History
from collectors.venues.bitget.stream import Hosts, venue
from collectors.venues.record import Kind, Record

TICKERS = ("tickers",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("liquidation",), "funding": TICKERS, "settled funding": ("history-fund-rate",), "open interest": TICKERS,
    "mark": TICKERS, "index": TICKERS,
}  # fmt: skip
RECORD = Record("bitget", venue, lambda: History((), {}), Hosts, known=("BTCUSDT", "ETHUSDT"), collects=COLLECTS)
"""No history: its pages of settled funding are turned by number, not by time, so the polls' last hundred is what there is."""
