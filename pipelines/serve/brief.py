"""One coin in one document: what was liquidated, what is open, what is paid, where the next liquidations lie, and how far to
trust each part."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipelines.serve import standing as standings
from pipelines.serve.standing import Standing, iso
from warehouse import names
from warehouse.lake import Lake, quoted
from warehouse.query import run

PARTS: dict[str, str] = {
    "liquidations": """FROM liquidation_totals_by_coin WHERE {of} ORDER BY hours""",
    "open_interest": """FROM open_interest_by_coin WHERE {of}""",
    "open_interest_change": """FROM open_interest_change_by_coin WHERE {of} ORDER BY hours""",
    "funding": """FROM funding_oi_weighted WHERE {of}""",
    "long_short": """SELECT base, venue, symbol, kind, period, ratio, long_share, ts_event, age_s FROM long_short_current
        WHERE {of} AND {contracts} QUALIFY row_number() OVER (
            PARTITION BY base, venue, kind ORDER BY age_s, instrument IS DISTINCT FROM base || '/USDT:USDT', symbol) = 1
        ORDER BY venue, kind""",
    "rsi": """SELECT base, venue, symbol, interval, rsi, rsi_now, close, bar, settled, bars_missing FROM rsi_current
        WHERE {of} AND {contracts} AND rsi IS NOT NULL
        QUALIFY dense_rank() OVER (PARTITION BY base ORDER BY venue, symbol) = 1""",
    "clusters": """SELECT base, position_side, price_low, price_high, peak_price, usd_estimated, distance, price_now, age_s,
        freshness, score_verdict, score_rank_correlation, score_beats_nulls FROM liquidation_clusters WHERE {of}
        QUALIFY row_number() OVER (PARTITION BY base, position_side ORDER BY abs(distance)) <= 3 ORDER BY abs(distance)""",
    "max_pain": """FROM liquidation_max_pain WHERE {of} ORDER BY range_pct""",
    "stress": """FROM market_stress WHERE {of}""",
    "cascades": """SELECT base, ts_start, ts_end, position_side, usd, count, seconds, move, market_wide, closed, venues,
        completeness, lower_bound, coverage_share FROM cascades_recent WHERE {of} AND ts_start > as_of() - INTERVAL 1 DAY
        QUALIFY row_number() OVER (PARTITION BY base ORDER BY ts_start DESC) <= 10 ORDER BY ts_start DESC""",
}
"""The parts and their queries. `of` says of which coins; `contracts` of which symbols: where a view knows the coin only after
its sums, symbols still leave files out. Of one coin of 250 the RSI takes a sixth of the time."""
_CONTRACTS = "SELECT DISTINCT symbol FROM instruments WHERE {of}"
ONE = ("open_interest", "funding", "stress")
"""Parts with one row at most."""
UNASKED = ("long_short", "rsi", "clusters", "cascades")
"""Parts whose rows do not name the coin again."""
STALE_S = 60
Document = dict[str, Any]


def briefs(lake: Lake, given: Sequence[str], as_of: datetime, standing: Standing) -> dict[str, Document]:
    """Return the document of each coin; the connection's as_of is set. Raises UnknownNameError for what is no coin here.

    Each query is made once for all coins: most of its time goes into planning it. A part of which nothing is known is null.
    Money is in USD, shares are fractions of 1, times are UTC.
    """
    bases = {each: names.coin(lake, each) for each in given}
    of = f"base IN ({_listed(set(bases.values()))})"
    symbols = [row[0] for row in lake.connection.execute(_CONTRACTS.format(of=of)).fetchall()]
    contracts = f"symbol IN ({_listed(symbols) or quoted('')})"
    parts: dict[str, dict[str, list[Document]]] = {}
    for name, query in PARTS.items():
        by_coin = parts[name] = {}
        for row in run(lake, query.format(of=of, contracts=contracts)).frame().iter_rows(named=True):
            base = row.pop("base") if name in UNASKED else row["base"]
            by_coin.setdefault(base, []).append(plain(row))
    return {each: _document(base, parts, as_of, standing) for each, base in bases.items()}


def brief(lake: Lake, given: str, as_of: datetime, standing: Standing) -> Document:
    """Return the document of one coin, as `briefs`."""
    return briefs(lake, [given], as_of, standing)[given]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in sorted(names))


def aged(document: Document, now: datetime) -> Document:
    """Return a document that was made a while ago, with its age as of `now`."""
    found = standings.aged(document, now)
    return found | {"trust": document["trust"] | _stale(found)}


def _document(
    base: str, parts: Mapping[str, Mapping[str, list[Document]]], as_of: datetime, standing: Standing
) -> Document:
    found: Document = {"base": base, **standing.dated(as_of)}
    for name, by_coin in parts.items():
        rows = by_coin.get(base)
        found[name] = rows[0] if rows and name in ONE else rows
    return found | {"trust": _trust(found), "venues": _venues(found["liquidations"], standing)}


def _trust(found: Mapping[str, Any]) -> dict[str, str]:
    """Say in a sentence how far each part can be trusted."""
    return {
        "liquidations": _of_liquidations(found["liquidations"]),
        "open_interest": _of_open_interest(found["open_interest"]),
        "clusters": _of_clusters(found["clusters"]),
        "cascades": _of_cascades(found["cascades"]),
    } | _stale(found)


def _stale(found: Mapping[str, Any]) -> dict[str, str]:
    if found["age_s"] is None:
        return {"all": "nothing was stored yet"}
    return {"all": "STALE: nothing was stored for a minute or more"} if found["age_s"] > STALE_S else {}


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
