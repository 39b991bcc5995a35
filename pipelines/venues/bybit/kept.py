"""What Bybit's ticker sessions hold, known again out of the rows that they gave: a delta says only what changed."""

from typing import Any

from pipelines.venues.bybit.tickers import State, state
from pipelines.venues.venue import Kept

LIVE = (
    "venue = 'bybit' AND source = 'live' AND ts_event > $since AND ts_event <= coalesce($until, TIMESTAMP 'infinity')"
)

# Of two sessions of one symbol a bucket keeps the last row only, so rows do not name every session that heard it. All that
# are alive heard the same, so the newest row is of each of them, but of those without any, which have had no snapshot yet
LAST = f"""
WITH funding AS (
    SELECT symbol, arg_max({{'rate': funding_rate, 'next': epoch_ms(next_funding_ts), 'hours': interval_hours}}, ts_event) AS f
    FROM funding_rates WHERE {LIVE} GROUP BY ALL
), interest AS (
    SELECT symbol, arg_max({{'raw': oi_raw, 'unit': oi_unit, 'usd': oi_usd, 'base': oi_base}}, ts_event) AS o
    FROM open_interest WHERE {LIVE} AND period IS NULL GROUP BY ALL
), price AS (
    SELECT symbol, arg_max({{'mark': mark_price * multiplier, 'index': index_price * multiplier}}, ts_event) AS p
    FROM mark_prices WHERE {LIVE} GROUP BY ALL
), heard AS (
    SELECT session, max(recv_last) AS last FROM session_frames
    WHERE venue = 'bybit' AND kafka_topic = 'raw.ticker' AND recv_last > $since
        AND recv_first <= coalesce($until, TIMESTAMP 'infinity')
    GROUP BY session HAVING sum(frames_with_rows) > 0
), alive AS (
    SELECT session FROM heard QUALIFY last > max(last) OVER () - INTERVAL 1 HOUR
)
SELECT session, symbol, f, o, p
FROM funding FULL JOIN interest USING (symbol) FULL JOIN price USING (symbol) CROSS JOIN alive
"""

NEWEST = "SELECT max(ts_event) FROM mark_prices WHERE venue = 'bybit'"


def _state(
    symbol: str,
    funding: dict[str, float | None] | None,
    interest: dict[str, Any] | None,
    price: dict[str, float | None] | None,
) -> State:
    funding, interest, price = funding or {}, interest or {}, price or {}
    value = interest.get("base" if interest.get("unit") == "usd" else "usd")
    return state(
        symbol,
        fundingRate=funding.get("rate"), nextFundingTime=funding.get("next"), fundingIntervalHour=funding.get("hours"),
        openInterest=interest.get("raw"), openInterestValue=None if value is None else 2 * value,
        markPrice=price.get("mark"), indexPrice=price.get("index"),
    )  # fmt: skip


TICKERS = Kept(LAST, NEWEST, _state)
