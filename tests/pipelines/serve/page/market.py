"""An invented market for the page's tests: prices whose volatility clusters, and all that follows from them, by the minute."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import polars as pl

VENUES = (("bybit", "all", 0.45), ("okx", "partial", 0.55))
"""Venue, completeness of its feed, and its share of what happens."""
LEVERAGES = (10.0, 25.0, 50.0, 100.0)
WIDTH = 0.0025
"""Ratio of a price bin's edges, less one."""
EPOCH = np.datetime64("1970-01-01T00:00:00", "us")


class Coin(NamedTuple):
    """A coin: price at the start, volatility of a minute, open interest in coins, and how much is liquidated."""

    base: str
    price: float
    volatility: float
    interest: float
    size: float


COINS = (
    Coin("BTC", 64_200.0, 0.00042, 92_000, 9.0e4),
    Coin("ETH", 3_240.0, 0.00055, 1_150_000, 6.0e4),
    Coin("SOL", 148.0, 0.0008, 14_000_000, 2.6e4),
    Coin("XRP", 0.62, 0.0007, 1_500_000_000, 1.5e4),
    Coin("DOGE", 0.128, 0.0009, 6_000_000_000, 1.2e4),
)


class Path(NamedTuple):
    """A coin's minutes: start (us), open, high, low, close, and the return."""

    ts: Any
    open: Any
    high: Any
    low: Any
    close: Any
    moved: Any


def path(coin: Coin, until: datetime, minutes: int, seed: int) -> Path:
    """Return so many minutes up to `until`, with calm and rough stretches and a crash in the last eighth."""
    draw = np.random.default_rng(seed)
    rough = np.exp(np.convolve(draw.normal(0, 1, minutes + 240), np.ones(240) / 15.5, "valid")[:minutes] * 0.7)
    moved = draw.standard_t(4, minutes) * coin.volatility * rough * 0.7
    crash = minutes - minutes // 8
    moved[crash : crash + 7] -= (
        np.array([0.004, 0.011, 0.017, 0.012, 0.006, -0.004, -0.003]) * (coin.volatility / 0.00042) ** 0.5
    )
    close = coin.price * np.exp(np.cumsum(moved))
    opened = np.concatenate([[coin.price], close[:-1]])
    reach = np.abs(draw.normal(0, coin.volatility * 0.6, (2, minutes))) * rough
    high, low = np.maximum(opened, close) * (1 + reach[0]), np.minimum(opened, close) * (1 - reach[1])
    first = np.datetime64(until.replace(second=0, microsecond=0), "us") - np.timedelta64(minutes - 1, "m")
    return Path(first + np.arange(minutes).astype("timedelta64[m]"), opened, high, low, close, moved)


def named(coin: Coin, venue: str) -> dict[str, Any]:
    """Return what names a coin's contract at a venue."""
    symbol = f"{coin.base}-USDT-SWAP" if venue == VENUES[1][0] else f"{coin.base}USDT"
    return {
        "venue": venue, "symbol": symbol, "instrument": f"{coin.base}/USDT:USDT", "base": coin.base, "quote": "USDT",
        "settle": "USDT", "contract": "linear", "kind": "perpetual",
    }  # fmt: skip


def liquidations(coin: Coin, made: Path, seed: int) -> pl.DataFrame:
    """Return liquidations: more where the price moves much, of the side that it moves against."""
    draw = np.random.default_rng(seed)
    force = np.abs(made.moved) / coin.volatility
    number = draw.poisson(np.clip((force - 1.2) ** 2 * 0.55, 0, 60) * (force > 1.2) + 0.02)
    minute = np.repeat(np.arange(len(number)), number)
    total = len(minute)
    part = draw.random(total)
    is_long = np.where(draw.random(total) < 0.94, made.moved[minute] < 0, made.moved[minute] >= 0)
    price = made.open[minute] + (made.close[minute] - made.open[minute]) * part
    usd = draw.lognormal(0, 1.35, total) * coin.size * (0.5 + np.minimum(force[minute], 12) / 12)
    frames = []
    of_second = draw.random(total) < VENUES[1][2]
    for place, (venue, completeness, _) in enumerate(VENUES):
        mine = of_second == bool(place)
        frames.append(
            pl.DataFrame({
                "ts_event": made.ts[minute][mine] + (part[mine] * 59_999).astype("timedelta64[ms]"),
                "position_side": np.where(is_long[mine], "long", "short"), "price": price[mine],
                "notional_usd": usd[mine], "qty_base": usd[mine] / price[mine],
                "event_key": np.arange(mine.sum()) + seed * 10_000_000,
            }).with_columns(
                pl.col("ts_event").cast(pl.Datetime("us")), completeness=pl.lit(completeness), **_literal(named(coin, venue))
            )
        )  # fmt: skip
    return pl.concat(frames).with_columns(
        price_kind=pl.when(pl.col("venue") == VENUES[0][0]).then(pl.lit("bankruptcy")).otherwise(pl.lit("okx_bkPx")),
        occurrence=pl.lit(0), source=pl.lit("live"),
        order_side=pl.when(pl.col("position_side") == "long").then(pl.lit("sell")).otherwise(pl.lit("buy")),
    )  # fmt: skip


def levels(coin: Coin, made: Path, until: datetime) -> pl.DataFrame:
    """Return the map of every full hour and of the end: what was opened at each price, less what the price has passed since."""
    bin_of = lambda price: np.floor(np.log(price) / np.log1p(WIDTH)).astype(int)  # noqa: E731
    low = bin_of(made.low.min() * 0.85)
    bins = bin_of(made.high.max() * 1.18) - low + 1
    held = {(side, leverage): np.zeros(bins) for side in ("long", "short") for leverage in LEVERAGES}
    frames = []
    for minute in range(len(made.ts)):
        opened = coin.interest * made.close[minute] * 0.00004 * (1 + np.abs(made.moved[minute]) / coin.volatility)
        low_bin, high_bin = bin_of(made.low[minute]) - low, bin_of(made.high[minute]) - low
        for (side, leverage), cells in held.items():
            away = 1 - 0.96 / leverage if side == "long" else 1 + 0.96 / leverage
            cells[bin_of(made.close[minute] * away) - low] += opened * (0.1 + 2 / leverage)
            if side == "long":
                cells[max(low_bin, 0) :] = 0
            else:
                cells[: high_bin + 1] = 0
        is_hour = (made.ts[minute] - EPOCH) % np.timedelta64(1, "h") == np.timedelta64(0, "h")
        if is_hour or minute == len(made.ts) - 1:
            at = made.ts[minute] if is_hour else np.datetime64(until, "us")
            frames += [
                _column(side, leverage, cells, low, at, made.close[minute]) for (side, leverage), cells in held.items()
            ]
            for cells in held.values():
                cells *= 0.985
    return pl.concat(frames).with_columns(
        pl.col("ts").cast(pl.Datetime("us")), base=pl.lit(coin.base), model=pl.lit("oi"), contracts=pl.lit(len(VENUES)),
        venues=pl.lit(", ".join(venue for venue, *_ in VENUES)), since=pl.lit(made.ts[0]).cast(pl.Datetime("us")),
        bars_share=pl.lit(1.0), weights_from=pl.lit("published"), parameters=pl.lit("v1"),
    )  # fmt: skip


def _column(side: str, leverage: float, cells: Any, low: int, at: Any, price: float) -> pl.DataFrame:
    """Return the cells with anything in them, as rows of liquidation_levels."""
    place = np.nonzero(cells > 1)[0]
    edge = np.exp((place + low) * np.log1p(WIDTH))
    middle = edge * np.sqrt(1 + WIDTH)
    return pl.DataFrame({
        "ts": np.full(len(place), at), "position_side": [side] * len(place), "leverage": np.full(len(place), leverage),
        "bin": place + low, "price_low": edge, "price_high": edge * (1 + WIDTH), "price": middle,
        "qty_base_estimated": cells[place] / middle, "usd_estimated": cells[place], "price_now": np.full(len(place), price),
        "distance": middle / price - 1,
    })  # fmt: skip


def candles(coin: Coin, made: Path, venue: str) -> pl.DataFrame:
    """Return trade candles of a minute."""
    volume = coin.interest * 0.0008 * (0.3 + np.abs(made.moved) / coin.volatility)
    return pl.DataFrame({
        "ts_event": made.ts, "open": made.open, "high": made.high, "low": made.low, "close": made.close,
        "volume_base": volume, "volume_quote": volume * made.close, "taker_buy_base": volume * 0.5,
    }).with_columns(
        pl.col("ts_event").cast(pl.Datetime("us")), interval=pl.lit("1m"), price_kind=pl.lit("trade"), closed=pl.lit(True),
        ts_recv=pl.col("ts_event").cast(pl.Datetime("us")) + timedelta(seconds=61), **_literal(named(coin, venue)),
    )  # fmt: skip


def state(coin: Coin, made: Path, venue: str, seed: int) -> dict[str, pl.DataFrame]:
    """Return open interest, marks, funding and ratios: every fifth minute, ratios every hour."""
    draw = np.random.default_rng(seed)
    every = slice((len(made.ts) - 1) % 5, None, 5)
    ts, close = made.ts[every], made.close[every]
    share = next(share for name, _, share in VENUES if name == venue)
    oi = coin.interest * share * np.exp(np.cumsum(draw.normal(0, 0.0009, len(ts))) + np.log(close / coin.price) * 0.6)
    rate = np.clip(
        0.0001 + np.convolve(draw.normal(0, 1, len(ts) + 95), np.ones(96) / 96, "valid") * 0.0012, -0.003, 0.003
    )
    ratio = np.exp(np.cumsum(draw.normal(0, 0.02, len(ts[::12]))) * 0.4) * 1.4
    marked = [pl.col("ts").cast(pl.Datetime("us")), pl.col("ts").cast(pl.Datetime("us")).alias("ts_event")]
    known = _literal(named(coin, venue))
    due = ((ts - EPOCH) // np.timedelta64(8, "h") + 1) * np.timedelta64(8, "h") + EPOCH
    return {
        "open_interest": pl.DataFrame({"ts": ts, "oi_base": oi, "oi_raw": oi, "oi_usd": oi * close}).with_columns(
            *marked, oi_unit=pl.lit("base"), sides=pl.lit("both"), **known),
        "mark_prices": pl.DataFrame({"ts": ts, "mark_price": close, "index_price": close * 0.9999}).with_columns(
            *marked, multiplier=pl.lit(1), **known),
        "funding_rates": pl.DataFrame({"ts": ts, "funding_rate": rate, "next_funding_ts": due}).with_columns(
            *marked, pl.col("next_funding_ts").cast(pl.Datetime("us")), interval_hours=pl.lit(8.0), **known),
        "long_short_ratios": pl.DataFrame(
            {"ts_event": ts[::12], "ratio": ratio, "long_share": ratio / (1 + ratio)}
        ).with_columns(**known).with_columns(
            pl.col("ts_event").cast(pl.Datetime("us")), kind=pl.lit("global_accounts"), period=pl.lit("1h"),
            scope=pl.lit("symbol"), short_share=1 - pl.col("long_share"), closed=pl.lit(True)),
    }  # fmt: skip


def _literal(values: dict[str, Any]) -> dict[str, pl.Expr]:
    return {name: pl.lit(value) for name, value in values.items()}
