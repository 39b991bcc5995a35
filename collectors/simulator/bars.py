"""A stretch of candles of the simulated market, as venues' answers have them."""

from typing import NamedTuple

from collectors.simulator.candles import Kind
from collectors.simulator.contracts import Contract
from collectors.simulator.market import Market


class Bar(NamedTuple):
    """A candle from `start` (UTC ms): prices of the quoted unit as text, and how much of it was traded."""

    start: int
    open: str
    high: str
    low: str
    close: str
    volume: float


def bars(
    market: Market, each: Contract, width: int, since: int, until: int, most: int, kind: Kind = "trade"
) -> list[Bar]:
    """Return the candles of `width` ms that began in [since, until], oldest first, at most the `most` newest of them."""
    last = min(until, market.now) // width * width
    first = max(since + -since % width, last - (most - 1) * width)
    return [_bar(market, each, kind, start, width) for start in range(first, last + 1, width)]


def _bar(market: Market, each: Contract, kind: Kind, start: int, width: int) -> Bar:
    candle = market.history.candle(each, kind, start, width, market.now)
    opened, high, low, closed = (each.price_text(price, 10) for price in candle[:4])
    return Bar(start, opened, high, low, closed, candle.coins / each.scale)
