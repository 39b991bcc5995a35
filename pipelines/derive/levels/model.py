"""The state of the model and how a block of bars moves it: formulas.md §2.1, for all contracts at once.

Price is counted in bins: bin b holds prices [(1 + width)^b, (1 + width)^(b + 1)). Exposure is in coins, once per leverage:
each leverage holds what it would if everything were opened with it, so weights multiply a state and never change it.
"""

from typing import NamedTuple

import polars as pl

from pipelines.derive.levels.margins import column
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.levels.touched import TOUCHED, aged, touched

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
        "long_since": pl.Float64(),
        "short_since": pl.Float64(),
        "since": pl.Datetime("us"),
        "recent": pl.Float64(),
    }
)
"""What the next bar needs of the last: its start, close, open interest, and since that was told the range traded and
what was liquidated; recent: USD liquidated of late, each counted less by `recent_half_life_h`, as of ts."""

BARS = pl.Schema(
    {
        "contract": pl.UInt32(),
        "ts": pl.Datetime("us"),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "close": pl.Float64(),
        "oi": pl.Float64(),
        "volume": pl.Float64(),
        "liquidated_long": pl.Float64(),
        "liquidated_short": pl.Float64(),
    }
)
"""One-minute bars by start: prices of one coin; oi: newest open interest told in the minute, one side, in coins (inverse:
USD), null where none was; volume: coins; liquidated: in the unit of oi, null where none was told."""


class State(NamedTuple):
    """The model between two bars; `CELLS`, `CARRY` and `TOUCHED` say what the columns are."""

    cells: pl.DataFrame
    carry: pl.DataFrame
    touched: pl.DataFrame = TOUCHED.to_frame()


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
    cleared. Every contract has one long and one short, so of each side openings less closings are the change of open
    interest plus what of that side was liquidated; that net is taken as opened where positive, else as closed at random. A
    bar's range reaches from the close before it, so after missing minutes the price is taken to have passed
    everything between; what else it touched in them is not known. Open interest told after them is opened in the bar that
    tells it, over the range traded since it was last told.
    """
    made = prepared(state.carry, bars, contracts, parameters)
    stays = _born(made, margins, parameters).filter("stays").collect()
    return _left(state, made, _kept(state.cells, made), stays, parameters)


def block_of(
    state: State, bars: pl.DataFrame, margins: pl.DataFrame, contracts: pl.DataFrame, parameters: Parameters
) -> Block:
    """Return what `bars` do to the state: as `advance`, with what they sweep.

    Swept is of the state before and of what the block itself opens, but for what a bar opens and clears at once: which came
    first inside a minute is not known. It is aged to the end of the block, as what stays is.
    """
    made = prepared(state.carry, bars, contracts, parameters)
    old = _kept(state.cells, made)
    born = _born(made, margins, parameters).collect()
    swept = _sum(old.filter(_hit()), born.filter(~pl.col("stays")))
    return Block(_left(state, made, old, born.filter("stays"), parameters), made, swept)


def _left(state: State, made: pl.DataFrame, old: pl.DataFrame, stays: pl.DataFrame, parameters: Parameters) -> State:
    carry = _carry(state.carry, made, parameters)
    return State(_sum(old.filter(~_hit()), stays), carry, touched(state.touched, state.carry, made, parameters))


def prepared(carry: pl.DataFrame, bars: pl.DataFrame, contracts: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Return the bars with what the model needs of them; bars without a positive price are left out.

    contracts: contract, inverse, log_width. Adds low_bin and high_bin (of the range from the close before), low_least and
    high_most (of the bars from this to the last of the block), and per side opened (coins), kept (share of older exposure
    left by this bar), kept_after (by the bars after it); entry_low and entry_high (range in which was opened).
    """
    before = carry.select(
        "contract", "ts", "close", "oi", "since", low="low_since", high="high_since", liquidated_long="long_since",
        liquidated_short="short_since", is_bar=pl.lit(False),
    )  # fmt: skip
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
        **{
            f"kept_after_{side}": pl.col(f"kept_{side}")
            .cum_prod(reverse=True)
            .shift(-1)
            .fill_null(1.0)
            .over("contract")
            for side in ("long", "short")
        },
    )


def _with_entries(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the range traded and what was liquidated (gone_long, gone_short) since open interest was last told."""
    rows = rows.with_columns(pl.col("liquidated_long", "liquidated_short").fill_null(0.0))
    if rows.filter("is_bar")["told"].all():  # the usual case: only a contract's first bar has more than its own
        before = ~pl.col("is_bar").shift() & (pl.col("contract") == pl.col("contract").shift())

        def carried(name: str) -> pl.Expr:
            return pl.when(before).then(pl.col(name).shift())

        return rows.with_columns(
            entry_low=pl.min_horizontal("low", carried("low")),
            entry_high=pl.max_horizontal("high", carried("high")),
            gone_long=pl.col("liquidated_long") + carried("liquidated_long").fill_null(0.0),
            gone_short=pl.col("liquidated_short") + carried("liquidated_short").fill_null(0.0),
        )
    span = (pl.col("told").cast(pl.UInt32).cum_sum() - pl.col("told").cast(pl.UInt32)).over("contract")
    return rows.with_columns(span=span).with_columns(
        entry_low=pl.col("low").cum_min().over("contract", "span"),
        entry_high=pl.col("high").cum_max().over("contract", "span"),
        gone_long=pl.col("liquidated_long").cum_sum().over("contract", "span"),
        gone_short=pl.col("liquidated_short").cum_sum().over("contract", "span"),
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
    """Per side the coins opened in each bar, and the share of older exposure that the bar leaves."""
    found, aged = [], pl.lit(1.0)
    if parameters.half_life_h is not None:
        hours = (pl.col("ts") - pl.col("last_ts")).dt.total_seconds() / 3600
        aged = pl.lit(0.5).pow(hours.fill_null(0.0) / parameters.half_life_h)
    turnover = pl.col("volume").fill_null(0.0).clip(0) * parameters.turnover_share
    for side in ("long", "short"):
        net = pl.when("told").then(pl.col("oi") - pl.col("last_oi") + pl.col(f"gone_{side}")).fill_null(0.0)
        coins = pl.when("inverse").then(net / pl.col("close")).otherwise(net).clip(0)
        stayed = (pl.col("oi") + pl.col(f"gone_{side}")) / pl.col("last_oi")
        left = pl.when(pl.col("told") & (pl.col("last_oi") > 0)).then(stayed.clip(0, 1)).otherwise(1.0)
        found += [(coins + turnover).alias(f"opened_{side}"), (left.fill_null(1.0) * aged).alias(f"kept_{side}")]
    return found


def _kept(cells: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """The cells aged by the block, each with its contract's lowest and highest bin; null where it has no bar."""
    total = made.group_by("contract").agg(
        pl.col("low_bin").min().alias("low_least"), pl.col("high_bin").max().alias("high_most"),
        pl.col("kept_long", "kept_short").product(),
    )  # fmt: skip
    joined = cells.join(total, on="contract", how="left", maintain_order="left")
    kept = pl.when("long").then("kept_long").otherwise("kept_short")
    return joined.with_columns(qty=pl.col("qty") * kept.fill_null(1.0))


def _hit() -> pl.Expr:
    reached = pl.when("long").then(pl.col("bin") >= pl.col("low_least")).otherwise(pl.col("bin") <= pl.col("high_most"))
    return reached.fill_null(False)


def _born(made: pl.DataFrame, margins: pl.DataFrame, parameters: Parameters) -> pl.LazyFrame:
    """What the bars open beyond their own range, aged to the end of the block: CELLS, and whether a cell `stays`: no later
    bar of the block reaches it."""

    def beyond(edge: str) -> pl.Expr:
        return pl.when("long").then(pl.col("bin") < pl.col(edge)).otherwise(pl.col("bin") > pl.col(edge))

    shifts = _shifts(margins, parameters).lazy()
    level = (pl.col("entry") + pl.col("shift")).floor().cast(pl.Int32)
    levels = _entries(made, parameters).join(shifts, on=["contract", "long"], maintain_order="left")
    cells = levels.with_columns(bin=level).filter(beyond("own_edge")).with_columns(stays=beyond("last_edge"))
    return cells.group_by("contract", "long", "leverage", "bin", "stays").agg(pl.col("qty").sum())


def _entries(made: pl.DataFrame, parameters: Parameters) -> pl.LazyFrame:
    """What the bars open at each of their prices: contract, long, entry (its logarithm in bins), qty (aged to the end of the
    block), and the bin that the price came to on that side, in the bar (own_edge) and from it to the last (last_edge)."""
    anchors = (("close", parameters.at_close), ("entry_high", parameters.at_high), ("entry_low", parameters.at_low))
    sides = (
        ("long", parameters.long_share, "low_bin", "low_least"),
        ("short", 1 - parameters.long_share, "high_bin", "high_most"),
    )
    return pl.concat([
        made.lazy().filter(pl.col(f"opened_{side}") > 0).select(
            "contract", long=pl.lit(side == "long"), entry=pl.col(anchor).log() / pl.col("log_width"),
            qty=pl.col(f"opened_{side}") * pl.col(f"kept_after_{side}") * (share * part), own_edge=own, last_edge=last,
        )
        for side, share, own, last in sides
        for anchor, part in anchors
    ])  # fmt: skip


def _shifts(margins: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """`margins` as rows: contract, long, leverage, shift."""
    columns = pl.DataFrame(
        [(column(leverage, long=long), long, leverage) for long in (True, False) for leverage in parameters.leverages],
        schema={"name": pl.String, "long": pl.Boolean, "leverage": pl.Float64}, orient="row",
    )  # fmt: skip
    rows = margins.unpivot(columns["name"].to_list(), index="contract", variable_name="name", value_name="shift")
    return rows.drop_nulls("shift").join(columns, on="name").drop("name")


def _sum(*parts: pl.DataFrame) -> pl.DataFrame:
    by = ["contract", "long", "leverage", "bin"]
    cells = pl.concat([part.select(CELLS.names()) for part in parts])
    return cells.group_by(by).agg(pl.col("qty").sum()).filter(pl.col("qty") > 0).sort(by)


def _carry(before: pl.DataFrame, made: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    last = made.group_by("contract", maintain_order=True).last()
    last = last.join(_recent(before, made, parameters), on="contract", maintain_order="left")
    new = last.select(
        "contract", "ts", "close", "oi",
        low_since=pl.when("told").then(None).otherwise("entry_low"),
        high_since=pl.when("told").then(None).otherwise("entry_high"),
        long_since=pl.when("told").then(None).otherwise("gone_long"),
        short_since=pl.when("told").then(None).otherwise("gone_short"),
        since="since", recent="recent",
    )  # fmt: skip
    kept = before.join(new, on="contract", how="anti")
    return pl.concat([kept, new.select(CARRY.names())]).sort("contract")


def _recent(before: pl.DataFrame, made: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """USD liquidated of late by contract, as of its last bar."""
    half_life, last = parameters.recent_half_life_h, made.group_by("contract").agg(now=pl.col("ts").max())
    coins = pl.col("liquidated_long") + pl.col("liquidated_short")
    usd = pl.when("inverse").then(coins).otherwise(coins * pl.col("close"))
    new = made.join(last, on="contract").select("contract", usd=usd * aged(pl.col("now") - pl.col("ts"), half_life))
    old = before.join(last, on="contract").select(
        "contract", usd=pl.col("recent").fill_null(0.0) * aged(pl.col("now") - pl.col("ts"), half_life)
    )
    return pl.concat([old, new]).group_by("contract").agg(recent=pl.col("usd").sum())
