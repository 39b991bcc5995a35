"""The liquidations that cascades are looked for in: read so far around a window that every run of them in it is whole."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from pipelines.derive.cascades.rules import Rule, Scope
from warehouse.lake import Lake

FIRST_LOOK = timedelta(hours=1)
FARTHEST_LOOK = timedelta(hours=24)  # a coin that was not quiet for gap_s in a day; the score has been at zero since
MOST_USD = 1e12  # above this an amount is no amount; such a row counts as unpriced

ROWS = """
CREATE OR REPLACE TEMP TABLE liq_cascade_rows AS
SELECT base, ts_event, venue, symbol, position_side, completeness,
       CASE WHEN notional_usd BETWEEN 0 AND {most} THEN round(notional_usd * 1e6)::BIGINT END AS micro_usd
FROM liquidations_filled_in
WHERE ts_event >= $since AND ts_event < $until AND base IS NOT NULL AND ($scope = 'all' OR completeness = 'all')
"""
INSTANTS = """
CREATE OR REPLACE TEMP TABLE liq_cascade_instants AS
WITH instants AS (
    SELECT base, ts_event, coalesce(sum(micro_usd), 0)::BIGINT AS micro_usd FROM liq_cascade_rows GROUP BY base, ts_event
), around AS (
    SELECT *, sum(micro_usd) OVER before - micro_usd AS usd_before, sum(micro_usd) OVER after - micro_usd AS usd_after
    FROM instants
    WINDOW before AS (PARTITION BY base ORDER BY ts_event RANGE BETWEEN to_microseconds($gap_us) PRECEDING AND CURRENT ROW),
        after AS (PARTITION BY base ORDER BY ts_event RANGE BETWEEN CURRENT ROW AND to_microseconds($gap_us) FOLLOWING)
), parted AS (
    SELECT *, usd_before < $quiet AND coalesce(lag(usd_after) OVER (PARTITION BY base ORDER BY ts_event), 0) < $quiet AS opens
    FROM around
)
SELECT base, ts_event, micro_usd, sum(opens::INT) OVER (PARTITION BY base ORDER BY ts_event)::BIGINT AS session FROM parted
"""
SESSIONS = """
SELECT base, session, min(ts_event) AS first, max(ts_event) AS last, sum(micro_usd)::BIGINT AS micro_usd
FROM liq_cascade_instants GROUP BY base, session
HAVING max(ts_event) + to_microseconds($gap_us) >= $since AND min(ts_event) - to_microseconds($gap_us) <= $until
ORDER BY base, session
"""


class Window(NamedTuple):
    """What is looked at: [since, until), as known at `now`; UTC."""

    since: datetime
    until: datetime
    now: datetime


def sessions(warehouse: Lake, window: Window, scope: Scope, rule: Rule) -> pl.DataFrame:
    """Read the liquidations around the window into temporary tables and return the sessions that touch it.

    A session ends where less than rule.min_usd were liquidated both in the rule.gap_s before what follows and in the gap_s
    after what was last; none is cut off by where reading began.
    Out: base, session, first, last, micro_usd (millionths of a USD); sorted by base, session. Left in the connection:
    liq_cascade_rows (a liquidation a row) and liq_cascade_instants (a coin and instant a row, with its session).
    """
    before = after = FIRST_LOOK
    while True:
        since, until = window.since - before, min(window.until + after, window.now)
        found = _read(warehouse, window, (since, until), scope, rule)
        early = before < FARTHEST_LOOK and (found["first"] < since + rule.gap).any()
        late = until < window.now and after < FARTHEST_LOOK and (found["last"] >= until - rule.gap).any()
        if not early and not late:
            return found
        before, after = before * (2 if early else 1), after * (2 if late else 1)


def _read(warehouse: Lake, window: Window, around: tuple[datetime, datetime], scope: Scope, rule: Rule) -> pl.DataFrame:
    run = warehouse.connection.execute
    run(ROWS.format(most=MOST_USD), {"since": around[0], "until": around[1], "scope": scope})
    gap = {"gap_us": int(rule.gap_s * 1_000_000)}
    run(INSTANTS, gap | {"quiet": int(rule.min_usd * 1_000_000)})
    return pl.DataFrame(run(SESSIONS, gap | {"since": window.since, "until": window.until}).to_arrow_table())


def close(warehouse: Lake) -> None:
    """Drop the temporary tables."""
    for name in ("liq_cascade_rows", "liq_cascade_instants"):
        warehouse.connection.execute(f"DROP TABLE IF EXISTS {name}")


def normal_minutes(warehouse: Lake, hour: datetime, scope: Scope, rule: Rule) -> dict[str, float]:
    """Return each coin's normal minute for cascades that begin in the hour at `hour`, USD rounded to cents.

    The median of the minutes with any USD in the `normal_days` that end an hour before `hour`, so that neither the cascade's
    own run-up nor a rollup that is a minute behind changes it. A coin with too few such minutes is left out.
    """
    end = hour - timedelta(hours=1)
    found = warehouse.connection.execute(
        """
        SELECT base, round(median(usd), 2) FROM (
            SELECT base, minute, sum(usd) AS usd FROM liquidations_1m
            WHERE minute >= $since AND minute < $until AND base IS NOT NULL AND ($scope = 'all' OR completeness = 'all')
            GROUP BY base, minute HAVING sum(usd) > 0)
        GROUP BY base HAVING count(*) >= $least
        """,
        {
            "since": end - timedelta(days=rule.normal_days),
            "until": end,
            "scope": scope,
            "least": rule.normal_least_minutes,
        },
    )
    return dict(found.fetchall())
