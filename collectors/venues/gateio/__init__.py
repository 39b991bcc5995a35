"""Gate futures, to the collectors: settled in USDT, and in BTC.

stream.py   a socket a settlement    rest.py   polls, budgets, refusals    history.py   its past
simulator/  a local server that speaks its protocol
"""

from collectors.venues.gateio.history import history
from collectors.venues.gateio.stream import Hosts, venue
from collectors.venues.record import Kind, Record

TICKERS = ("tickers",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("public_liquidates", "liq_orders"), "funding": TICKERS, "settled funding": ("funding_rate",),
    "open interest": TICKERS, "mark": TICKERS, "index": TICKERS, "ratios": ("contract_stats@5m",),
}  # fmt: skip
RECORD = Record("gateio", venue, history, Hosts, known=("BTC_USDT", "ETH_USDT"), collects=COLLECTS)
