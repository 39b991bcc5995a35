"""KuCoin futures, to the collectors. It publishes no liquidations; state is polled.

venue.py    its address    rest.py      polls, budgets, refusals
history.py  its past       simulator/   a local server like it
"""

from collectors.venues.kucoin.history import history
from collectors.venues.kucoin.venue import Hosts, venue
from collectors.venues.record import Kind, Record

STATE = ("contracts-state",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "funding": STATE, "settled funding": ("funding-rates",), "open interest": STATE, "mark": STATE, "index": STATE,
}  # fmt: skip
RECORD = Record("kucoin", venue, history, Hosts, known=("XBTUSDTM", "ETHUSDTM"), collects=COLLECTS)
