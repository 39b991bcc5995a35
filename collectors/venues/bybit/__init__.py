"""Bybit v5 linear and inverse contracts, to the collectors.

stream.py   addresses, subscriptions, names of frames    history.py   what it keeps of the past, and how it is asked
rest.py     polls, budgets, refusals                     simulator/   a local server that speaks its protocol
"""

from collectors.venues.bybit.history import history
from collectors.venues.bybit.stream import Hosts, venue
from collectors.venues.record import Record

RECORD = Record("bybit", venue, history, Hosts, known=("BTCUSDT", "ETHUSDT"))
