"""Kraken Futures, to the collectors.

stream.py   two sockets: trades, tickers    rest.py   the list of contracts    simulator/   a local server like it
"""

from collectors.history.endpoint import History
from collectors.venues.kraken.stream import Hosts, venue
from collectors.venues.record import Kind, Record

TICKER = ("ticker",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("trade",), "funding": TICKER, "open interest": TICKER, "mark": TICKER, "index": TICKER,
}  # fmt: skip
RECORD = Record("kraken", venue, lambda: History((), {}), Hosts, known=("PF_XBTUSD", "PF_ETHUSD"), collects=COLLECTS)
"""No history: an answer of settled funding is the whole of it since the launch, whatever is asked for."""
