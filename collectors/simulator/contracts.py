"""The contracts of the simulated market: coins, and how each venue lists them.

Names, contract sizes, units and funding intervals are the venues' own (exchanges/*.md, "Instruments"); prices and open
interest are invented. Pure data: nothing here reads a clock.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

Venue = Literal["binance", "bybit", "okx"]
VENUES: tuple[Venue, ...] = ("binance", "bybit", "okx")
INVERSE = ("BTC", "ETH", "XRP")
PERPETUAL_DELIVERY_MS = 4133404800000


class Coin(NamedTuple):
    """`price` in USD per coin; `oi` open interest per venue, million USD; `okx_size` coins in one OKX contract.

    `scale`: coins in the unit that Binance and Bybit quote (1000 for 1000PEPE). `beta`: how hard it falls with BTC.
    `own`: how much it moves of its own, against BTC's volatility; hourly candles of 2025 have 0.9 for ETH, 1.3 for DOGE.
    """

    name: str
    price: float
    oi: float
    beta: float
    okx_size: float
    okx_lot: float
    scale: int = 1
    interval_hours: int = 8
    own: float = 1.0


COINS = (
    Coin("BTC", 64000, 4200, 1.0, 0.01, 0.01, own=0.1),
    Coin("ETH", 2400, 2600, 1.25, 0.1, 0.01, own=0.9),
    Coin("SOL", 140, 900, 1.5, 1, 0.01, own=1.05),
    Coin("XRP", 1.9, 420, 1.4, 100, 0.01, own=1.1),
    Coin("DOGE", 0.16, 300, 1.6, 1000, 0.01, own=1.3),
    Coin("PEPE", 0.0000085, 120, 1.9, 10_000_000, 0.1, 1000, own=1.7),
    Coin("BNB", 780, 260, 0.9, 0.01, 1, own=0.7),
    Coin("ADA", 0.55, 130, 1.5, 100, 0.1, own=1.1),
    Coin("AVAX", 18, 90, 1.6, 1, 1, own=1.2),
    Coin("LINK", 15, 110, 1.5, 1, 1, own=1.1),
    Coin("SUI", 2.4, 150, 1.7, 1, 1, own=1.5),
    Coin("TON", 2.3, 60, 1.2, 1, 1, 1, 4, own=1.3),
    Coin("LTC", 95, 80, 1.3, 1, 0.1, own=1),
    Coin("TRX", 0.29, 70, 0.6, 1000, 0.1, own=0.5),
    Coin("DOT", 3.2, 55, 1.5, 1, 1, own=1.1),
    Coin("NEAR", 2.1, 50, 1.6, 10, 0.1, own=1.4),
    Coin("APT", 3.3, 45, 1.7, 1, 1, own=1.3),
    Coin("ARB", 0.33, 60, 1.7, 10, 1, own=1.3),
    Coin("OP", 0.48, 45, 1.7, 1, 1, own=1.3),
    Coin("WIF", 0.62, 70, 2.0, 1, 1, 1, 4, own=2),
    Coin("BONK", 0.000016, 50, 1.9, 100_000, 1, 1000, 4, own=1.7),
    Coin("ENA", 0.42, 80, 1.8, 10, 1, 1, 4, own=1.8),
    Coin("UNI", 6.4, 65, 1.5, 1, 1, own=1.3),
    Coin("AAVE", 190, 75, 1.5, 0.1, 0.1, 1, 1, own=1.2),
)


class Contract(msgspec.Struct, frozen=True, eq=False):
    """One contract as a venue lists it. Equal only to itself, so that it can key a table.

    `market`: um, cm (Binance), linear, inverse (Bybit), SWAP, FUTURES (OKX). `size`: coins (linear) or USD (inverse) in
    one unit of quantity. `scale`: coins in the unit that is quoted. `tick`, `step`: of price and quantity as quoted.
    `share`: part of the coin's open interest on this venue. `expiry_ms` 0 for a perpetual.
    """

    venue: Venue
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
        """OKX's name of the index (uly): BTC-USDT, BTC-USD."""
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


def on_grid(value: float, step: float) -> str:
    """Return `value` rounded to `step`, with as many decimals as the step has."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{round(value / step) * step:.{decimals}f}"


def listed(coins: Iterable[str], now_ms: int) -> list[Contract]:
    """Return every contract of the three venues for these coins; delivery contracts expire at the next quarter's end.

    Raises ValueError for a coin that is not in COINS.
    """
    known = {coin.name: coin for coin in COINS}
    wanted = list(coins)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"coins {unknown} are not simulated; there are {', '.join(known)}")
    expiry = _quarter_end(now_ms)
    return [contract for name in wanted for contract in _of_coin(known[name], expiry)]


def _of_coin(coin: Coin, expiry: datetime) -> Iterable[Contract]:
    name = coin.name
    unit = f"{coin.scale}{name}" if coin.scale > 1 else name
    yield _linear(coin, "binance", "um", f"{unit}USDT", "USDT", 0.8)
    yield _linear(coin, "bybit", "linear", f"{unit}USDT", "USDT", 0.8)
    yield _linear(coin, "okx", "SWAP", f"{name}-USDT-SWAP", "USDT", 0.8)
    if name in INVERSE:
        yield _inverse(coin, "binance", "cm", f"{name}USD_PERP", 0.12)
        yield _inverse(coin, "bybit", "inverse", f"{name}USD", 0.12)
        yield _inverse(coin, "okx", "SWAP", f"{name}-USD-SWAP", 0.12)
    if name != "BTC":
        return
    yield _linear(coin, "binance", "um", "BTCUSDC", "USDC", 0.03)
    yield _linear(coin, "bybit", "linear", "BTCPERP", "USDC", 0.03)
    yield _linear(coin, "okx", "SWAP", "BTC-USDC-SWAP", "USDC", 0.03)
    day, at = expiry.strftime("%y%m%d"), int(expiry.timestamp() * 1000)
    month = "FGHJKMNQUVXZ"[expiry.month - 1]
    yield _linear(coin, "binance", "um", f"BTCUSDT_{day}", "USDT", 0.02, at)
    yield _linear(coin, "bybit", "linear", f"BTCUSDT-{expiry.strftime('%d%b%y').upper()}", "USDT", 0.02, at)
    yield _linear(coin, "okx", "FUTURES", f"BTC-USDT-{day}", "USDT", 0.02, at)
    yield _inverse(coin, "binance", "cm", f"BTCUSD_{day}", 0.03, at)
    yield _inverse(coin, "bybit", "inverse", f"BTCUSD{month}{expiry.strftime('%y')}", 0.03, at)
    yield _inverse(coin, "okx", "FUTURES", f"BTC-USD-{day}", 0.03, at)


def _linear(coin: Coin, venue: Venue, market: str, symbol: str, quote: str, share: float, expiry: int = 0) -> Contract:
    scale = 1 if venue == "okx" else coin.scale
    size, step = (coin.okx_size, coin.okx_lot) if venue == "okx" else (float(scale), _step(coin.price * scale))
    tick = _tick(coin.price * scale)
    return Contract(venue, market, symbol, coin, quote, quote, False, size, scale, tick, step, share, expiry)


def _inverse(coin: Coin, venue: Venue, market: str, symbol: str, share: float, expiry: int = 0) -> Contract:
    size = 1.0 if venue == "bybit" else 100.0 if coin.name == "BTC" else 10.0
    tick = _tick(coin.price)
    return Contract(venue, market, symbol, coin, "USD", coin.name, True, size, 1, tick, 1.0, share, expiry)


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
