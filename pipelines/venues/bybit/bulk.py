"""Bybit liquidations many at once, with the result of liquidations.liquidations."""

import polars as pl

from pipelines.venues.bounds import PRICE, QUANTITY
from pipelines.venues.bulk import Bulk, completeness, figure, flat, in_time, numbers, of_symbol, texts, within
from pipelines.venues.bybit.liquidations import RULES, Message, decode
from pipelines.venues.bybit.symbols import is_inverse


def _columns(messages: list[Message]) -> tuple[list[int], list[pl.Series]]:
    counts, items = flat([message.data for message in messages])
    return counts, [
        texts("symbol", [item.s for item in items]),
        numbers("ts_event", [item.T for item in items]),
        texts("S", [item.S for item in items]),
        texts("v", [item.v for item in items]),
        texts("p", [item.p for item in items]),
    ]


def _facts(raw: pl.DataFrame) -> pl.DataFrame:
    inverse = of_symbol(raw, is_inverse, pl.Boolean)
    return raw.with_columns(*_READ, inverse=inverse).with_columns(_FACTS)


_READ = [figure("p").alias("price"), figure("v").alias("qty"), (pl.col("S") == "Buy").alias("long")]
_FACTS = [
    pl.when("inverse").then(pl.lit("inverse")).otherwise(pl.lit("linear")).alias("contract"),
    pl.when("long").then(pl.lit("sell")).otherwise(pl.lit("buy")).alias("order_side"),
    pl.when("long").then(pl.lit("long")).otherwise(pl.lit("short")).alias("position_side"),
    pl.lit("bankruptcy").alias("price_kind"),
    pl.when("inverse").then(pl.lit("usd")).otherwise(pl.lit("base")).alias("unit"),
    completeness(RULES, "allLiquidation", pl.col("ts_event")).alias("completeness"),
    pl.lit(None, pl.Float64).alias("order_price"),
    pl.lit(None, pl.String).alias("status"),
    (
        in_time(pl.col("ts_event"))
        & within(pl.col("qty"), QUANTITY)
        & within(pl.col("price"), PRICE)
        & pl.col("inverse").is_not_null()
    ).alias("stands"),
]
LIQUIDATIONS = Bulk(decode, _columns, _facts)
