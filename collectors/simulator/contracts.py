"""The contracts of the simulated market: its coins, what is traded of each, and what a contract is.

How a venue lists what is traded is in its folder: names, sizes and units are its own (exchanges/*.md, "Instruments"). Prices
and open interest are invented. Pure data: nothing here reads a clock.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

INVERSE = ("BTC", "ETH", "XRP")
PERPETUAL_DELIVERY_MS = 4133404800000


class Coin(NamedTuple):
    """`price` in USD per coin; `oi` open interest per venue, million USD. `beta`: how hard it falls with BTC.

    `scale`: coins in the unit that venues quote which do not quote tiny prices (1000 for 1000PEPE). `own`: how much it moves
    of its own, against BTC's volatility; hourly candles of 2025 have 0.9 for ETH, 1.3 for DOGE.
    """

    name: str
    price: float
    oi: float
    beta: float
    scale: int = 1
    interval_hours: int = 8
    own: float = 1.0


COINS = (
    Coin("BTC", 64000, 4200, 1.0, own=0.1),
    Coin("ETH", 2400, 2600, 1.25, own=0.9),
    Coin("SOL", 140, 900, 1.5, own=1.05),
    Coin("XRP", 1.9, 420, 1.4, own=1.1),
    Coin("DOGE", 0.16, 300, 1.6, own=1.3),
    Coin("PEPE", 0.0000085, 120, 1.9, 1000, own=1.7),
    Coin("BNB", 780, 260, 0.9, own=0.7),
    Coin("ADA", 0.55, 130, 1.5, own=1.1),
    Coin("AVAX", 18, 90, 1.6, own=1.2),
    Coin("LINK", 15, 110, 1.5, own=1.1),
    Coin("SUI", 2.4, 150, 1.7, own=1.5),
    Coin("TON", 2.3, 60, 1.2, 1, 4, own=1.3),
    Coin("LTC", 95, 80, 1.3, own=1),
    Coin("TRX", 0.29, 70, 0.6, own=0.5),
    Coin("DOT", 3.2, 55, 1.5, own=1.1),
    Coin("NEAR", 2.1, 50, 1.6, own=1.4),
    Coin("APT", 3.3, 45, 1.7, own=1.3),
    Coin("ARB", 0.33, 60, 1.7, own=1.3),
    Coin("OP", 0.48, 45, 1.7, own=1.3),
    Coin("WIF", 0.62, 70, 2.0, 1, 4, own=2),
    Coin("BONK", 0.000016, 50, 1.9, 1000, 4, own=1.7),
    Coin("ENA", 0.42, 80, 1.8, 1, 4, own=1.8),
    Coin("UNI", 6.4, 65, 1.5, own=1.3),
    Coin("AAVE", 190, 75, 1.5, 1, 1, own=1.2),
)


class Shows(NamedTuple):
    """How a venue's feed shows liquidations: at which `price`; of a symbol only the `largest_per_second`, or all.

    `twins`: two that differ in nothing happen in one instant.
    """

    price: Literal["fill", "bankruptcy", "mark"] = "fill"
    largest_per_second: bool = False
    twins: bool = False


class Contract(msgspec.Struct, frozen=True, eq=False):
    """One contract as a venue lists it. Equal only to itself, so that it can key a table.

    `market`: the venue's own word for the group it belongs to. `size`: coins (linear) or USD (inverse) in one unit of
    quantity. `scale`: coins in the unit that is quoted. `tick`, `step`: of price and quantity as quoted. `share`: part of
    the coin's open interest on this venue. `expiry_ms` 0 for a perpetual.
    """

    venue: str
    market: str
    symbol: str
    coin: Coin
    quote: str
    settle: str
    inverse: bool
    size: float
    scale: int
    tick: float
    step: float
    share: float
    expiry_ms: int = 0
    shows: Shows = Shows()

    @property
    def unit(self) -> str:
        """The quoted unit as the venue names it: 1000PEPE where it quotes a thousand."""
        return f"{self.scale}{self.coin.name}" if self.scale > 1 else self.coin.name

    @property
    def interval_ms(self) -> int:
        """Funding interval, ms; 0 for a delivery contract."""
        return 0 if self.expiry_ms else self.coin.interval_hours * 3_600_000

    @property
    def pair(self) -> str:
        """The underlying and the quote without what tells the contract: BTCUSDT."""
        return self.unit + self.quote

    @property
    def index(self) -> str:
        """The coin and the quote: BTC-USDT, BTC-USD."""
        return f"{self.coin.name}-{self.quote}"

    def price_text(self, usd_per_coin: float, digits: int | None = None) -> str:
        """Return a price per coin as the venue quotes it, on the tick or with `digits` decimals."""
        quoted = usd_per_coin * self.scale
        return f"{quoted:.{digits}f}" if digits is not None else on_grid(quoted, self.tick)

    def qty_text(self, units: float) -> str:
        """Return a quantity in the venue's units, on the step and never below one step."""
        return on_grid(max(units, self.step), self.step)

    def coins(self, units: float, usd_per_coin: float) -> float:
        """Return the coins in a quantity of the venue's units."""
        return units * self.size / (usd_per_coin if self.inverse else 1)

    def units(self, usd: float, usd_per_coin: float) -> float:
        """Return the venue's units in an amount of USD."""
        return usd / (self.size if self.inverse else self.size * usd_per_coin)


class Traded(NamedTuple):
    """What is traded of a coin, before a venue lists it; `share` of the coin's open interest. Without `expiry`: a perpetual."""

    coin: Coin
    quote: str
    share: float
    expiry: datetime | None = None

    @property
    def inverse(self) -> bool:
        """Whether it is settled in the coin."""
        return self.quote == "USD"

    @property
    def unit(self) -> str:
        """The unit that is quoted where tiny prices are not: 1000PEPE."""
        return f"{self.coin.scale}{self.coin.name}" if self.coin.scale > 1 else self.coin.name

    def contract(
        self, venue: str, market: str, symbol: str, shows: Shows, size: float, step: float, scale: int = 1
    ) -> Contract:
        """Return the contract; the tick follows from the price."""
        coin, settle = self.coin, self.coin.name if self.inverse else self.quote
        expiry_ms = int(self.expiry.timestamp() * 1000) if self.expiry else 0
        return Contract(
            venue, market, symbol, coin, self.quote, settle, self.inverse, size, scale, _tick(coin.price * scale), step,
            self.share, expiry_ms, shows,
        )  # fmt: skip

    def per_unit(self, venue: str, market: str, symbol: str, shows: Shows) -> Contract:
        """Return the contract of a venue that counts in the unit it quotes."""
        scale = self.coin.scale
        return self.contract(venue, market, symbol, shows, float(scale), _step(self.coin.price * scale), scale)


def on_grid(value: float, step: float) -> str:
    """Return `value` rounded to `step`, with as many decimals as the step has."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{round(value / step) * step:.{decimals}f}"


def traded(coin: Coin, now_ms: int) -> Iterator[Traded]:
    """Yield what venues list of a coin; what expires does so at the next quarter's end."""
    yield Traded(coin, "USDT", 0.8)
    if coin.name in INVERSE:
        yield Traded(coin, "USD", 0.12)
    if coin.name == "BTC":
        expiry = _quarter_end(now_ms)
        yield Traded(coin, "USDC", 0.03)
        yield Traded(coin, "USDT", 0.02, expiry)
        yield Traded(coin, "USD", 0.03, expiry)


def _tick(price: float) -> float:
    return float(10.0 ** (math.floor(math.log10(price)) - 5))


def _step(price: float) -> float:
    return float(10.0 ** min(0, 1 - math.floor(math.log10(price))))


def _quarter_end(now_ms: int) -> datetime:
    """Return the last Friday, 08:00 UTC, of the first quarter-end month at least two weeks away."""
    day = datetime.fromtimestamp(now_ms / 1000, UTC).replace(hour=8, minute=0, second=0, microsecond=0)
    day += timedelta(days=14)
    while not (day.weekday() == 4 and day.month % 3 == 0 and (day + timedelta(days=7)).month != day.month):
        day += timedelta(days=1)
    return day
