"""Is a stretch of time fit for a backtest: what was heard of each venue's liquidations, what is missing, and why."""

from datetime import datetime
from typing import Any

from pipelines.serve.brief import plain
from pipelines.serve.standing import iso
from warehouse import names
from warehouse.lake import Lake
from warehouse.query import run

FIT_SHARE = 0.999
SHOWN = 100
_COVERED = """
SELECT venue, channel, sum(connected_share) / $minutes AS coverage_share, count(*) AS minutes_measured,
    count(*) FILTER (state = 'SUSPECT') / $minutes AS suspect_share, count(*) FILTER (state = 'SILENT') AS minutes_silent,
    sum(saturated_seconds) / nullif(sum(contract_seconds), 0) AS saturated_share, coalesce(bool_or(repaired), false) AS repaired
FROM feed_coverage
WHERE carries_liquidations AND minute >= $since AND minute < $until AND ($venue = '' OR venue = $venue)
GROUP BY venue, channel ORDER BY venue, channel
"""
_GAPS = """
WITH missing AS (
    SELECT venue, channel, minute, coalesce(gap_reason, state_reason, 'unknown') AS reason, connected_share, repaired,
        minute - row_number() OVER (PARTITION BY venue, channel, coalesce(gap_reason, state_reason, 'unknown') ORDER BY minute)
            * INTERVAL 1 MINUTE AS run
    FROM feed_coverage
    WHERE carries_liquidations AND minute >= $since AND minute < $until AND connected_share < 1
        AND ($venue = '' OR venue = $venue)
)
SELECT venue, channel, min(minute) AS start, max(minute) + INTERVAL 1 MINUTE AS "end", reason,
    sum(1 - connected_share) * 60 AS missing_s, bool_and(coalesce(repaired, false)) AS repaired
FROM missing GROUP BY venue, channel, reason, run ORDER BY missing_s DESC, start, venue, channel
"""
_ROWS = """
SELECT venue, count(*) AS rows, count(*) FILTER (notional_usd IS NULL) / count(*) AS unpriced_share,
    count(*) FILTER (position_side IS NULL) / count(*) AS sideless_share, classes(completeness) AS completeness,
    min(ts_event) AS first, max(ts_event) AS last
FROM liquidations_filled_in
WHERE ts_event >= $since AND ts_event < $until AND ($instrument = '' OR instrument = $instrument)
    AND ($venue = '' OR venue = $venue)
GROUP BY venue ORDER BY venue
"""


def validate(lake: Lake, instrument: str, venue: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Return what is known of [since, until), a verdict and its reasons. Raises UnknownNameError.

    `fit`: every venue was heard for 99.9 % of the time, none was suspect, no feed is throttled, every row has price and side.
    """
    named = names.instrument(lake, instrument) if instrument else ""
    minutes = max((until - since).total_seconds() / 60, 1e-9)
    times = {"since": since, "until": until, "venue": venue}
    covered = _rows(lake, _COVERED, times | {"minutes": minutes})
    gaps = _rows(lake, _GAPS, times)
    rows = _rows(lake, _ROWS, times | {"instrument": named})
    reasons = [*_unheard(covered), *_unknown(rows)]
    return {
        "instrument": named or None, "venue": venue or None, "since": iso(since), "until": iso(until),
        "fit": not reasons, "reasons": reasons, "coverage": covered, "gaps": gaps[:SHOWN], "gaps_in_all": len(gaps),
        "liquidations": rows,
    }  # fmt: skip


def _rows(lake: Lake, query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    return [plain(row) for row in run(lake, query, given).frame().iter_rows(named=True)]


def _unheard(covered: list[dict[str, Any]]) -> list[str]:
    if not covered:
        return ["no feed of liquidations was measured in this time"]
    found = []
    for each in covered:
        feed = f"{each['venue']} {each['channel']}"
        if each["coverage_share"] < FIT_SHARE and not each["repaired"]:
            found.append(f"{feed} was heard {each['coverage_share']:.2%} of the time")
        if each["suspect_share"]:
            found.append(f"{feed} was suspect {each['suspect_share']:.2%} of the time: liquidations may be missing")
    return found


def _unknown(rows: list[dict[str, Any]]) -> list[str]:
    found = []
    for each in rows:
        if each["completeness"] != "all":
            found.append(f"{each['venue']} does not send every liquidation ({each['completeness']})")
        for name, what in (("unpriced_share", "no amount in USD"), ("sideless_share", "no side")):
            if each[name]:
                found.append(f"{each[name]:.2%} of the rows of {each['venue']} have {what}")
    return found
