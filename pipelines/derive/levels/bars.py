"""One-minute bars, contracts, margin tables and realised liquidations from the lake, as the model takes them."""

import math
from datetime import datetime
from typing import cast

import polars as pl

from pipelines.derive.levels.model import BARS
from pipelines.derive.levels.parameters import Parameters
from pipelines.venues.symbols import DOLLARS
from warehouse.lake import Lake

CONTRACTS = """
SELECT i.venue, i.symbol, i.family, i.base, i.multiplier, i.contract = 'inverse' AS inverse
FROM instruments_as_of AS i
WHERE i.quote IN (SELECT unnest($dollars)) AND i.since <= $at AND (i.valid_to IS NULL OR i.valid_to > $at)
ORDER BY i.venue, i.symbol
"""
TRADED = """
SELECT venue, symbol, ts_event AS ts, min(low) AS low, max(high) AS high,
    arg_max(close, (coalesce(closed, FALSE), ts_recv)) AS close, max(volume_base) AS volume,
    coalesce(bool_or(closed), FALSE) AS closed, max(ts_recv) AS seen
FROM klines
WHERE ts_event >= $start AND ts_event < $end AND interval = '1m' AND price_kind = 'trade'
GROUP BY ALL
"""
MARKED = """
SELECT venue, symbol, time_bucket(INTERVAL 1 MINUTE, ts_event) AS ts, arg_max(mark_price, ts_event) AS close,
    min(mark_price) AS lowest, max(mark_price) AS highest, max(ts_event) AS at
FROM mark_prices
WHERE ts >= $start - INTERVAL 1 HOUR AND ts < $end AND ts_event >= $start AND ts_event < $end AND mark_price IS NOT NULL
GROUP BY ALL
"""
TOLD = """
SELECT venue, symbol, time_bucket(INTERVAL 1 MINUTE, ts_event) AS ts,
    arg_max({base: oi_base, usd: oi_usd}, (ts_event, period IS NULL, ts_recv)) AS oi
FROM open_interest
WHERE ts >= $start - INTERVAL 1 HOUR AND ts < $end AND ts_event >= $start AND ts_event < $end
GROUP BY ALL
"""
LIQUIDATED = """
SELECT venue, symbol, time_bucket(INTERVAL 1 MINUTE, ts_event) AS ts, position_side,
    {base: sum(qty_base), usd: sum(notional_usd)} AS qty
FROM liquidations_filled_in
WHERE ts_event >= $start AND ts_event < $end
GROUP BY ALL
"""
FIRST = """
SELECT min(ts_event) FROM (
    SELECT ts_event FROM klines
    WHERE ts_event >= $start AND ts_event < $end AND interval = '1m' AND price_kind = 'trade'
    UNION ALL
    SELECT ts_event FROM mark_prices
    WHERE ts >= $start - INTERVAL 1 HOUR AND ts < $end AND ts_event >= $start AND ts_event < $end AND mark_price IS NOT NULL
)
"""
LAST = """
SELECT max(ts) + INTERVAL 1 MINUTE FROM (
    SELECT max(ts_event) AS ts FROM klines
    WHERE ts_event >= $start AND ts_event < $end AND interval = '1m' AND price_kind = 'trade'
    UNION ALL
    SELECT time_bucket(INTERVAL 1 MINUTE, max(ts_event)) FROM mark_prices
    WHERE ts >= $start - INTERVAL 1 HOUR AND ts < $end AND ts_event >= $start AND ts_event < $end AND mark_price IS NOT NULL
)
"""
REALISED = """
SELECT f.venue, f.symbol, f.ts_event AS ts, f.position_side = 'long' AS long, f.price,
    f.price_kind = 'bankruptcy' AS at_bankruptcy, coalesce(s.shift, 0) AS shift, f.notional_usd AS usd
FROM (
    FROM liquidations_filled_in
    WHERE ts_event >= $start AND ts_event < $end AND price > 0 AND notional_usd > 0 AND position_side IS NOT NULL
) AS f
LEFT JOIN liquidation_price_shifts AS s
    ON s.price_kind = f.price_kind AND s.venue = f.venue AND s.symbol = f.symbol AND f.price_kind <> 'bankruptcy'
"""


def contracts(lake: Lake, at: datetime, parameters: Parameters) -> pl.DataFrame:
    """Return the contracts quoted in dollars as listed at `at`, numbered: contract, venue, symbol, family, base,
    multiplier, inverse, log_width."""
    found = _query(lake, CONTRACTS, at=at, dollars=sorted(DOLLARS)).with_row_index("contract")
    widths = [math.log1p(parameters.width(base)) for base in found["base"]]
    return found.with_columns(log_width=pl.Series(widths, dtype=pl.Float64))


def first(lake: Lake, start: datetime, end: datetime) -> datetime | None:
    """Return the instant of the first candle or mark price that `bars` would take in [start, end), None where none is."""
    (found,) = lake.connection.execute(FIRST, {"start": start, "end": end}).fetchall()[0]
    return cast(datetime | None, found)


def last(lake: Lake, start: datetime, end: datetime) -> datetime | None:
    """Return the end of the last minute in [start, end) of which there is a candle or mark price, None where none is."""
    (found,) = lake.connection.execute(LAST, {"start": start, "end": end}).fetchall()[0]
    return cast(datetime | None, found)


def tiers(lake: Lake) -> pl.DataFrame:
    """Return the rows of `leverage_tiers_as_of` that `margins` needs."""
    return _query(
        lake,
        "SELECT venue, symbol, tier, maintenance_margin_rate, max_leverage, valid_from, valid_to FROM leverage_tiers_as_of",
    )


def bars(lake: Lake, listed: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    """Return the bars (BARS) of [start, end), sorted by contract and time, for the contracts `listed`.

    Trade candles; a minute without one takes the mark price as a bar without range, and without that it is missing. A candle
    that was not closed when it was told knows nothing of the rest of its minute: marks widen it, and later ones end it. Open
    interest is in coins, of inverse contracts in USD, the unit in which a change of price alone does not change it. It is the
    last value of the minute, of one instant the live one before a history's; what is told in a minute without a bar is not
    used, as the next value holds its change too. Liquidated is what the feeds told: of throttled ones a lower bound.
    """
    key = ["venue", "symbol", "ts"]
    of = listed.select("contract", "venue", "symbol", "multiplier", "inverse")
    traded = _query(lake, TRADED, start=start, end=end).join(of, on=["venue", "symbol"])
    traded = traded.with_columns(pl.col("low", "high", "close") / pl.col("multiplier"))
    marked = _query(lake, MARKED, start=start, end=end).join(of, on=["venue", "symbol"])
    traded = _gone_on(traded, marked, key)
    marked = marked.join(traded, on=key, how="anti").with_columns(
        low="close", high="close", volume=pl.lit(None, pl.Float64)
    )
    told = _query(lake, TOLD, start=start, end=end).unnest("oi")
    both = pl.concat([traded, marked.select(traded.columns)]).join(told, on=key, how="left")
    both = both.with_columns(oi=pl.when("inverse").then("usd").otherwise("base"))
    gone = _query(lake, LIQUIDATED, start=start, end=end).unnest("qty")
    for side in ("long", "short"):
        of_side = gone.filter(pl.col("position_side") == side).select(*key, gone_base="base", gone_usd="usd")
        amount = pl.when("inverse").then("gone_usd").otherwise("gone_base").alias(f"liquidated_{side}")
        both = both.join(of_side, on=key, how="left").with_columns(amount).drop("gone_base", "gone_usd")
    return both.select(BARS.names()).cast(dict(BARS)).sort("contract", "ts")  # type: ignore[arg-type]


def _gone_on(traded: pl.DataFrame, marked: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return candles, those that are not closed with what the marks of their minute say; without `closed` and `seen`."""
    both = traded.join(marked.select(*key, "lowest", "highest", "at", mark="close"), on=key, how="left")
    running = ~pl.col("closed") & pl.col("mark").is_not_null()
    return both.with_columns(
        low=pl.when(running).then(pl.min_horizontal("low", "lowest")).otherwise("low"),
        high=pl.when(running).then(pl.max_horizontal("high", "highest")).otherwise("high"),
        close=pl.when(running & (pl.col("at") > pl.col("seen"))).then("mark").otherwise("close"),
    ).select(pl.exclude("closed", "seen", "lowest", "highest", "at", "mark"))


def realised(lake: Lake, listed: pl.DataFrame, margins: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    """Return what was liquidated, as far as the feeds told: contract, ts, long, price, usd; sorted.

    price is where the position's liquidation began: a bankruptcy price lies one maintenance margin beyond it, and is
    brought back by the contract's rate (formulas.md §1); other kinds that lie beyond the market, by liquidation_price_shifts.
    """
    found = _query(lake, REALISED, start=start, end=end).join(
        listed.select("contract", "venue", "symbol", "inverse"), on=["venue", "symbol"]
    )
    found = found.join(margins.select("contract", "mmr"), on="contract")
    d = pl.when("long").then(1.0).otherwise(-1.0)
    back = pl.when("inverse").then(1 + d * pl.col("mmr")).otherwise(1 / (1 - d * pl.col("mmr")))
    price = pl.col("price") * pl.when("at_bankruptcy").then(back).otherwise(1 / (1 - d * pl.col("shift")))
    return found.select("contract", "ts", "long", price.alias("price"), "usd").sort(
        "contract", "ts", "long", "price", "usd"
    )


def _query(lake: Lake, sql: str, **parameters: object) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(lake.connection.execute(sql, parameters).to_arrow_table()))
