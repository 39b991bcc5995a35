"""CoinEx futures, to the collectors. Nothing is pushed of liquidations, so everything is polled.

venue.py    the record's parts    rest.py      polls, budgets, refusals
history.py  its past              simulator/   a local server like it
"""

from collectors.venues.coinex.history import history
from collectors.venues.coinex.venue import Hosts, venue
from collectors.venues.record import Kind, Record

TICKER = ("ticker",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("liquidation-history",), "funding": ("funding-rate",), "settled funding": ("funding-rate-history",),
    "open interest": ("market-state",), "mark": TICKER, "index": TICKER,
}  # fmt: skip
RECORD = Record("coinex", venue, history, Hosts, known=("BTCUSDT", "ETHUSDT"), collects=COLLECTS)
"""How far back liquidations go is not documented."""
