"""One coin in one document: what was liquidated, what is open, what is paid, where the next liquidations lie, and how far to
trust each part."""

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipelines.serve.standing import Standing, iso
from warehouse import names
from warehouse.lake import Lake
from warehouse.query import run

PARTS: dict[str, str] = {
    "liquidations": """FROM liquidation_totals_by_coin WHERE base = $base ORDER BY hours""",
    "open_interest": """FROM open_interest_by_coin WHERE base = $base""",
    "open_interest_change": """FROM open_interest_change_by_coin WHERE base = $base ORDER BY hours""",
    "funding": """FROM funding_oi_weighted WHERE base = $base""",
    "long_short": """SELECT venue, symbol, kind, period, ratio, long_share, ts_event, age_s FROM long_short_current
        WHERE base = $base QUALIFY row_number() OVER (
            PARTITION BY venue, kind ORDER BY age_s, instrument IS DISTINCT FROM $base || '/USDT:USDT', symbol) = 1
        ORDER BY venue, kind""",
    "rsi": """SELECT venue, symbol, interval, rsi, rsi_now, close, bar, settled, bars_missing FROM rsi_current
        WHERE base = $base AND rsi IS NOT NULL QUALIFY dense_rank() OVER (ORDER BY venue, symbol) = 1""",
    "clusters": """SELECT position_side, price_low, price_high, peak_price, usd_estimated, distance, price_now, age_s,
        freshness, score_verdict, score_rank_correlation, score_beats_nulls FROM liquidation_clusters WHERE base = $base
        QUALIFY row_number() OVER (PARTITION BY position_side ORDER BY abs(distance)) <= 3 ORDER BY abs(distance)""",
    "max_pain": """FROM liquidation_max_pain WHERE base = $base ORDER BY range_pct""",
    "stress": """FROM market_stress WHERE base = $base""",
    "cascades": """SELECT ts_start, ts_end, position_side, usd, count, seconds, move, market_wide, closed, venues, completeness,
        lower_bound, coverage_share FROM cascades_recent WHERE base = $base AND ts_start > as_of() - INTERVAL 1 DAY
        ORDER BY ts_start DESC LIMIT 10""",
}
"""The parts and their queries."""
ONE = ("open_interest", "funding", "stress")
"""Parts with one row at most."""


def brief(lake: Lake, given: str, as_of: datetime, standing: Standing) -> dict[str, Any]:
    """Return the document of a coin; the connection's as_of is set. Raises UnknownNameError for what is no coin here.

    A part of which nothing is known is null. Money is in USD, shares are fractions of 1, times are UTC.
    """
    base = names.coin(lake, given)
    found: dict[str, Any] = {"base": base, **standing.dated(as_of)}
    for name, query in PARTS.items():
        rows = [plain(row) for row in run(lake, query, {"base": base}).frame().iter_rows(named=True)]
        found[name] = (rows[0] if rows else None) if name in ONE else rows or None
    return found | {"trust": _trust(found, standing), "venues": _venues(found["liquidations"], standing)}


def _trust(found: Mapping[str, Any], standing: Standing) -> dict[str, str]:
    """Say in a sentence how far each part can be trusted."""
    said = {
        "liquidations": _of_liquidations(found["liquidations"]),
        "open_interest": _of_open_interest(found["open_interest"]),
        "clusters": _of_clusters(found["clusters"]),
        "cascades": _of_cascades(found["cascades"]),
    }
    if found["age_s"] is None or found["age_s"] > 60:
        said["all"] = "STALE: nothing was stored for a minute or more" if standing.data_to else "nothing was stored yet"
    return said


def _of_liquidations(rows: list[dict[str, Any]] | None) -> str:
    if not rows:
        return "unknown: no liquidation of this coin is stored for the last 24 hours"
    day = rows[-1]
    heard = "not measured" if day["coverage_share"] is None else f"{day['coverage_share']:.1%} of the time"
    bound = {True: "at least so much", False: "whole", None: "not known whether whole"}[day["lower_bound"]]
    return f"{bound}; the feeds were heard {heard} in {day['hours']} hours; feeds: {day['completeness']}"


def _of_open_interest(row: dict[str, Any] | None) -> str:
    if row is None:
        return "unknown: no open interest of this coin is stored"
    left = f"; left out: {row['venues_left_out']}" if row["venues_left_out"] else ""
    return f"{row['contracts']} contracts of {row['venues']}, the oldest value {row['oldest_age_s']} s old{left}"


def _of_clusters(rows: list[dict[str, Any]] | None) -> str:
    if not rows:
        return "unknown: no map of this coin that is young enough"
    return f"an estimate, {rows[0]['freshness']}, its score: {rows[0]['score_verdict']}"


def _of_cascades(rows: list[dict[str, Any]] | None) -> str:
    if not rows:
        return "none found in 24 hours; in time that was not heard there may have been some"
    return "at least so much" if any(row["lower_bound"] for row in rows) else "whole"


def _venues(rows: list[dict[str, Any]] | None, standing: Standing) -> list[str]:
    return rows[-1]["venues"].split(", ") if rows and rows[-1]["venues"] else sorted(standing.venues)


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it: times as text in UTC, no NaN and no infinity."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value.replace(tzinfo=None))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
