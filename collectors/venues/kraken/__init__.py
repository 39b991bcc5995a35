"""Kraken Futures, to the collectors.

stream.py   two sockets: trades, tickers    rest.py      the list of contracts
history.py  its past                        simulator/   a local server like it
"""

from collectors.venues.kraken.history import history
from collectors.venues.kraken.stream import Hosts, venue
from collectors.venues.record import Kind, Record

TICKER = ("ticker",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("trade",), "funding": TICKER, "open interest": TICKER, "mark": TICKER, "index": TICKER,
}  # fmt: skip
RECORD = Record("kraken", venue, history, Hosts, known=("PF_XBTUSD", "PF_ETHUSD"), collects=COLLECTS)
"""Settled funding is not polled: an answer is the whole of it since the launch, and a backfill asks for it."""
