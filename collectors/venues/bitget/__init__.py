"""Bitget futures (the unified API, v3), to the collectors.

stream.py   the socket: liquidations by category    rest.py      polls, budgets, refusals
history.py  its past                                simulator/   a local server like it
"""

from collectors.venues.bitget.history import history
from collectors.venues.bitget.stream import Hosts, venue
from collectors.venues.record import Kind, Record

TICKERS = ("tickers",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("liquidation",), "funding": TICKERS, "settled funding": ("history-fund-rate",), "open interest": TICKERS,
    "mark": TICKERS, "index": TICKERS, "ratios": ("account-long-short@5m",),
}  # fmt: skip
RECORD = Record("bitget", venue, history, Hosts, known=("BTCUSDT", "ETHUSDT"), collects=COLLECTS)
"""Of settled funding the polls' last hundred is what there is."""
