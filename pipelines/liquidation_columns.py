"""Liquidation facts to the table `liquidations`: coins, dollars, and a key."""

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl
import pyarrow as pa

from pipelines.columns import facts_frame, finite, time, with_contracts
from pipelines.instruments import Instruments
from pipelines.parse import Facts, Parsed
from pipelines.rows import Liquidation
from pipelines.schemas import as_table, empty
from pipelines.venues.symbols import DOLLARS


def liquidations(parsed: Parsed, instruments: Instruments) -> pl.DataFrame:
    """Return the rows of table `liquidations`, in the order of the frames."""
    facts = parsed.facts.get(Liquidation) or Facts([], [])
    if not facts.rows:
        return empty("liquidations")
    found = facts_frame(facts, parsed.frames)
    keys = event_keys(found["venue"].to_list(), found["identity"].to_list())
    found = with_contracts(found.with_columns(keys), instruments)
    return as_table(amounts(found), "liquidations")


def event_keys(venues: Sequence[str], identities: Sequence[str]) -> pl.Series:
    """Return 64 bits of blake2b of `venue|identity` (identity starts with the market where the venue has several)."""
    digests = [
        blake2b(f"{venue}|{identity}".encode(), digest_size=8).digest()
        for venue, identity in zip(venues, identities, strict=True)
    ]
    buffers = [None, pa.py_buffer(b"".join(digests))]
    series = pl.from_arrow(pa.Array.from_buffers(pa.uint64(), len(digests), buffers))
    assert isinstance(series, pl.Series)
    return series.alias("event_key")


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
