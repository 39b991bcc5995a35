"""Which numbers of a session's frames are stored, as runs of consecutive numbers: made from frames, joined, packed into rows.

A run has its first and last number and when those two frames arrived. Numbers that are stored twice are in two runs, so
joining keeps every number as often as it is stored.
"""

import polars as pl

RUNS: dict[str, pl.DataType] = {
    "first": pl.Int64(), "last": pl.Int64(), "began": pl.Datetime("us"), "ended": pl.Datetime("us"),
}  # fmt: skip
"""A run, beside the column `session`: first and last number, and when these arrived."""
PACKED = ("runs", "run_times")
"""The columns of `session_frames`: first and last of each run after one another, and their times."""


def of_numbers(session: str, numbers: pl.Series, arrived: pl.Series) -> pl.DataFrame:
    """Return the runs of a session's numbers, in any order; `arrived`: when each did, UTC microseconds since 1970."""
    each = pl.DataFrame([numbers.alias("first"), arrived.alias("began")]).sort("first")
    step = each["first"].diff()
    begins = (step != 1).fill_null(True)
    first, last = each.filter(begins), each.filter(begins.shift(-1, fill_value=True))
    times = [series.cast(RUNS["began"]) for series in (first["began"], last["began"])]
    runs = pl.DataFrame({"first": first["first"], "last": last["first"], "began": times[0], "ended": times[1]})
    runs = runs.select(pl.lit(session).alias("session"), *RUNS)
    return _levels(runs) if (step == 0).any() else runs


def joined(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the fewest runs with the same numbers, per session, in order; `runs` in any.

    A number that is there n times is in n of the runs that come out.
    """
    ordered = runs.sort("session", "first", "last")
    own = pl.col("session") == pl.col("session").shift()
    if ordered.select((own & (pl.col("first") <= pl.col("last").shift())).any()).item():
        return _levels(ordered)
    begins = ordered.select((~(own & (pl.col("first") == pl.col("last").shift() + 1))).fill_null(True)).to_series()
    ends = begins.shift(-1, fill_value=True)
    return (
        ordered.filter(begins)
        .select("session", "first", "began")
        .hstack(ordered.filter(ends).select("last", "ended"))
        .select("session", *RUNS)
    )


def _levels(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the runs of numbers that are there at least once, at least twice, and so on."""
    nothing = pl.lit(None, pl.Datetime("us"))
    edges = pl.concat([
        runs.select("session", at=pl.col("first") - 1, step=pl.lit(1), began="began", ended=nothing),
        runs.select("session", at="last", step=pl.lit(-1), began=nothing, ended="ended"),
    ])  # fmt: skip
    depths = (
        edges.group_by("session", "at")
        .agg(pl.col("step").sum(), pl.col("began").min(), pl.col("ended").max())
        .filter(pl.col("step") != 0)
        .sort("session", "at")
        .with_columns(depth=pl.col("step").cum_sum().over("session"))
    )
    before = pl.col("depth") - pl.col("step")
    rises = depths.filter(pl.col("step") > 0).select(
        "session", pl.int_ranges(before, "depth").alias("level"), first=pl.col("at") + 1, began="began"
    )
    falls = depths.filter(pl.col("step") < 0).select(
        pl.col("session").alias("of"), pl.int_ranges("depth", before).alias("down"), last="at", ended="ended"
    )
    pairs = pl.concat(
        [
            rises.explode("level").sort("session", "level", "first"),
            falls.explode("down").sort("of", "down", "last"),
        ],
        how="horizontal",
    )
    return pairs.sort("session", "first", "level").select("session", *RUNS)


def packed(runs: pl.DataFrame) -> pl.DataFrame:
    """Return a row per session with its runs in the columns `PACKED`, in their order."""
    return (
        runs.select("session", runs=pl.concat_list("first", "last"), run_times=pl.concat_list("began", "ended"))
        .group_by("session", maintain_order=True)
        .agg(pl.col(name).explode() for name in PACKED)
    )


def unpacked(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the runs that rows with the columns `session` and `PACKED` have; the other way round of `packed`."""
    each = rows.filter(pl.col("runs").list.len() > 0).select("session", *PACKED).explode(PACKED)
    firsts, lasts = each.gather_every(2), each.gather_every(2, 1)
    return firsts.select("session", first="runs", began="run_times").with_columns(
        last=lasts["runs"], ended=lasts["run_times"]
    ).select("session", *RUNS)  # fmt: skip
