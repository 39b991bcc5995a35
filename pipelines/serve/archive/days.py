"""/v1/EXCHANGE/liquidations|derivative_ticker/YYYY/MM/DD/SYMBOL.csv.gz: a day of a contract in the archive's columns.

Days and order go by the exchange's clock: of what was fetched later we have no other. Prices and quantities are as the venue
sent them. A ticker has a row for each bucket of the grid, with what was known last before as long as nothing newer came.
"""

import csv
import gzip
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from pipelines.serve.archive.exchanges import DATASETS, Exchange
from pipelines.serve.given import bad, near, short
from pipelines.serve.problems import ProblemError
from pipelines.venues.tables import ARCHIVED
from warehouse.lake import Lake
from warehouse.query import run

ENDING = ".csv.gz"
_SYMBOLS = """
    SELECT DISTINCT symbol FROM instruments WHERE venue = $venue
    UNION SELECT DISTINCT symbol FROM liquidations WHERE venue = $venue
"""
_LIQUIDATIONS = """
    SELECT $exchange, symbol, ts_event, ts_recv, NULL, order_side, price_raw, qty_raw FROM liquidations
    WHERE venue = $venue AND symbol = $symbol AND ts_event >= $since AND ts_event < $until
    ORDER BY ts_event, event_key, occurrence
"""
_TICKERS = """
    WITH parts AS (
        SELECT ts, ts_event, ts_recv, funding_rate, next_funding_ts, NULL::DOUBLE AS oi, NULL::DOUBLE AS mark,
            NULL::DOUBLE AS idx
        FROM funding_rates WHERE venue = $venue AND symbol = $symbol AND ts >= $since AND ts < $until
        UNION ALL SELECT ts, ts_event, ts_recv, NULL, NULL, oi_raw, NULL, NULL
        FROM open_interest WHERE venue = $venue AND symbol = $symbol AND ts >= $since AND ts < $until AND period IS NULL
        UNION ALL SELECT ts, ts_event, ts_recv, NULL, NULL, NULL, mark_price * multiplier, index_price * multiplier
        FROM mark_prices WHERE venue = $venue AND symbol = $symbol AND ts >= $since AND ts < $until
    ), rows AS (
        SELECT ts, max(ts_event) AS ts_event, max(ts_recv) AS ts_recv, max(next_funding_ts) AS next_ts,
            max(funding_rate) AS rate, max(oi) AS oi, max(idx) AS idx, max(mark) AS mark
        FROM parts GROUP BY ts
    )
    SELECT $exchange, $symbol, ts_event, ts_recv, last_value(next_ts IGNORE NULLS) OVER so_far,
        last_value(rate IGNORE NULLS) OVER so_far, NULL, last_value(oi IGNORE NULLS) OVER so_far, NULL,
        last_value(idx IGNORE NULLS) OVER so_far, last_value(mark IGNORE NULLS) OVER so_far
    FROM rows WINDOW so_far AS (ORDER BY ts) ORDER BY ts
"""
_QUERIES = {"liquidations": _LIQUIDATIONS, "derivative_ticker": _TICKERS}


def day_of(year: str, month: str, day: str) -> date:
    """Return the day that a path names. Raises ProblemError, 404."""
    try:
        return datetime.strptime(f"{year}/{month}/{day}", "%Y/%m/%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise ProblemError(HTTPStatus.NOT_FOUND, "a day is YYYY/MM/DD") from None


def table(lake: Lake, one: Exchange, kind: str, day: date, file: str, now: datetime) -> bytes:
    """Return the day, gzipped. Raises ProblemError: 404 for what there is not, 400 for a day that is not over."""
    if kind not in DATASETS:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no data {short(kind)!r}; {near(kind, list(DATASETS))}")
    if not file.endswith(ENDING):
        raise ProblemError(HTTPStatus.NOT_FOUND, f"a file is SYMBOL{ENDING}")
    since = datetime(day.year, day.month, day.day, tzinfo=UTC).replace(tzinfo=None)
    if since + timedelta(days=1) > now:
        raise bad(f"{day} is not over")
    symbol = _symbol(lake, one, file.removesuffix(ENDING))
    given = {
        "exchange": one.id,
        "venue": one.venue.name,
        "symbol": symbol,
        "since": since,
        "until": since + timedelta(days=1),
    }
    return written(
        ARCHIVED[f"archive_{kind}"], (row for page in run(lake, _QUERIES[kind], given).records() for row in page)
    )


def written(columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Return rows as CSV, gzipped: times in microseconds since 1970, nothing where there is no value."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(columns)
    lines.writerows([_cell(value) for value in row] for row in rows)
    return gzip.compress(text.getvalue().encode(), 5, mtime=0)


def _symbol(lake: Lake, one: Exchange, given: str) -> str:
    """Return the contract that a file's name means: large, with - for : and /."""
    known = {str(row[0]) for page in run(lake, _SYMBOLS, {"venue": one.venue.name}).records() for row in page}
    spelled = {each.replace(":", "-").replace("/", "-").upper(): each for each in known if one.has(each)}
    if (found := spelled.get(given.upper())) is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, f"no contract {short(given)!r} of {one.id}; {near(given, sorted(spelled))}"
        )
    return found


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if isinstance(value, float):
        exact = float(f"{value:.15g}")  # no venue sends more digits; those beyond come of multiplying
        return repr(int(exact)) if exact.is_integer() and abs(exact) < 1e15 else repr(exact)
    return "" if value is None else value
