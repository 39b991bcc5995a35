"""How much of a cascade its feeds were heard: by the minutes of `feed_coverage`, and by the seconds where those say too little.

A minute in which a collector began or stopped was not heard whole, though all of a cascade of ten seconds in it may have been.
"""

from datetime import datetime, timedelta

import polars as pl

from pipelines.derive.coverage.coverage import by_channel
from pipelines.derive.coverage.sessions import Sessions, sessions
from pipelines.derive.coverage.shares import share
from warehouse.lake import Lake

NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
DAY, INSTANT = timedelta(days=1), timedelta(seconds=1)
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
    days: dict[datetime, Sessions] = {}
    rows: list[tuple[str, str, float]] = []
    for row in partial.iter_rows(named=True):
        start, end = row["ts_start"], max(row["ts_end"], row["ts_start"] + INSTANT)
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        if day not in days:
            days[day] = sessions(warehouse, day, day + DAY, _settled(warehouse))
        shares = [
            share(name, feeds, days[day].all, start, end)
            for (venue, _, name), feeds in by_channel(days[day].channels).items()
            if (venue, name) == (row["venue"], row["channel"])
        ]
        if shares:
            rows.append((row["cascade_id"], row["venue"], max(shares)))
    return pl.DataFrame(rows, {"cascade_id": pl.String, "venue": pl.String, "exact": pl.Float64}, orient="row")


def _settled(warehouse: Lake) -> datetime:
    """Return up to when it is known what is missing: as far as `feed_coverage` is kept."""
    row = warehouse.connection.execute("SELECT max(until) FROM coverage_progress").fetchone()
    return row[0] if row and row[0] else NEVER
