"""Bybit liquidations many at once, with the result of bybit_liquidations.liquidations."""

import polars as pl

from pipelines.venues.bulk import Bulk, above_zero, completeness, figure, in_time, numbers, of_symbol, texts
from pipelines.venues.bybit_liquidations import Message, decode
from pipelines.venues.bybit_symbols import is_inverse


def _columns(messages: list[Message]) -> tuple[list[int], list[pl.Series]]:
    data = [message.data for message in messages]
    items = [item for each in data for item in each]
    return list(map(len, data)), [
        texts("symbol", [item.s for item in items]),
        numbers("ts_event", [item.T for item in items]),
        texts("S", [item.S for item in items]),
        texts("v", [item.v for item in items]),
        texts("p", [item.p for item in items]),
    ]


def _facts(raw: pl.DataFrame) -> pl.DataFrame:
    time, long = pl.col("ts_event"), pl.col("S") == "Buy"
    found = raw.with_columns(
        price=figure("p"), qty=figure("v"), inverse=of_symbol(raw, is_inverse, pl.Boolean), long=long
    )
    contract = pl.when("inverse").then(pl.lit("inverse")).otherwise(pl.lit("linear"))
    return found.with_columns(contract=contract).with_columns(
        order_side=pl.when("long").then(pl.lit("sell")).otherwise(pl.lit("buy")),
        position_side=pl.when("long").then(pl.lit("long")).otherwise(pl.lit("short")),
        price_kind=pl.lit("bankruptcy"),
        unit=pl.when("inverse").then(pl.lit("usd")).otherwise(pl.lit("base")),
        completeness=completeness("bybit", "allLiquidation", time),
        order_price=pl.lit(None, pl.Float64),
        status=pl.lit(None, pl.String),
        stands=in_time(time) & above_zero(pl.col("qty")) & above_zero(pl.col("price")),
    )


LIQUIDATIONS = Bulk(decode, _columns, _facts)
