"""OKX liquidations many at once, with the result of okx_liquidations.liquidations. Its fields in the order they are sent."""

from typing import Literal

import msgspec
import polars as pl

from pipelines.venues.bulk import Bulk, above_zero, completeness, figure, in_time, of_symbol, texts
from pipelines.venues.okx_symbols import contract_of


class _Detail(msgspec.Struct, gc=False):
    bkPx: str
    posSide: Literal["long", "short", "net"]
    side: Literal["buy", "sell"]
    sz: str
    ts: str


class _Instrument(msgspec.Struct, gc=False, kw_only=True):
    details: list[_Detail]
    instId: str
    instType: Literal["SWAP", "FUTURES"] = "SWAP"


class _Message(msgspec.Struct, gc=False):
    data: list[_Instrument]


def _columns(messages: list[_Message]) -> tuple[list[int], list[pl.Series]]:
    data = [message.data for message in messages]
    instruments = [instrument for each in data for instrument in each]
    inside = [instrument.details for instrument in instruments]
    details = [detail for each in inside for detail in each]
    one_each = list(map(len, data)).count(1) == len(data) and list(map(len, inside)).count(1) == len(inside)
    counts = [1] * len(data) if one_each else [sum(len(each.details) for each in entry) for entry in data]
    symbols = [each.instId for each in instruments] if one_each else [e.instId for e in instruments for _ in e.details]
    return counts, [
        texts("symbol", symbols),
        texts("side", [detail.side for detail in details]),
        texts("posSide", [detail.posSide for detail in details]),
        texts("bkPx", [detail.bkPx for detail in details]),
        texts("sz", [detail.sz for detail in details]),
        texts("ts", [detail.ts for detail in details]),
    ]


def _facts(raw: pl.DataFrame) -> pl.DataFrame:
    long = pl.col("side") == "sell"
    found = raw.with_columns(
        ts_event=pl.col("ts").cast(pl.Int64, strict=False), price=figure("bkPx"), qty=figure("sz"), long=long
    )
    agrees = (pl.col("posSide") == "net") | ((pl.col("posSide") == "long") == pl.col("long"))
    return found.with_columns(
        order_side=pl.col("side"),
        position_side=pl.when("long").then(pl.lit("long")).otherwise(pl.lit("short")),
        price_kind=pl.lit("okx_bkPx"),
        unit=pl.lit("contract"),
        contract=of_symbol(raw, contract_of, pl.String),
        completeness=completeness("okx", "liquidation-orders", pl.col("ts_event")),
        order_price=pl.lit(None, pl.Float64),
        status=pl.lit(None, pl.String),
        stands=agrees & in_time(pl.col("ts_event")) & above_zero(pl.col("qty")) & above_zero(pl.col("price")),
    )


LIQUIDATIONS = Bulk(msgspec.json.Decoder(_Message).decode, _columns, _facts)
