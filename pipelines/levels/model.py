"""The state of the model and how a block of bars moves it: formulas.md §2.1, for all contracts at once.

Price is counted in bins: bin b holds prices [(1 + width)^b, (1 + width)^(b + 1)). Exposure is in coins, once per leverage:
each leverage holds what it would if everything were opened with it, so weights multiply a state and never change it.
"""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from pipelines.levels.margins import column
from pipelines.levels.parameters import Parameters

CELLS = pl.Schema(
    {"contract": pl.UInt32(), "long": pl.Boolean(), "leverage": pl.Float64(), "bin": pl.Int32(), "qty": pl.Float64()}
)
"""A cell: coins of `contract` (see `bars.py`) that are liquidated in price bin `bin`, if all had `leverage`."""

CARRY = pl.Schema(
    {
        "contract": pl.UInt32(),
        "ts": pl.Datetime("us"),
        "close": pl.Float64(),
        "oi": pl.Float64(),
        "low_since": pl.Float64(),
        "high_since": pl.Float64(),
        "since": pl.Datetime("us"),
    }
)
"""What the next bar needs of the last: its start, close, open interest, the range traded since that was told."""

BARS = pl.Schema(
    {
        "contract": pl.UInt32(),
        "ts": pl.Datetime("us"),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "close": pl.Float64(),
        "oi": pl.Float64(),
        "volume": pl.Float64(),
    }
)
"""One-minute bars by start: prices of one coin; oi: newest open interest told in the minute, in coins (inverse: USD), null
where none was; volume: coins."""


class State(NamedTuple):
    """The model between two bars; `CELLS` and `CARRY` say what the columns are."""

    cells: pl.DataFrame
    carry: pl.DataFrame


EMPTY = State(CELLS.to_frame(), CARRY.to_frame())


class Block(NamedTuple):
    """What a block did to a state: the state after it, what each bar was (`prepared`), and what was swept (`CELLS`)."""

    after: State
    bars: pl.DataFrame
    swept: pl.DataFrame


def advance(
    state: State, bars: pl.DataFrame, margins: pl.DataFrame, contracts: pl.DataFrame, parameters: Parameters
) -> State:
    """Return the state after `bars` (BARS, in order of contract and ts, all later than the state's).

    Of each bar in turn: exposure ages by the half-life and falls with open interest; what was opened is added at its
    liquidation prices; long levels in or above the bin of the low and short levels in or below that of the high are
    cleared. A bar's range reaches from the close before it, so after missing minutes the price is taken to have passed
    everything between; what else it touched in them is not known. Open interest told after them is opened in the bar that
    tells it, over the range traded since it was last told.
    """
    made = prepared(state.carry, bars, contracts, parameters)
    old = _kept(state.cells, made).filter(~_hit("low_least", "high_most"))
    new = _born(made, margins, parameters).filter(~_hit("low_least", "high_most"))
    return State(_sum(pl.concat([old.select(CELLS.names()), new.select(CELLS.names())])), _carry(state.carry, made))


def swept(state: State, made: pl.DataFrame, margins: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Return as CELLS what the block `made` (see `prepared`) clears: of the state before it and of what it opens itself.

    What a bar opens and clears at once is not in it: which came first inside a minute is not known.
    """
    old = _kept(state.cells, made).filter(_hit("low_least", "high_most"))
    new = _born(made, margins, parameters).filter(_hit("low_least", "high_most") & ~_hit("low_bin", "high_bin"))
    return _sum(pl.concat([old.select(CELLS.names()), new.select(CELLS.names())]))


def prepared(carry: pl.DataFrame, bars: pl.DataFrame, contracts: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Return the bars with what the model needs of them; bars without a positive price are left out.

    contracts: contract, inverse, log_width. Adds low_bin and high_bin (of the range from the close before), low_least and
    high_most (of the bars from this to the last of the block), opened (coins), kept (share of older exposure left by this
    bar), kept_after (by the bars after it), entry_low and entry_high (range in which was opened).
    """
    before = carry.select(
        "contract", "ts", "close", "oi", "since", low="low_since", high="high_since", is_bar=pl.lit(False)
    )
    good = pl.all_horizontal(pl.col(name).is_finite() & (pl.col(name) > 0) for name in ("low", "high", "close"))
    rows = pl.concat([before, bars.filter(good).with_columns(is_bar=pl.lit(True))], how="diagonal")
    rows = rows.sort("contract", "ts").join(
        contracts.select("contract", "inverse", "log_width"), on="contract", maintain_order="left"
    )
    told = pl.col("oi").is_not_null() & pl.col("is_bar")
    rows = rows.with_columns(
        told=told,
        oi=pl.col("oi").forward_fill().over("contract"),
        since=pl.coalesce("since", "ts").first().over("contract"),
    ).with_columns(pl.col("ts", "close", "oi").shift().over("contract").name.prefix("last_"))
    rows = _with_bins(_with_entries(rows).filter("is_bar")).with_columns(*_flows(parameters))
    return rows.with_columns(
        low_least=pl.col("low_bin").cum_min(reverse=True).over("contract"),
        high_most=pl.col("high_bin").cum_max(reverse=True).over("contract"),
        kept_after=pl.col("kept").cum_prod(reverse=True).shift(-1).fill_null(1.0).over("contract"),
    )


def _with_entries(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the range traded since open interest was last told."""
    if rows.filter("is_bar")[
        "told"
    ].all():  # the usual case: only a contract's first bar can have more than its own range
        after_carry = ~pl.col("is_bar").shift() & (pl.col("contract") == pl.col("contract").shift())
        return rows.with_columns(
            entry_low=pl.min_horizontal("low", pl.when(after_carry).then(pl.col("low").shift())),
            entry_high=pl.max_horizontal("high", pl.when(after_carry).then(pl.col("high").shift())),
        )
    span = (pl.col("told").cast(pl.UInt32).cum_sum() - pl.col("told").cast(pl.UInt32)).over("contract")
    return rows.with_columns(span=span).with_columns(
        entry_low=pl.col("low").cum_min().over("contract", "span"),
        entry_high=pl.col("high").cum_max().over("contract", "span"),
    )


def bin_of(price: pl.Expr) -> pl.Expr:
    """The bin that holds a price, by the column log_width = ln(1 + width)."""
    return (price.log() / pl.col("log_width")).floor().cast(pl.Int32)


def _with_bins(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        low_bin=bin_of(pl.min_horizontal("low", "high", "close", "last_close")),
        high_bin=bin_of(pl.max_horizontal("low", "high", "close", "last_close")),
    )


def _flows(parameters: Parameters) -> list[pl.Expr]:
    """Coins opened in each bar, and the share of older exposure that the bar leaves."""
    change = (pl.col("oi") - pl.col("last_oi")).clip(0)
    coins = pl.when("inverse").then(change / pl.col("close")).otherwise(change).fill_null(0.0)
    turnover = pl.col("volume").fill_null(0.0).clip(0) * parameters.turnover_share
    fall = pl.when(pl.col("last_oi") > 0).then((pl.col("oi") / pl.col("last_oi")).clip(0, 1)).otherwise(1.0)
    kept = fall.fill_null(1.0)
    if parameters.half_life_h is not None:
        hours = (pl.col("ts") - pl.col("last_ts")).dt.total_seconds() / 3600
        kept = kept * pl.lit(0.5).pow(hours.fill_null(0.0) / parameters.half_life_h)
    return [(coins + turnover).alias("opened"), kept.alias("kept")]


def _kept(cells: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """The cells aged by the block, each with its contract's lowest and highest bin; null where it has no bar."""
    total = made.group_by("contract").agg(
        pl.col("low_bin").min().alias("low_least"),
        pl.col("high_bin").max().alias("high_most"),
        pl.col("kept").product(),
    )
    joined = cells.join(total, on="contract", how="left", maintain_order="left")
    return joined.with_columns(qty=pl.col("qty") * pl.col("kept").fill_null(1.0))


def _hit(low: str, high: str) -> pl.Expr:
    reached = pl.when("long").then(pl.col("bin") >= pl.col(low)).otherwise(pl.col("bin") <= pl.col(high))
    return reached.fill_null(False)


def _born(made: pl.DataFrame, margins: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """What the bars open, aged to the end of the block, a row a bar, anchor, side and leverage that can be."""
    opened = made.filter(pl.col("opened") > 0).join(margins, on="contract", maintain_order="left").lazy()
    amount = pl.col("opened") * pl.col("kept_after")
    anchors = (("close", parameters.at_close), ("entry_high", parameters.at_high), ("entry_low", parameters.at_low))
    parts = []
    for long, share in ((True, parameters.long_share), (False, 1 - parameters.long_share)):
        for leverage in parameters.leverages:
            shift = pl.col(column(leverage, long=long))
            parts += [
                opened.filter(shift.is_not_null()).select(
                    "contract", "low_bin", "high_bin", "low_least", "high_most",
                    long=pl.lit(long), leverage=pl.lit(leverage),
                    bin=(pl.col(anchor).log() / pl.col("log_width") + shift).floor().cast(pl.Int32),
                    qty=amount * (share * part),
                )
                for anchor, part in anchors
            ]  # fmt: skip
    return pl.concat(parts).filter(pl.col("qty") > 0).collect()


def _sum(cells: pl.DataFrame) -> pl.DataFrame:
    by = ["contract", "long", "leverage", "bin"]
    return cells.group_by(by).agg(pl.col("qty").sum()).filter(pl.col("qty") > 0).sort(by)


def _carry(before: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    last = made.group_by("contract", maintain_order=True).last()
    new = last.select(
        "contract", "ts", "close", "oi",
        low_since=pl.when("told").then(None).otherwise("entry_low"),
        high_since=pl.when("told").then(None).otherwise("entry_high"),
        since="since",
    )  # fmt: skip
    kept = before.join(new, on="contract", how="anti")
    return pl.concat([kept, new.select(CARRY.names())]).sort("contract")


def block_of(
    state: State, bars: pl.DataFrame, margins: pl.DataFrame, contracts: pl.DataFrame, parameters: Parameters
) -> Block:
    """Return what `bars` do to the state, with what they sweep; for fitting and scoring."""
    made = prepared(state.carry, bars, contracts, parameters)
    return Block(advance(state, bars, margins, contracts, parameters), made, swept(state, made, margins, parameters))


def until(bars: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """The bars that have ended by `end`."""
    return bars.filter(pl.col("ts") + pl.duration(minutes=1) <= end)
