"""The past map by map: each frozen before its bars, beside what those bars swept and what was liquidated in them.

Everything is counted in bins from the price at which the map was frozen, so contracts of one coin can be summed.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import polars as pl

from pipelines.derive.levels.features import anchors_of, described
from pipelines.derive.levels.model import Block, State, bin_of, block_of
from pipelines.derive.levels.parameters import Parameters

PLACE = ["base", "venue", "at", "long", "offset"]


class Judged(NamedTuple):
    """Frames of one or more frozen maps, each of one coin's contracts at one venue; `at`: when frozen, offset: bins from the
    price then, usd at the level's price. PLACE is base, venue, at, long, offset.

    reached: PLACE and what `features.described` knew then: the bins beyond the price that it came to.
    predicted: PLACE, leverage, usd, mirrored: of the reached bins, per leverage as if all had it; mirrored: the same distance
    on the other side. total: base, venue, at, leverage, usd: all of the map within the scored distance.
    swept: PLACE, leverage, usd: what the model clears. realised: PLACE, usd: what was liquidated.
    """

    reached: pl.DataFrame
    predicted: pl.DataFrame
    total: pl.DataFrame
    swept: pl.DataFrame
    realised: pl.DataFrame


def judge(
    frozen: State, block: Block, at: datetime, realised: pl.DataFrame, told: pl.DataFrame, listed: pl.DataFrame,
    parameters: Parameters,
) -> Judged:  # fmt: skip
    """Put the map `frozen` at `at` beside what came in `block`.

    realised: contract, ts, long, price, usd of the block's time; a price outside its minute's range is moved to its edge.
    told: contract, of the contracts whose liquidations are told.
    """
    own = anchors_of(frozen, listed.join(told, on="contract", how="semi"), at, parameters.recent_half_life_h)
    reached = _reached(block, own, at)
    far = pl.col("offset").abs() * pl.col("log_width") <= pl.lit(1 + parameters.scored_distance).log()
    near = _placed(frozen.cells, own, at).filter(far).group_by(*PLACE, "leverage").agg(pl.col("usd").sum())
    return Judged(
        described(frozen, own, reached, at, parameters),
        _predicted(near, reached, parameters),
        near.group_by("base", "venue", "at", "leverage").agg(pl.col("usd").sum()),
        _placed(block.swept, own, at).group_by(*PLACE, "leverage").agg(pl.col("usd").sum()),
        _realised(realised, block, own, at),
    )


def _placed(cells: pl.DataFrame, anchors: pl.DataFrame, at: datetime) -> pl.DataFrame:
    joined = cells.join(anchors, on="contract")
    offset = pl.col("bin") - pl.col("zero")
    return joined.select(
        "base", "venue", "long", "leverage", "log_width", at=pl.lit(at, pl.Datetime("us")), offset=offset,
        usd=pl.col("qty") * pl.col("close") * (offset.cast(pl.Float64) * pl.col("log_width")).exp(),
    )  # fmt: skip


def _reached(block: Block, own: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """The bins strictly beyond the frozen price's own to the lowest (longs) and highest (shorts) that was traded."""
    joined = (
        block.bars.group_by("contract").agg(pl.col("low_bin").min(), pl.col("high_bin").max()).join(own, on="contract")
    )
    span = joined.group_by("base", "venue").agg(
        low=(pl.col("low_bin") - pl.col("zero")).min(), high=(pl.col("high_bin") - pl.col("zero")).max()
    )
    sides = [
        span.select("base", "venue", long=pl.lit(True), offset=pl.int_ranges("low", 0, dtype=pl.Int32)),
        span.select("base", "venue", long=pl.lit(False), offset=pl.int_ranges(1, pl.col("high") + 1, dtype=pl.Int32)),
    ]
    bins = pl.concat(sides).explode("offset").drop_nulls("offset")
    return bins.select("base", "venue", pl.lit(at, pl.Datetime("us")).alias("at"), "long", "offset")


def _predicted(near: pl.DataFrame, reached: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    leverages = pl.DataFrame({"leverage": parameters.leverages}, schema={"leverage": pl.Float64})
    other = near.select(
        "base", "venue", "at", "leverage", long=~pl.col("long"), offset=-pl.col("offset"), mirrored=pl.col("usd")
    )
    place = [*PLACE, "leverage"]
    return (
        reached.join(leverages, how="cross")
        .join(near.select(*place, "usd"), on=place, how="left")
        .join(other, on=place, how="left")
        .with_columns(pl.col("usd", "mirrored").fill_null(0.0))
    )


def _realised(realised: pl.DataFrame, block: Block, own: pl.DataFrame, at: datetime) -> pl.DataFrame:
    minutes = block.bars.select("contract", pl.col("ts").alias("minute"), "low_bin", "high_bin")
    found = realised.join(own, on="contract").with_columns(minute=pl.col("ts").dt.truncate("1m"))
    found = found.join(minutes, on=["contract", "minute"], how="left")
    where = pl.min_horizontal(pl.max_horizontal(bin_of(pl.col("price")), "low_bin"), "high_bin")
    return (
        found.select("base", "venue", "long", "usd", at=pl.lit(at, pl.Datetime("us")), offset=where - pl.col("zero"))
        .group_by(PLACE)
        .agg(pl.col("usd").sum())
    )


class Source(NamedTuple):
    """Where a replay's bars and liquidations come from: functions of start and end."""

    bars: Callable[[datetime, datetime], pl.DataFrame]
    realised: Callable[[datetime, datetime], pl.DataFrame]
    margins: Callable[[datetime], pl.DataFrame]


def replay(
    state: State, source: Source, blocks: Iterator[tuple[datetime, datetime]], told: pl.DataFrame,
    listed: pl.DataFrame, parameters: Parameters,
) -> Iterator[tuple[Judged, State]]:  # fmt: skip
    """Yield for each block (start, end), in order, the map of its start judged by what came in it, and the state after."""
    for start, end in blocks:
        bars, margins = source.bars(start, end), source.margins(start)
        block = block_of(state, bars, margins, listed, parameters)
        came = source.realised(start, end)
        yield judge(state, block, start, came, told, listed, parameters), block.after
        state = block.after


def gathered(parts: list[Judged]) -> Judged:
    """Join judged maps to one; raises ValueError where there are none."""
    return Judged(*(pl.concat(frames) for frames in zip(*parts, strict=True)))
