"""Aster's perpetuals, to the collectors: an API after Binance's, whose messages are read and refused alike.

stream.py   one socket: all liquidations, all marks    rest.py      polls
history.py  its past                                   simulator/   a local server like it
"""

from collectors.venues.aster.history import history
from collectors.venues.aster.stream import Hosts, venue
from collectors.venues.record import Kind, Record

MARKS = ("markPrice",)
COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("forceOrder",), "funding": (*MARKS, "fundingInfo"), "settled funding": ("fundingRate",),
    "open interest": ("openInterest",), "mark": MARKS, "index": MARKS,
}  # fmt: skip
RECORD = Record("aster", venue, history, Hosts, known=("BTCUSDT", "ETHUSDT"), collects=COLLECTS)
