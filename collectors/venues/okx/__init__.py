"""OKX v5 swaps and futures, to the collectors.

stream.py   addresses, subscriptions, names of frames    history.py   what it keeps of the past, and how it is asked
rest.py     polls, budgets, refusals                     simulator/   a local server that speaks its protocol
"""

from collectors.venues.okx.history import history
from collectors.venues.okx.rest import RATIO_CHANNELS
from collectors.venues.okx.stream import Hosts, venue
from collectors.venues.record import Kind, Record

COLLECTS: dict[Kind, tuple[str, ...]] = {
    "liquidations": ("liquidation-orders", "liquidation-orders@filled"), "funding": ("funding-rate",),
    "settled funding": ("funding-rate-history",), "open interest": ("open-interest",), "mark": ("mark-price",),
    "index": ("index-tickers",), "ratios": RATIO_CHANNELS, "klines": ("candles@1m",),
}  # fmt: skip
RECORD = Record(
    "okx", venue, history, Hosts, known=("BTC-USDT-SWAP", "ETH-USDT-SWAP"), collects=COLLECTS, is_usual=True
)
