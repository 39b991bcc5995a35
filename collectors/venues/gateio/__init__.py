"""Gate futures, to the collectors: settled in USDT, and in BTC.

stream.py   a socket a settlement    rest.py   polls, budgets, refusals    simulator/   a local server that speaks its protocol
"""

from collectors.history.endpoint import History
from collectors.venues.gateio.stream import Hosts, venue
from collectors.venues.record import Kind, Record

TICKERS = ("tickers",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("public_liquidates", "liq_orders"), "funding": TICKERS, "settled funding": ("funding_rate",),
    "open interest": TICKERS, "mark": TICKERS, "index": TICKERS,
}  # fmt: skip
RECORD = Record("gateio", venue, lambda: History((), {}), Hosts, known=("BTC_USDT", "ETH_USDT"), collects=COLLECTS)
"""No history yet: it is asked for in seconds; each hour's poll brings the last hundred settlements."""
