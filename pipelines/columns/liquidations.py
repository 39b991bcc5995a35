"""Liquidation facts to the table `liquidations`: coins, dollars, and a key."""

import polars as pl

from pipelines.columns.schemas import as_table, empty
from pipelines.columns.shared import facts_frame, finite, time, with_contracts
from pipelines.contracts.instruments import Instruments
from pipelines.reading.parse import Facts, Parsed
from pipelines.rows import Liquidation
from pipelines.venues.symbols import DOLLARS

FLAGS_FROM = 2**56  # above any time in milliseconds
SPLITMIX64 = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def liquidations(parsed: Parsed, instruments: Instruments) -> pl.DataFrame:
    """Return the rows of table `liquidations`, in the order of the frames."""
    facts = parsed.facts.get(Liquidation) or Facts([], [])
    if not facts.rows and not facts.blocks:
        return empty("liquidations")
    found = facts_frame(facts, parsed.frames)
    found = with_contracts(found, instruments)
    found = found.with_columns(event_keys(found))
    return as_table(amounts(found), "liquidations")


def event_keys(found: pl.DataFrame) -> pl.Series:
    """Return 64 bits of what tells liquidations apart: venue and symbol, contract, sides, time, quantity and prices.

    `symbol_key` is of venue and symbol; the others are mixed into it one after the other, as splitmix64 does. Numbers
    count, not their text: what a venue writes 9910 in one place and 9910.00 in another is one liquidation.
    """
    is_so = [pl.col("contract") == "inverse", pl.col("order_side") == "sell", pl.col("position_side") == "long",
             pl.col("price_kind") == "order_limit"]  # fmt: skip
    flags = sum((so.fill_null(False).cast(pl.UInt64) * 2**n for n, so in enumerate(is_so)), pl.lit(0, pl.UInt64))
    fields = found.select(
        "symbol_key",
        flags=flags * FLAGS_FROM + pl.col("ts_event").cast(pl.UInt64),
        **{name: pl.col(name).fill_null(0.0).reinterpret(dtype=pl.UInt64) for name in ("qty", "price", "order_price")},
    )
    key = fields["symbol_key"]
    for name in fields.columns[1:]:
        key = key ^ fields[name]
        for shift, factor in SPLITMIX64:
            key = (key ^ (key // 2**shift)) * factor
        key = key ^ (key // 2**31)
    return key.alias("event_key")


def amounts(found: pl.DataFrame) -> pl.DataFrame:
    """Complete facts joined with contracts: units, quantity in coins, USD, and why one of them is null.

    A listed contract's kind (linear, inverse) goes before what the symbol's form told the parser. Linear: coins are
    quantity x size x multiplier, USD is quantity x price where the quote is a dollar. Inverse: USD is the quantity, or
    contracts x size, whatever the price; coins are USD / price.
    """
    listed = pl.col("metadata") == "venue"
    contract = pl.when(listed).then("contract_known").otherwise(pl.coalesce("contract", "contract_known"))
    found = found.with_columns(
        contract=contract,
        price_raw=pl.col("price"),
        price=finite(pl.col("price") / pl.col("multiplier")),
        qty_raw=pl.col("qty"),
        ts_event=time("ts_event"),
        occurrence=pl.col("occurrence").cast(pl.Int32),
    )
    inverse, in_contracts = pl.col("contract") == "inverse", pl.col("unit") == "contract"
    found = found.with_columns(
        qty_unit=pl.when(in_contracts)
        .then(pl.lit("contract"))
        .when(inverse)
        .then(pl.lit("usd"))
        .otherwise(pl.lit("base")),
        amount=pl.when(in_contracts).then(pl.col("qty") * pl.col("contract_size")).otherwise("qty"),
    )
    dollars = pl.col("quote").is_in(list(DOLLARS))
    found = found.with_columns(
        qty_base=finite(pl.when(inverse).then(pl.col("amount") / pl.col("price"))
                        .when(pl.col("contract") == "linear").then(pl.col("amount") * pl.col("multiplier"))),
        notional_usd=finite(pl.when(inverse).then("amount")
                            .when((pl.col("contract") == "linear") & dollars).then(pl.col("amount") * pl.col("price_raw"))),
    )  # fmt: skip
    return found.with_columns(null_reason=_null_reason())


def _null_reason() -> pl.Expr:
    return (
        pl.when(pl.col("qty_base").is_not_null() & pl.col("notional_usd").is_not_null())
        .then(pl.lit(None, pl.String))
        .when(pl.col("contract").is_null())
        .then(pl.lit("contract not known"))
        .when(pl.col("amount").is_null())
        .then(pl.lit("contract size not known"))
        .when(pl.col("price_raw").is_null())
        .then(pl.lit("no price"))
        .when(pl.col("qty_base").is_null())
        .then(pl.lit("amount out of range"))
        .when(pl.col("quote").is_null())
        .then(pl.lit("quote currency not known"))
        .when(~pl.col("quote").is_in(list(DOLLARS)))
        .then(pl.format("quote {} is not a dollar", "quote"))
        .otherwise(pl.lit("amount out of range"))
    )
