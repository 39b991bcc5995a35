"""Binance USD-M and COIN-M futures, to the collectors.

stream.py   addresses, subscriptions, names of frames    history.py   what it keeps of the past, and how it is asked
rest.py     polls, budgets, refusals                     simulator/   a local server that speaks its protocol
"""

from collectors.venues.binance.history import history
from collectors.venues.binance.rest import RATIO_CHANNELS
from collectors.venues.binance.stream import Hosts, venue
from collectors.venues.record import Kind, Record

COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("forceOrder",), "funding": ("markPrice", "um_fundingInfo", "cm_fundingInfo"),
    "settled funding": ("um_fundingRate", "cm_fundingRate"), "open interest": ("um_openInterest", "cm_openInterest"),
    "mark": ("markPrice",), "index": ("markPrice",),
    "ratios": RATIO_CHANNELS,
    "klines": ("um_klines@1m", "cm_klines@1m"),
}  # fmt: skip
RECORD = Record("binance", venue, history, Hosts, known=("BTCUSDT", "ETHUSDT"), collects=COLLECTS, is_usual=True)
