"""OKX liquidations many at once, with the result of liquidations.liquidations. Its fields in the order they are sent."""

from typing import Literal

import msgspec
import polars as pl

from pipelines.venues.bounds import PRICE, QUANTITY
from pipelines.venues.bulk import Bulk, completeness, figure, flat, in_time, of_symbol, texts, within
from pipelines.venues.okx.liquidations import RULES
from pipelines.venues.okx.symbols import contract_of


class _Detail(msgspec.Struct, gc=False):
    bkPx: str
    posSide: Literal["long", "short", "net"]
    side: Literal["buy", "sell"]
    sz: str
    ts: str


class _Instrument(msgspec.Struct, gc=False, kw_only=True):
    details: list[_Detail]
    instId: str
    instType: Literal["SWAP", "FUTURES"]


class _Message(msgspec.Struct, gc=False):
    data: list[_Instrument]


def _columns(messages: list[_Message]) -> tuple[list[int], list[pl.Series]]:
    per_message, instruments = flat([message.data for message in messages])
    per_instrument, details = flat([instrument.details for instrument in instruments])
    counts, symbols = per_message, [instrument.instId for instrument in instruments]
    if not per_message.count(1) == len(messages) == per_instrument.count(1) == len(instruments):
        counts = [sum(len(each.details) for each in message.data) for message in messages]
        symbols = [each.instId for each in instruments for _ in each.details]
    return counts, [
        texts("symbol", symbols),
        texts("side", [detail.side for detail in details]),
        texts("posSide", [detail.posSide for detail in details]),
        texts("bkPx", [detail.bkPx for detail in details]),
        texts("sz", [detail.sz for detail in details]),
        texts("ts", [detail.ts for detail in details]),
    ]


def _facts(raw: pl.DataFrame) -> pl.DataFrame:
    contract = of_symbol(raw, contract_of, pl.String)  # of another form, or none: read alone
    return raw.with_columns(*_READ, contract=contract).with_columns(_FACTS)


_READ = [
    pl.col("ts").cast(pl.Int64, strict=False).alias("ts_event"),
    figure("bkPx").alias("price"),
    figure("sz").alias("qty"),
    (pl.col("side") == "sell").alias("long"),
]
_AGREES = (pl.col("posSide") == "net") | ((pl.col("posSide") == "long") == pl.col("long"))
_SOUND = in_time(pl.col("ts_event")) & within(pl.col("qty"), QUANTITY) & within(pl.col("price"), PRICE)
_FACTS = [
    pl.col("side").alias("order_side"),
    pl.when("long").then(pl.lit("long")).otherwise(pl.lit("short")).alias("position_side"),
    pl.lit("okx_bkPx").alias("price_kind"),
    pl.lit("contract").alias("unit"),
    completeness(RULES, "liquidation-orders", pl.col("ts_event")).alias("completeness"),
    pl.lit(None, pl.Float64).alias("order_price"),
    pl.lit(None, pl.String).alias("status"),
    (_AGREES & _SOUND & pl.col("contract").is_not_null()).alias("stands"),
]
LIQUIDATIONS = Bulk(msgspec.json.Decoder(_Message).decode, _columns, _facts)
