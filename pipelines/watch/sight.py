"""What is read from the lake for the page, read-only: the light things each second, the others as seldom as they are dear."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from pipelines.row_settings import grid_s
from warehouse import query
from warehouse.lake import Lake

Rows = Sequence[dict[str, Any]]

RECENT = """
SELECT ts_event, venue, coalesce(base, symbol) AS base, position_side, notional_usd AS usd, price, completeness
FROM liquidations WHERE ts_event > $now::TIMESTAMP - INTERVAL 1 MINUTE AND ts_event <= $now::TIMESTAMP + INTERVAL 1 MINUTE
    AND source = 'live'
ORDER BY ts_event DESC
"""
HEARD = """
SELECT venue, CASE WHEN kafka_topic = 'raw.liquidation' THEN 'liquidations' ELSE 'market' END AS what,
    max(recv_last) AS newest, max(ts_commit) AS committed,
    coalesce(sum(frames) FILTER (ts_commit > $now::TIMESTAMP - INTERVAL 10 SECOND), 0)::BIGINT AS frames
FROM session_frames
WHERE ts_commit > $now::TIMESTAMP - INTERVAL 30 MINUTE AND source = 'live'
GROUP BY ALL
"""
PRICES = """
WITH newest AS (
    SELECT base, venue, max(ts_event) AS ts, arg_max(mark_price, ts_event) AS price,
        arg_min(mark_price, ts_event) AS before
    FROM mark_prices
    WHERE ts > $now::TIMESTAMP - INTERVAL 1 HOUR AND mark_price > 0 AND list_contains(dollars(), quote)
        AND base IN (SELECT unnest($bases)) AND source = 'live'
    GROUP BY ALL
), filled AS (
    SELECT base, venue, max(ts_event) AS ts, arg_max(price, ts_event) AS price FROM liquidations
    WHERE ts_event > $now::TIMESTAMP - INTERVAL 1 HOUR AND ts_event <= $now::TIMESTAMP
        AND price_kind IN ('fill_average', 'mark') AND list_contains(dollars(), quote)
        AND base IN (SELECT unnest($bases)) AND source = 'live'
    GROUP BY ALL
), prices AS (
    SELECT base, ts, price, before FROM newest
    UNION ALL
    SELECT f.base, f.ts, f.price, m.before FROM filled AS f LEFT JOIN newest AS m ON m.base = f.base AND m.venue = f.venue
)
SELECT base, arg_max(price, ts) AS price, arg_max(price / before - 1, ts) AS move, max(ts) AS ts FROM prices GROUP BY base
"""
"""The newest price of each coin that says what is traded: a mark, or what a liquidation was filled at."""
LAST = """
SELECT ts_event, venue, coalesce(base, symbol) AS base, position_side, notional_usd AS usd, price, completeness
FROM liquidations_filled_in WHERE ts_event > $now::TIMESTAMP - INTERVAL 24 HOUR AND ($least = 0 OR notional_usd >= $least)
    AND ($base IS NULL OR base = $base) AND ($venue IS NULL OR venue = $venue)
ORDER BY {by} DESC NULLS LAST LIMIT 40
"""
CASCADES = """
SELECT ts_start, ts_end, base, position_side, usd, seconds, move, venues, lower_bound, coverage_share, closed
FROM cascades_recent WHERE $base IS NULL OR base = $base ORDER BY ts_start DESC, usd DESC LIMIT 40
"""
STATES = "SELECT venue, channel, state, since, reason, measured_until FROM feed_states"
GAPS = """
SELECT venue, count(*) AS channels, any_value(gap_reason) AS reason, min(connected_share) AS share FROM (
    SELECT venue, channel, transport, arg_max(connected_share, minute) AS connected_share,
        arg_max(gap_reason, minute) AS gap_reason
    FROM feed_coverage WHERE minute > $now::TIMESTAMP - INTERVAL 10 MINUTE GROUP BY ALL)
WHERE connected_share < 1 AND gap_reason IS DISTINCT FROM 'collection began' GROUP BY venue
"""
HOURS = (1, 4, 12, 24)
TOTALS = """
SELECT
    hours, base, venue, sum(usd) AS usd, coalesce(sum(usd) FILTER (position_side = 'long'), 0) AS long_usd,
    sum(complete_usd) AS complete_usd, sum(count)::BIGINT AS count, max(largest_usd) AS largest_usd,
    CASE WHEN bool_or(lower_bound) THEN true WHEN count(lower_bound) = count(*) THEN false END AS lower_bound,
    any_value(coverage_share) AS coverage_share
FROM liquidation_totals GROUP BY hours, base, venue
"""
"""One statement, so that every window ends at the same moment and commit: an hour is never more than the day around it."""
STRESS = """
SELECT scope, score, parts, liquidations, imbalance, oi_flush, funding, volatility FROM market_stress
WHERE base IS NOT DISTINCT FROM $base AND scope = CASE WHEN $base IS NULL THEN 'market' ELSE 'coin' END
"""
TICKER = ("BTC", "ETH", "SOL", "XRP", "BNB", "DOGE", "ADA", "HYPE", "LINK", "AVAX", "SUI", "PEPE")


COINS = 60


class Quick(NamedTuple):
    """Read each second. recent: the liquidations of the last minute; heard: of each venue, what came last."""

    at: datetime
    recent: pl.DataFrame
    heard: Rows


class Slow(NamedTuple):
    """Read as seldom as it costs. totals: of `HOURS`, a row for each coin and venue; last, largest, cascades: as chosen."""

    at: datetime
    totals: Rows
    last: Rows
    largest: Rows
    cascades: Rows
    states: Rows
    gaps: Rows
    prices: Rows
    stress: Rows
    grid_s: int


def quick(lake: Lake) -> Quick:
    """Read what is light. Raises QueryError."""
    now = utc_now()
    return Quick(now, query.run(lake, RECENT, {"now": now}).frame(), _rows(lake, HEARD, now=now))


def slow(lake: Lake, base: str | None, venue: str | None, least: float = 0.0) -> Slow:
    """Read the rest, of one coin and venue where they are chosen, of liquidations those of `least` USD. Raises QueryError."""
    now = utc_now()
    chosen = {"base": base, "venue": venue}
    totals = _rows(lake, TOTALS)
    return Slow(
        at=now,
        totals=totals,
        last=_rows(lake, LAST.format(by="ts_event"), now=now, least=least, **chosen),
        largest=_rows(lake, LAST.format(by="usd"), now=now, least=0.0, **chosen),
        cascades=_rows(lake, CASCADES, base=base),
        states=_rows(lake, STATES),
        gaps=_rows(lake, GAPS, now=now),
        prices=_rows(lake, PRICES, now=now, bases=_bases(totals)),
        stress=_rows(lake, STRESS, base=base),
        grid_s=grid_s(lake),
    )


def _bases(totals: Rows) -> list[str]:
    """Return the coins whose prices may be shown: those of the tape, and those of which the most was liquidated."""
    most = sorted((row for row in totals if row["base"]), key=lambda row: -(row["usd"] or 0.0))
    return list(dict.fromkeys([*TICKER, *(row["base"] for row in most)]))[:COINS]


def utc_now() -> datetime:
    """Return what time it is, UTC without a zone as in the lake."""
    return datetime.now(UTC).replace(tzinfo=None)


def _rows(lake: Lake, sql: str, **given: Any) -> Rows:
    return query.run(lake, sql, given).frame().to_dicts()
