"""The price of a coin in bars: trade candles of its most traded contract, and the venue's marks from where they end on."""

from http import HTTPStatus
from typing import Any, NamedTuple

from pipelines.serve.page.lately import Lately
from pipelines.serve.page.spans import Span, seconds
from pipelines.serve.problems import ProblemError
from warehouse.lake import Lake, quoted
from warehouse.query import run


class Contract(NamedTuple):
    """One contract at one venue."""

    venue: str
    symbol: str
    instrument: str


_CONTRACTS = """
SELECT c.venue, c.symbol, c.instrument, coalesce(p.usd, 0) AS volume_usd
FROM instruments_as_of AS c
LEFT JOIN (
    SELECT venue, symbol, sum(volume_quote) AS usd FROM prices_1h
    WHERE hour > $until - INTERVAL 48 HOURS AND hour <= $until GROUP BY ALL
) AS p USING (venue, symbol)
WHERE c.is_current AND c.base = $base AND c.kind = 'perpetual' AND c.instrument IS NOT NULL
    AND list_contains(dollars(), c.quote)
ORDER BY volume_usd DESC, c.instrument LIKE '%/USDT:USDT' DESC, c.venue, c.symbol
"""
_TRADED = """
SELECT bar, "open", high, low, "close", volume_usd, CASE WHEN closed THEN bar_end ELSE least(last_minute, bar_end) END AS known
FROM price_bars({named}, '{minutes} minutes', '{since}')
WHERE venue = $venue AND symbol = $symbol AND bar >= $since AND bar <= $until ORDER BY bar
"""
_MARKED = """
SELECT
    time_bucket(to_minutes($minutes), ts_event) AS bar, arg_min(mark_price, ts_event) AS "open", max(mark_price) AS high,
    min(mark_price) AS low, arg_max(mark_price, ts_event) AS "close"
FROM mark_prices
WHERE ts >= $from AND ts <= $until AND ts_event >= $from AND ts_event <= $until
    AND venue = $venue AND symbol = $symbol AND mark_price > 0
GROUP BY bar ORDER BY bar
"""


def contracts(lake: Lake, base: str, span: Span) -> list[Contract]:
    """Return a coin's perpetuals that are quoted in dollars, the most traded of the last two days first."""
    found = run(lake, _CONTRACTS, {"base": base, "until": span.until}).frame()
    return [Contract(*row) for row in found.select("venue", "symbol", "instrument").iter_rows()]


def candles(lake: Lake, base: str, span: Span, venue: str, lately: Lately) -> dict[str, Any]:
    """Return the bars of a coin's most traded contract, at `venue` if that is given; the connection's as_of is set.

    bars: [seconds since 1970, open, high, low, close, volume in USD or null, whether from marks]. Raises ProblemError where
    the coin has no such contract.
    """
    known = lately.get(("contracts", base), lambda: contracts(lake, base, span))
    chosen = [each for each in known if venue in ("", each.venue)]
    if not chosen:
        where = f" at {venue}" if venue else ""
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no perpetual of {base} quoted in dollars is listed{where}")
    bars = _bars(lake, chosen[0], span)
    for other in chosen[1:4]:
        if bars:
            break
        bars, chosen = _bars(lake, other, span), [other]
    kinds = sorted({"mark" if bar[6] else "trade" for bar in bars})
    return {
        "contract": chosen[0]._asdict(), "bar_s": int(span.bar.total_seconds()), "bars": bars, "price_kinds": kinds,
        "venues": sorted({each.venue for each in known}),
    }  # fmt: skip


def _bars(lake: Lake, contract: Contract, span: Span) -> list[list[Any]]:
    minutes = int(span.bar.total_seconds() // 60)
    at = {"venue": contract.venue, "symbol": contract.symbol, "until": span.until}
    query = _TRADED.format(named=quoted(contract.instrument), minutes=minutes, since=f"{span.since:%Y-%m-%d %H:%M:%S}")
    traded = run(lake, query, at | {"since": span.since}).frame().rows()
    known = traded[-1][6] if traded else span.since
    marked = run(lake, _MARKED, at | {"from": known, "minutes": minutes}).frame().rows()
    bars = [[seconds(bar), *prices, usd, False] for bar, *prices, usd, _ in traded]
    if traded and marked and marked[0][0] == traded[-1][0]:
        bars[-1] = _gone_on(bars[-1], marked.pop(0))
    return bars + [[seconds(bar), *prices, None, True] for bar, *prices in marked]


def _gone_on(bar: list[Any], marked: tuple[Any, ...]) -> list[Any]:
    """Return a bar that still ran when its last candle came, with the marks since."""
    at, opened, high, low, _, usd, _ = bar
    return [at, opened, max(high, marked[2]), min(low, marked[3]), marked[4], usd, True]
