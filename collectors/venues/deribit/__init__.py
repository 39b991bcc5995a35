"""Deribit's futures, to the collectors: inverse and linear perpetuals, and those that expire.

stream.py   one feed: trades, tickers    rest.py      polls, budgets, refusals
history.py  its past                     simulator/   a local server like it, and one like its history host
"""

from collectors.venues.deribit.history import history
from collectors.venues.deribit.stream import Hosts, venue
from collectors.venues.record import Kind, Record

TICKER = ("ticker",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("trades", "get_last_trades_by_instrument"), "funding": TICKER,
    "settled funding": ("get_funding_rate_history",), "open interest": TICKER, "mark": TICKER, "index": TICKER,
}  # fmt: skip
RECORD = Record("deribit", venue, history, Hosts, known=("BTC-PERPETUAL", "ETH-PERPETUAL"), collects=COLLECTS)
