"""What the charts of the page draw over time and /v1 has no path for: one query each."""

from operator import itemgetter
from typing import Any

from pipelines.serve.page.lately import Lately
from pipelines.serve.page.spans import HOUR, Span
from warehouse.lake import Lake
from warehouse.query import run

_LIQUIDATED_NOW = """
SELECT
    time_bucket(to_seconds($bar_s), ts_event) AS bar, position_side, sum(notional_usd) AS usd, count(*) AS count,
    count(*) - count(notional_usd) AS unpriced, max(notional_usd) AS largest_usd, classes(completeness) AS completeness,
    string_agg(DISTINCT venue, ', ' ORDER BY venue) AS venues
FROM liquidations_filled_in
WHERE ts_event >= $since AND ts_event <= $until AND ($base = '' OR base = $base)
GROUP BY ALL ORDER BY bar, position_side
"""
_LIQUIDATED_THEN = """
SELECT
    time_bucket(to_seconds($bar_s), {time}) AS bar, position_side, sum(usd) AS usd, sum(count)::BIGINT AS count,
    sum(unpriced)::BIGINT AS unpriced, max(largest_usd) AS largest_usd, classes(completeness) AS completeness,
    string_agg(DISTINCT venue, ', ' ORDER BY venue) AS venues
FROM {table}
WHERE {time} >= $since AND {time} <= $until AND ($base = '' OR base = $base)
GROUP BY ALL ORDER BY bar, position_side
"""
_FUNDING = """
SELECT
    time_bucket(to_seconds($bar_s), f.ts_event) AS bar, f.venue,
    avg(f.funding_rate * 8 / nullif(coalesce(f.interval_hours, i.interval_hours), 0)) AS rate_8h
FROM funding_rates AS f
JOIN instruments_as_of AS i ON f.venue = i.venue AND f.symbol = i.symbol AND i.is_current
WHERE f.ts >= $since AND f.ts <= $until AND f.ts_event <= $until AND f.base = $base AND i.contract = 'linear'
GROUP BY ALL
UNION ALL
SELECT time_bucket(to_seconds($bar_s), h.ts_event) AS bar, h.venue, avg(h.rate_8h) AS rate_8h
FROM funding_history AS h
WHERE h.ts_event >= $since AND h.ts_event <= $until AND h.base = $base
    AND NOT EXISTS (
        FROM funding_rates AS f WHERE f.ts >= $since AND f.ts <= $until AND f.base = $base AND f.venue = h.venue
            AND f.ts < h.ts_event + INTERVAL 1 HOUR)
GROUP BY ALL
"""
_INTEREST = """
SELECT time_bucket(to_seconds($bar_s), bar) AS bar_start, arg_max(oi_usd, bar) AS oi_usd, arg_max(oi_base, bar) AS oi_base,
    arg_max(venues, bar) AS venues, arg_max(contracts, bar) AS contracts
FROM open_interest_history($base, '{hours} hours', '{since}')
GROUP BY bar_start
ORDER BY bar_start
"""
_INTEREST_NOW = """
SELECT as_of() AS bar_start, oi_usd, oi_base, venues, contracts
FROM open_interest_by_coin WHERE base = $base AND oi_usd IS NOT NULL
"""
_RATIOS = """
SELECT time_bucket(to_seconds($bar_s), ts_event) AS bar, venue, kind, avg(ratio) AS ratio
FROM long_short_ratios
WHERE ts_event >= $since AND ts_event <= $until AND base = $base AND ratio IS NOT NULL AND kind <> 'taker'
GROUP BY ALL ORDER BY bar, venue, kind
"""
_LARGE = """
SELECT ts_event, venue, position_side, notional_usd, price FROM liquidations_filled_in
WHERE ts_event >= $since AND ts_event <= $until AND base = $base AND notional_usd >= $least
ORDER BY notional_usd DESC LIMIT $number
"""
_LEAST = """
SELECT min(largest_usd) FROM (
    SELECT largest_usd FROM liquidations_1h
    WHERE hour >= $since AND hour <= $until - INTERVAL 1 HOUR AND base = $base AND largest_usd IS NOT NULL
    ORDER BY largest_usd DESC LIMIT $number
) HAVING count(*) = $number
"""
"""So many liquidations are at least so large, as each of so many hours of a contract has one; others need not be looked at."""
_HEARD = """
SELECT
    hour, venue, channel, transport, any_value(carries_liquidations) AS carries_liquidations, count(*) AS minutes,
    avg(connected_share) AS connected_share, count(*) FILTER (state = 'SUSPECT') AS minutes_suspect,
    count(*) FILTER (state = 'SILENT' AND connected_share > 0) AS minutes_silent,
    mode(coalesce(gap_reason, state_reason)) FILTER (connected_share < 1 OR state <> 'LIVE') AS reason,
    bool_or(coalesce(repaired, false)) AS repaired
FROM feed_coverage
WHERE hour >= $since AND hour <= $until AND minute <= $until
GROUP BY ALL ORDER BY venue, carries_liquidations DESC, channel, transport, hour
"""
_LAG = """
SELECT
    kafka_topic, max(ts_commit) AS last_commit, max(appended_last) AS last_record,
    date_diff('second', max(appended_last), as_of()) AS age_s,
    quantile_cont(epoch(ts_commit - appended_last), 0.5) FILTER (ts_commit > as_of() - INTERVAL 1 HOUR) AS lag_s,
    max(epoch(ts_commit - appended_last)) FILTER (ts_commit > as_of() - INTERVAL 1 HOUR) AS lag_most_s,
    coalesce(sum(frames) FILTER (ts_commit > as_of() - INTERVAL 1 HOUR), 0)::BIGINT AS frames_1h,
    coalesce(sum(dead_letters) FILTER (ts_commit > as_of() - INTERVAL 1 HOUR), 0)::BIGINT AS dead_letters_1h
FROM ingest_commits
WHERE ts_commit > as_of() - INTERVAL 2 DAYS AND ts_commit <= as_of()
GROUP BY kafka_topic ORDER BY kafka_topic
"""
_COINS = """
SELECT i.base, coalesce(l.usd, 0) AS usd
FROM (SELECT DISTINCT base FROM instruments_as_of WHERE is_current AND base IS NOT NULL) AS i
LEFT JOIN (
    SELECT base, sum(usd) AS usd FROM liquidations_1h
    WHERE hour > as_of() - INTERVAL 7 DAYS AND hour <= as_of() GROUP BY base
) AS l ON i.base = l.base
ORDER BY usd DESC, i.base LIMIT 3000
"""
_BY_THE_ROW = 25 * HOUR
"""Up to so long a time is added up from the liquidations themselves; a longer one from minutes or hours, which may be a minute
behind."""
LARGE = 12


def liquidated(lake: Lake, base: str, span: Span) -> list[dict[str, Any]]:
    """Return USD liquidated by bar and side, of a coin or (base empty) of all."""
    if span.until - span.since <= _BY_THE_ROW:
        return _rows(lake, _LIQUIDATED_NOW, base, span)
    table, time = ("liquidations_1m", "minute") if span.bar < HOUR else ("liquidations_1h", "hour")
    return _rows(lake, _LIQUIDATED_THEN.format(table=table, time=time), base, span)


def large(lake: Lake, base: str, span: Span) -> list[dict[str, Any]]:
    """Return the LARGE largest liquidations of a coin."""
    at = {"base": base, "since": span.since, "until": span.until, "number": LARGE}
    least = run(lake, _LEAST, at).frame().to_series()
    found = run(lake, _LARGE, at | {"least": least[0] if least.len() else 0.0}).frame().to_dicts()
    if len(found) < LARGE and least.len():  # rows were taken out, and the hours do not say so yet
        found = run(lake, _LARGE, at | {"least": 0.0}).frame().to_dicts()
    return found


def funding(lake: Lake, base: str, span: Span) -> list[dict[str, Any]]:
    """Return a coin's funding by bar and venue, for eight hours: running rates, before them what was paid."""
    return _rows(lake, f"FROM ({_FUNDING}) WHERE rate_8h IS NOT NULL ORDER BY bar, venue", base, span)


def interest(lake: Lake, base: str, span: Span, lately: Lately) -> list[dict[str, Any]]:
    """Return a coin's open interest over all venues, by the hour or the longer bar, and that of the moment.

    `contracts`: in the sum. Where their number changes, the step is not one of positions alone.
    """
    hours = max(1, int(span.bar / HOUR))
    query = _INTEREST.format(hours=hours, since=f"{span.since:%Y-%m-%d %H:00:00}")
    bars = run(lake, query, {"base": base, "bar_s": max(3600, int(span.bar.total_seconds()))}).frame().to_dicts()
    now = lately.get(("interest", base), lambda: run(lake, _INTEREST_NOW, {"base": base}).frame().to_dicts())
    return sorted(bars + now, key=itemgetter("bar_start"))


def ratios(lake: Lake, base: str, span: Span) -> list[dict[str, Any]]:
    """Return a coin's long/short ratios by bar, venue and kind."""
    return _rows(lake, _RATIOS, base, span)


def heard(lake: Lake, span: Span) -> list[dict[str, Any]]:
    """Return what was heard of each channel in each hour, and the most frequent reason where something was not."""
    return run(lake, _HEARD, {"since": span.since, "until": span.until}).frame().to_dicts()


def lag(lake: Lake) -> list[dict[str, Any]]:
    """Return of each Kafka topic how long records waited in the last hour until they were stored, and when the newest came."""
    return run(lake, _LAG).frame().to_dicts()


def coins(lake: Lake) -> list[str]:
    """Return the coins that are listed, those with the most liquidations of a week first."""
    return run(lake, _COINS).frame()["base"].to_list()


def _rows(lake: Lake, query: str, base: str, span: Span) -> list[dict[str, Any]]:
    at = {"base": base, "since": span.since, "until": span.until, "bar_s": int(span.bar.total_seconds())}
    return run(lake, query, at).frame().to_dicts()
