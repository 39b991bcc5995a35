"""How much of a cascade its feeds were heard: by the minutes of `feed_coverage`, and by the seconds where those say too little.

A minute in which a collector began or stopped was not heard whole, though all of a cascade of ten seconds in it may have been.
"""

from datetime import datetime, timedelta

import polars as pl

from pipelines.derive.coverage.within import Within
from warehouse.lake import Lake

INSTANT = timedelta(seconds=1)
"""A cascade of one instant is one second long here."""

MINUTES = """
SELECT c.cascade_id, c.ts_start, c.ts_end, f.minute, f.venue, any_value(f.channel) AS channel,
    max(CASE WHEN f.state = 'SILENT' THEN 0 ELSE f.connected_share END) AS share,
    bool_and(f.state IS NOT DISTINCT FROM 'SUSPECT') AS suspect,
    bool_or(f.state = 'SILENT' AND f.connected_share > 0) AS silent
FROM {found} AS c JOIN feed_coverage AS f ON f.minute BETWEEN date_trunc('minute', c.ts_start) AND c.ts_end
WHERE f.minute BETWEEN date_trunc('minute', $since) AND $until AND f.venue || ' ' || f.channel IN (SELECT unnest($feeds))
GROUP BY ALL ORDER BY c.cascade_id, f.venue, f.minute
"""


def heard(warehouse: Lake, found: str, since: datetime, until: datetime, feeds: list[str]) -> pl.DataFrame:
    """Return by cascade_id coverage_share, and whether a feed was suspect, of the cascades of the registered table `found`.

    They lie in [since, until]. `feeds`: the liquidation channels that count, as "venue channel".
    """
    told = {"since": since, "until": until, "feeds": feeds}
    minutes = pl.DataFrame(warehouse.connection.execute(MINUTES.format(found=found), told).to_arrow_table())
    venues = minutes.group_by("cascade_id", "venue", maintain_order=True).agg(
        pl.col("ts_start", "ts_end", "channel").first(), pl.col("share").mean(), pl.col("suspect", "silent").any(),
        minutes=pl.len(),
    )  # fmt: skip
    partial = venues.filter((pl.col("share") > 0) & (pl.col("share") < 1) & ~pl.col("silent"))
    exact = _exact(warehouse, partial)
    return (
        venues.join(exact, on=["cascade_id", "venue"], how="left", maintain_order="left")
        .with_columns(pl.coalesce("exact", "share").alias("share"))
        .group_by("cascade_id", maintain_order=True)
        .agg(
            coverage_share=((pl.col("share") * pl.col("minutes")).sum() / pl.col("minutes").sum()).round(6),
            suspect=pl.col("suspect").any(),
        )
    )


def _exact(warehouse: Lake, partial: pl.DataFrame) -> pl.DataFrame:
    """Return by cascade_id and venue the share of the cascade's own time that was heard, where its sessions are stored."""
    within = Within(warehouse)
    rows: list[tuple[str, str, float | None]] = []
    for row in partial.iter_rows(named=True):
        end = max(row["ts_end"], row["ts_start"] + INSTANT)
        rows.append((row["cascade_id"], row["venue"], within.share(row["venue"], row["channel"], row["ts_start"], end)))
    return pl.DataFrame(rows, {"cascade_id": pl.String, "venue": pl.String, "exact": pl.Float64}, orient="row")
