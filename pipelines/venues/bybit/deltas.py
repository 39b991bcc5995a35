"""Bybit tickers by column: what many messages say, which of them are ordinary, and what each contract's say in the end."""

from collections.abc import Sequence
from math import isfinite
from typing import cast

import polars as pl

from pipelines.venues.bounds import EARLIEST_MS, Bound
from pipelines.venues.bulk import figure, numbers, repeated, texts, within
from pipelines.venues.bybit.tickers import BOUNDS, Message

FUNDING = ("fundingRate", "nextFundingTime", "fundingIntervalHour")
INTEREST = ("openInterest", "openInterestValue")
PRICE = ("markPrice", "indexPrice")
FIELDS = (*FUNDING, *INTEREST, *PRICE)


def columns(messages: list[Message]) -> pl.DataFrame:
    """Return a row per message: its fields; `at`, where it stands; that again in `funding`, `interest` and `price` if it
    changes them; and whether it is `told` for one of them. Raises OverflowError or TypeError beyond 64 bits."""
    data = [message.data for message in messages]
    said = pl.DataFrame([
        texts("symbol", [each.symbol for each in data]),
        repeated("type", [message.type for message in messages], pl.String),
        numbers("ts", [message.ts for message in messages]),
        numbers("cs", [message.cs for message in messages]),
        repeated("fundingRate", [each.fundingRate for each in data], pl.String),
        repeated("nextFundingTime", [each.nextFundingTime for each in data], pl.String),
        repeated("fundingIntervalHour", [each.fundingIntervalHour for each in data], pl.String),
        repeated("openInterest", [each.openInterest for each in data], pl.String),
        repeated("openInterestValue", [each.openInterestValue for each in data], pl.String),
        repeated("markPrice", [each.markPrice for each in data], pl.String),
        repeated("indexPrice", [each.indexPrice for each in data], pl.String),
    ])  # fmt: skip
    return said.with_row_index("at").with_columns(_CHANGES)


def _any(names: Sequence[str]) -> pl.Expr:
    return pl.any_horizontal(pl.col(names).is_not_null())


_CHANGES = [
    pl.when(_any(FUNDING)).then("at").alias("funding"),
    pl.when(_any(INTEREST)).then("at").alias("interest"),
    pl.when(_any(PRICE)).then("at").alias("price"),
    _any(FIELDS).alias("told"),
]
LAST = [
    pl.col("cs").first().alias("first_cs"),
    pl.col("cs").last().alias("last_cs"),
    pl.col("cs").is_sorted().alias("in_order"),
    pl.col(FIELDS).last(ignore_nulls=True),
    pl.col("funding", "interest", "price").max(),
    pl.col("told").sum(),
    pl.len().alias("frames"),
]


def all_ordinary(said: pl.DataFrame, horizon_ms: int) -> bool:
    """Say whether all are deltas of possible times and numbers; sooner than `parted` finds which are not."""
    try:
        said["nextFundingTime"].cast(pl.Int64)
        return bool(
            (said["type"] == "delta").all()
            and said["ts"].is_between(EARLIEST_MS, horizon_ms).all()
            and all(_within(said[name], bound) for name, bound in BOUNDS.items())
        )
    except pl.exceptions.PolarsError:
        return False


def _within(texts: pl.Series, bound: Bound) -> bool:
    """Say whether all numbers, if there are any, are within a bound. Raises PolarsError where one is no number."""
    values = texts.cast(pl.Float64)
    if values.null_count() == len(values):
        return True
    least, most = cast(float, values.min()), cast(float, values.max())  # which pass a NaN over, as a sum does not
    return bound.least <= least and most <= bound.most and isfinite(values.sum())


def parted(said: pl.DataFrame, horizon_ms: int) -> tuple[list[int], pl.DataFrame]:
    """Return where each contract's messages stand up to the last that is not ordinary, and those behind."""
    delta, timely = pl.col("type") == "delta", pl.col("ts").is_between(EARLIEST_MS, horizon_ms)
    last_odd = pl.when(~(delta & timely & pl.all_horizontal(_POSSIBLE))).then("at").max().over("symbol")
    ordinary = said.select((pl.col("at") > last_odd).fill_null(True)).to_series()
    return said.filter(~ordinary)["at"].to_list(), said.filter(ordinary)


_POSSIBLE = [
    pl.col(name).is_null() | possible.fill_null(False)
    for name, possible in (
        ("nextFundingTime", pl.col("nextFundingTime").cast(pl.Int64, strict=False).is_not_null()),
        *((name, within(figure(name), bound)) for name, bound in BOUNDS.items()),
    )
]
