"""Binance liquidations many at once, with the result of streams.liquidations. An array
of them, and an order of which nothing is filled yet, are left to that."""

from typing import Any

import msgspec
import polars as pl

from pipelines.venues.binance.streams import COIN_MARGINED, RULES, STATUSES, UNIVERSES, Order
from pipelines.venues.binance.symbols import is_coin_margined
from pipelines.venues.bounds import PRICE, QUANTITY
from pipelines.venues.bulk import (
    Bulk,
    completeness,
    figure,
    figure_or_zero,
    in_time,
    numbers,
    of_symbol,
    repeated,
    texts,
    within,
    zero_or_within,
)  # fmt: skip


class _ForceOrder(msgspec.Struct, gc=False):
    o: Order
    st: int | None = None


class _Message(msgspec.Struct, gc=False):
    """Of a combined stream (`data`) or bare (`o`). With a `code` it may be an error reply, so unfit."""

    data: _ForceOrder | None = None
    o: Order | None = None
    st: int | None = None
    code: None = None


def _columns(messages: list[_Message]) -> tuple[list[int], list[pl.Series]]:
    events: list[Any] = [message if message.o is not None else message.data for message in messages]
    orders: list[Any] = [event.o for event in events]  # of neither form: AttributeError, so unfit
    return [1] * len(orders), [
        texts("symbol", [order.s for order in orders]),
        texts("S", [order.S for order in orders]),
        numbers("ts_event", [order.T for order in orders]),
        texts("p", [order.p for order in orders]),
        texts("ap", [order.ap for order in orders]),
        texts("z", [order.z for order in orders]),
        repeated("status", [order.X for order in orders], pl.String),
        repeated("st", [order.st for order in orders], pl.Int64),
        repeated("outer_st", [event.st for event in events], pl.Int64),
    ]


def _facts(raw: pl.DataFrame) -> pl.DataFrame:
    by_symbol = of_symbol(raw, is_coin_margined, pl.Boolean)
    coin_margined = pl.when(_TOLD.is_in(UNIVERSES)).then(_TOLD == COIN_MARGINED).otherwise(by_symbol)
    found = raw.with_columns(*_READ, coin_margined=coin_margined, sound=by_symbol.is_not_null() & _WORDED)
    return found.with_columns(_PRICED).with_columns(_FACTS)


_WORDED = pl.col("status").is_null() | pl.col("status").is_in(STATUSES)
_TOLD = pl.when(pl.col("st").fill_null(0) != 0).then("st").otherwise("outer_st").fill_null(0)
_READ = [
    figure_or_zero("ap").alias("fill"),
    figure_or_zero("p").alias("limit"),
    figure("z").alias("qty"),
    (pl.col("S") == "SELL").alias("sell"),
]
_PRICED = [(pl.col("fill") != 0.0).alias("filled"), pl.when(pl.col("limit") != 0.0).then("limit").alias("order_price")]
_FACTS = [
    pl.when("sell").then(pl.lit("sell")).otherwise(pl.lit("buy")).alias("order_side"),
    pl.when("sell").then(pl.lit("long")).otherwise(pl.lit("short")).alias("position_side"),
    pl.when("filled").then("fill").otherwise("order_price").alias("price"),
    pl.when("filled").then(pl.lit("fill_average")).otherwise(pl.lit("order_limit")).alias("price_kind"),
    pl.when("coin_margined").then(pl.lit("contract")).otherwise(pl.lit("base")).alias("unit"),
    pl.when("coin_margined").then(pl.lit("inverse")).otherwise(pl.lit("linear")).alias("contract"),
    completeness(RULES, "forceOrder", pl.col("ts_event")).alias("completeness"),
    (
        in_time(pl.col("ts_event"))
        & within(pl.col("qty"), QUANTITY)
        & zero_or_within(pl.col("fill"), PRICE)
        & zero_or_within(pl.col("limit"), PRICE)
        & pl.col("sound")
    ).alias("stands"),
]
LIQUIDATIONS = Bulk(msgspec.json.Decoder(_Message).decode, _columns, _facts)
