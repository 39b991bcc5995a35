"""Liquidation facts to the table `liquidations`: coins, dollars, and a key."""

from hashlib import blake2b
from typing import Any

import numpy as np
import polars as pl

from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.schemas import as_table, empty
from pipelines.columns.shared import facts_frame, finite, time, with_contracts
from pipelines.facts import Liquidation
from pipelines.reading.parse import Facts, Parsed
from pipelines.venues.bounds import AMOUNT, NOTIONAL

FLAGS_FROM = 2**56  # above any time in milliseconds
SPLITMIX64 = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def liquidations(
    parsed: Parsed, instruments: Instruments, kind: type[Liquidation] = Liquidation, table: str = "liquidations"
) -> pl.DataFrame:
    """Return the rows of table `liquidations`, or of another with its columns, in the order of the frames."""
    facts = parsed.facts.get(kind) or Facts([], [])
    if not facts.rows and not facts.blocks:
        return empty(table)
    found = facts_frame(facts, parsed.frames)
    found = with_contracts(found, instruments)
    found = found.with_columns(event_keys(found))
    return as_table(amounts(found), table)


def impossible(rows: pl.DataFrame) -> dict[int, str]:
    """Return which rows of table `liquidations` have amounts that cannot be, by their place, and why."""
    beyond = rows.with_row_index("place").filter(_BEYOND)
    return {
        row["place"]: f"{row['symbol']}: {row['qty_raw']!r} x {row['price_raw']!r} is {row['notional_usd']!r} USD, "
        f"{row['qty_base']!r} coins: a liquidation is of at most {NOTIONAL.most:g} USD and {AMOUNT.most:g} coins"
        for row in beyond.iter_rows(named=True)
    }


def event_keys(found: pl.DataFrame) -> pl.Series:
    """Return 64 bits of what tells liquidations apart: venue and symbol, contract, sides, time, quantity and prices.

    `symbol_key` is of venue and symbol; the others are mixed into it one after the other, as splitmix64 does. Numbers
    count, not their text: what a venue writes 9910 in one place and 9910.00 in another is one liquidation. The venue's own
    id, where it has one, is mixed in last.
    """
    fields = found.select(_KEYED)
    key = fields["symbol_key"].to_numpy(writable=True)
    for name in fields.columns[1:]:
        key ^= fields[name].to_numpy()
        for shift, factor in SPLITMIX64:
            key ^= key >> shift
            key *= factor
        key ^= key >> 31
    if "id" in found.columns and found["id"].null_count() < found.height:
        key = np.where(found["id"].is_null(), key, _mixed(key ^ _hashed(found["id"])))
    return pl.Series("event_key", key, pl.UInt64)


def _hashed(ids: pl.Series) -> "np.ndarray[Any, np.dtype[np.uint64]]":
    """Return 64 bits of blake2b of each id."""
    digests = [blake2b((each or "").encode(), digest_size=8).digest() for each in ids]
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)


def _mixed(key: "np.ndarray[Any, np.dtype[np.uint64]]") -> "np.ndarray[Any, np.dtype[np.uint64]]":
    for shift, factor in SPLITMIX64:
        key ^= key >> np.uint64(shift)
        key *= np.uint64(factor)
    return key ^ key >> np.uint64(31)


def _flag(number: int, column: str, value: str) -> pl.Expr:
    is_so = pl.col(column) == value
    return pl.when(is_so).then(pl.lit(2**number * FLAGS_FROM, pl.UInt64)).otherwise(pl.lit(0, pl.UInt64))


_FLAGS = (("contract", "inverse"), ("order_side", "sell"), ("position_side", "long"), ("price_kind", "order_limit"))
_KEYED = [
    pl.col("symbol_key"),
    sum((_flag(n, *each) for n, each in enumerate(_FLAGS)), pl.col("ts_event").cast(pl.UInt64)).alias("time_and_flags"),
    *(pl.col(name).fill_null(0.0).reinterpret(dtype=pl.UInt64) for name in ("qty", "price", "order_price")),
]


def amounts(found: pl.DataFrame) -> pl.DataFrame:
    """Complete facts joined with contracts: units, quantity in coins, USD, and why one of them is null.

    A listed contract's kind (linear, inverse) goes before what the symbol's form told the parser. Linear: coins are
    quantity x size x multiplier, USD is quantity x price where the quote is a dollar. A quantity in the quote is the USD.
    Inverse: USD is the quantity, or contracts x size, whatever the price; coins are USD / price. Of a unit that is not
    proven neither is known.
    """
    for step in (_UNITS, _AMOUNT, _COINS_AND_USD, [_NULL_REASON]):
        found = found.with_columns(step)
    return found


_BEYOND = (pl.col("notional_usd") > NOTIONAL.most) | (pl.col("qty_base") > AMOUNT.most)
_LISTED, _IN_CONTRACTS = pl.col("metadata") == "venue", pl.col("unit") == "contract"
_INVERSE, _LINEAR = pl.col("contract") == "inverse", pl.col("contract") == "linear"
_CONTRACT = pl.when(_LISTED).then("contract_known").otherwise(pl.coalesce("contract", "contract_known"))
_UNITS = [
    _CONTRACT.alias("contract"),
    pl.col("price").alias("price_raw"),
    finite(pl.col("price") / pl.col("multiplier")),
    pl.col("qty").alias("qty_raw"),
    time("ts_event"),
    pl.col("occurrence").cast(pl.Int32),
]
_IN_QUOTE, _IN_WHAT = pl.col("unit") == "quote", pl.col("unit") == "unknown"
_UNIT = (
    pl.when(_IN_CONTRACTS | _IN_QUOTE | _IN_WHAT)
    .then("unit")
    .when(_INVERSE)
    .then(pl.lit("usd"))
    .otherwise(pl.lit("base"))
)
_AMOUNT = [
    _UNIT.alias("qty_unit"),
    pl.when(_IN_CONTRACTS).then(pl.col("qty") * pl.col("contract_size")).when(~_IN_WHAT).then("qty").alias("amount"),
]
_BASE = (
    pl.when(_INVERSE)
    .then(pl.col("amount") / pl.col("price"))
    .when(_LINEAR & _IN_QUOTE)
    .then(pl.col("amount") / pl.col("price_raw") * pl.col("multiplier"))
    .when(_LINEAR)
    .then(pl.col("amount") * pl.col("multiplier"))
)
_USD = pl.when(_INVERSE).then("amount").when(_LINEAR & pl.col("in_dollars")).then(
    pl.when(_IN_QUOTE).then("amount").otherwise(pl.col("amount") * pl.col("price_raw"))
)  # fmt: skip
_COINS_AND_USD = [finite(_BASE).alias("qty_base"), finite(_USD).alias("notional_usd")]
_NO_AMOUNT = (
    pl.when((pl.col("qty_base").is_not_null() & pl.col("notional_usd").is_not_null()) | _IN_WHAT)
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
    .when(~pl.col("in_dollars"))
    .then(pl.format("quote {} is not a dollar", "quote"))
    .otherwise(pl.lit("amount out of range"))
)
_NULL_REASON = pl.when(pl.col("unproven").is_null()).then(_NO_AMOUNT).when(_NO_AMOUNT.is_null()).then("unproven").otherwise(
    pl.format("{}; {}", "unproven", _NO_AMOUNT)
).alias("null_reason")  # fmt: skip
