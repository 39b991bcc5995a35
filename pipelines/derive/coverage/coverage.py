"""The rows of `feed_coverage`: how much of each minute each venue's channel was heard."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from collectors.topics import KLINE, LIQUIDATION
from pipelines.columns.schemas import as_table, empty
from pipelines.derive.coverage.sessions import Channel, Session, sessions
from pipelines.derive.coverage.shares import BEGAN, shares
from pipelines.derive.coverage.told import Feed
from pipelines.kept import NOT_KEPT
from pipelines.venues import PUSHED
from warehouse.lake import Lake
from warehouse.tables.frames import FRAMES_SOURCE

GIVEN_UP = timedelta(days=7)
"""A channel that was not heard for this long gets no more rows until it is heard again."""

FRAMES = f"""
SELECT venue, transport, channel, date_trunc('minute', ts_recv) AS minute, count(*) AS frames FROM raw_frames
WHERE ts_recv >= $since AND ts_recv < $until AND {FRAMES_SOURCE} = 'live'
GROUP BY ALL
"""
ROWS = """
WITH seconds AS (
    SELECT venue, completeness, symbol, date_trunc('second', ts_event) AS second, count(*) AS rows FROM liquidations
    WHERE ts_event >= $since::TIMESTAMP - INTERVAL 1 SECOND AND ts_event < $until::TIMESTAMP + INTERVAL 1 SECOND
        AND source = 'live'
    GROUP BY ALL
), marked AS (
    SELECT *, coalesce(lag(second) OVER w = second - INTERVAL 1 SECOND, false)
        OR coalesce(lead(second) OVER w = second + INTERVAL 1 SECOND, false) AS has_neighbour
    FROM seconds WINDOW w AS (PARTITION BY venue, symbol ORDER BY second)
)
SELECT venue, channel, date_trunc('minute', second) AS minute, sum(rows)::BIGINT AS rows, count(*) AS contract_seconds,
    count(*) FILTER (has_neighbour AND completeness <> 'all') AS saturated_seconds
FROM marked JOIN rules USING (venue, completeness)
WHERE second >= $since::TIMESTAMP AND second < $until::TIMESTAMP
GROUP BY ALL
"""
FILLED = """
SELECT DISTINCT venue, $topic AS topic, date_trunc('minute', ts_event) AS minute FROM {table}
WHERE ts_event >= $since AND ts_event < $until AND source IN ('backfill', 'import')
"""
BEFORE = """
SELECT venue, transport, channel, any_value(topic), max(minute) FILTER (connected_share > 0),
    arg_max(gap_reason, minute) FILTER (minute = $last)
FROM feed_coverage WHERE minute >= $since AND minute <= $last GROUP BY ALL HAVING max(minute) = $last
"""

CARRY_LIQUIDATIONS = {(rule.venue, rule.channel) for rule in PUSHED}
"""The channels that carry liquidations."""

Key = tuple[str, str, str]


def coverage(lake: Lake, since: datetime, until: datetime, settled: datetime) -> pl.DataFrame:
    """Return the rows of `feed_coverage` for [since, until), whole minutes UTC, a day at most, not judged yet.

    A channel has a row for each minute from that in which it was first listened to, until GIVEN_UP after the last; what
    went before `since` is taken from the rows stored. `settled`: what arrived before it is stored, or never will be.
    """
    found = sessions(lake, since, until, settled)
    rows: list[tuple[Any, ...]] = []
    before = _before(lake, since)
    channels = by_channel(found.channels)
    for key in sorted(channels.keys() | before.keys()):
        known = before.get(key)
        feeds = channels.get(key, {})
        topic = next((each.topic for each in feeds.values()), known[0] if known else "")
        carries = (key[0], key[2]) in CARRY_LIQUIDATIONS
        rows += ((*key, topic, carries, *each) for each in _minutes(key, feeds, found.all, known, since, until))
    of_channel = ["venue", "transport", "channel", "topic", "carries_liquidations"]
    names = [*of_channel, "minute", "connected_share", "gap_reason"]
    if not rows:
        return empty("feed_coverage")
    return as_table(_counted(lake, pl.DataFrame(rows, names, orient="row", infer_schema_length=None), since, until),
                    "feed_coverage")  # fmt: skip


def by_channel(feeds: Mapping[Feed, Mapping[str, Channel]]) -> dict[Key, dict[Feed, Channel]]:
    """Return of each channel (venue, transport, name) the feeds that it comes by."""
    found: dict[Key, dict[Feed, Channel]] = {}
    for feed, channels in feeds.items():
        for name, channel in channels.items():
            found.setdefault((feed.venue, feed.transport, name), {})[feed] = channel
    return found


def _before(lake: Lake, since: datetime) -> dict[Key, tuple[str, datetime | None, str | None]]:
    """Return the channels that have a row just before `since`: topic, when last heard, and the reason of that row's gap."""
    last = since - timedelta(minutes=1)
    rows = lake.connection.execute(BEFORE, {"since": since - GIVEN_UP, "last": last}).fetchall()
    return {(venue, transport, channel): tuple(rest) for venue, transport, channel, *rest in rows}


def _minutes(
    key: Key,
    feeds: Mapping[Feed, Channel],
    all_sessions: Iterable[Session],
    known: tuple[str, datetime | None, str | None] | None,
    since: datetime,
    until: datetime,
) -> Iterable[tuple[datetime, float, str | None]]:
    heard, reason = (known[1], known[2]) if known else (None, BEGAN)
    for each in shares(key[2], feeds, all_sessions, since, until):
        heard = each.minute if each.share > 0 else heard
        if heard is None or each.minute - heard > GIVEN_UP:
            continue
        reason = each.reason or reason
        yield each.minute, each.share, reason if each.share < 1 else None


def _counted(lake: Lake, minutes: pl.DataFrame, since: datetime, until: datetime) -> pl.DataFrame:
    run, told = lake.connection.execute, {"since": since, "until": until}
    frames = run(FRAMES, told).pl()
    rules = pl.DataFrame(sorted({(rule.venue, rule.channel, rule.completeness) for rule in PUSHED}),
                         ["venue", "channel", "completeness"], orient="row")  # fmt: skip
    lake.connection.register("rules", rules.to_arrow())
    try:
        rows = run(ROWS, told).pl().with_columns(carries_liquidations=pl.lit(True))
    finally:
        lake.connection.unregister("rules")
    filled = pl.concat(
        run(FILLED.format(table=table), {**told, "topic": topic}).pl()
        for table, topic in (("liquidations", LIQUIDATION), ("klines", KLINE))
    ).with_columns(filled=pl.lit(True))
    counts = ("rows", "contract_seconds", "saturated_seconds")
    return (
        minutes.with_columns(pl.col("gap_reason").cast(pl.String), pl.col("minute").cast(pl.Datetime("us")))
        .join(frames, on=["venue", "transport", "channel", "minute"], how="left")
        .join(rows, on=["venue", "channel", "minute", "carries_liquidations"], how="left")
        .join(filled, on=["venue", "topic", "minute"], how="left")
        .with_columns(
            pl.when(pl.col("topic").is_in(list(NOT_KEPT)) & pl.col("frames").is_null())
            .then(None).otherwise(pl.col("frames").fill_null(0)).alias("frames"),
            *(pl.when("carries_liquidations").then(pl.col(name).fill_null(0)).otherwise(0).cast(pl.Int64).alias(name)
              for name in counts),
            pl.col("filled").fill_null(False).alias("repaired"),
            pl.col("minute").dt.truncate("1h").alias("hour"),
            *(pl.lit(None).alias(name) for name in ("state", "state_reason", "silence_likelihood")),
        )
        .drop("filled")
    )  # fmt: skip
