"""How much of each bar of time the liquidation feeds were heard."""

from datetime import datetime, timedelta

import polars as pl

from pipelines.derive.coverage.within import Within
from pipelines.plots.read.asking import rows
from warehouse.lake import Lake

MINUTE = timedelta(minutes=1)

MINUTES = """
SELECT minute, venue, channel, max(heard_share(state, connected_share, repaired)) AS share,
       bool_and(state IS NOT DISTINCT FROM 'SUSPECT' AND repaired IS NOT TRUE) AS suspect,
       bool_and(state IS DISTINCT FROM 'SILENT' AND repaired IS NOT TRUE) AS by_the_second
FROM feed_coverage
WHERE minute >= date_trunc('minute', $since) AND minute < $until AND carries_liquidations
GROUP BY ALL ORDER BY minute, venue, channel
"""


def coverage(warehouse: Lake, since: datetime, until: datetime, length: timedelta) -> pl.DataFrame:
    """Return of each bar ts, coverage_share: of its measured time, that in which the feed heard least was heard, and suspect:
    whether a feed was SUSPECT in it.

    Bars shorter than a minute lie in [since, until). Where a minute was not heard whole, theirs is measured by the second.
    """
    minutes = rows(warehouse, MINUTES, {"since": since, "until": until})
    if length < MINUTE:
        minutes = _seconds(Within(warehouse), minutes, length).filter(
            pl.col("ts").is_between(since - length, until, "none")
        )
    else:
        minutes = minutes.with_columns(ts=pl.col("minute").dt.truncate(f"{length.total_seconds():.0f}s"))
    return (
        minutes.group_by("minute", "ts", "venue").agg(pl.col("share").max(), pl.col("suspect").all())
        .group_by("ts", "venue").agg(pl.col("share").mean(), pl.col("suspect").any())
        .group_by("ts").agg(pl.col("share").min().alias("coverage_share"), pl.col("suspect").any()).sort("ts")
    )  # fmt: skip


def _seconds(within: Within, minutes: pl.DataFrame, length: timedelta) -> pl.DataFrame:
    """Return each minute once for every bar in it, a minute that was heard in part with the share of each bar."""
    bars = minutes.with_columns(
        ts=pl.datetime_ranges("minute", pl.col("minute") + MINUTE, length, closed="left", time_unit="us")
    ).explode("ts")
    parts = (pl.col("share") > 0) & (pl.col("share") < 1) & pl.col("by_the_second")
    exact = [
        within.share(row["venue"], row["channel"], row["ts"], row["ts"] + length)
        for row in bars.filter(parts).iter_rows(named=True)
    ]
    measured = bars.filter(parts).select("ts", "venue", "channel", exact=pl.Series(exact, dtype=pl.Float64))
    return bars.join(measured, on=["ts", "venue", "channel"], how="left", maintain_order="left").with_columns(
        share=pl.coalesce("exact", "share")
    )
