"""Market state for the benchmark lake: 700 contracts, a row a minute of each, and longer bars.

Funding, open interest and mark prices reach as far back as is asked, candles and ratios two days. The last day is stored an
hour at a time with the tables' small files joined after each, as the flow `maintain` leaves it: files of a megabyte or more
beside small fresh ones. Each day before is one file a table.
"""

from datetime import datetime, timedelta

import duckdb

from warehouse.compact import compact
from warehouse.lake import Lake
from warehouse.tables import TABLES

CONTRACTS = 700
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_LISTED = """
CREATE OR REPLACE TEMP TABLE made_listed AS
SELECT *, base || '/' || quote || ':' || settle AS instrument FROM (
    SELECT *, CASE WHEN inverse THEN 'USD' ELSE 'USDT' END AS quote,
        CASE WHEN inverse THEN 'inverse' ELSE 'linear' END AS contract,
        CASE WHEN symbol LIKE '1000%' THEN 1000 ELSE 1 END AS multiplier
    FROM (
        SELECT number, venue, symbol, base, settle, inverse, mid, size FROM made_contracts
        UNION ALL
        SELECT n, (['binance', 'bybit', 'okx'])[n % 3 + 1], 'COIN' || n // 3 || 'USDT', 'COIN' || n // 3, 'USDT', false,
            10.0, 0.0
        FROM range((SELECT count(*) FROM made_contracts), {contracts}) AS t(n)))
"""
_INSTRUMENTS = """
INSERT INTO instruments BY NAME
SELECT venue, symbol, instrument, base, quote, settle, contract, 'perpetual' AS kind,
    CASE WHEN size > 0 THEN size ELSE 1 END AS contract_size, multiplier, 8.0 AS interval_hours,
    TIMESTAMP '{first}' AS valid_from, TIMESTAMP '{first}' AS ts_recv
FROM made_listed
"""
# a price that wanders: `moment` is the time
_PRICE = "round(mid * (1 + 0.02 * sin(epoch(moment) / 9000 + number) + (hash(moment, number) % 1000) / 1e6), 4)"
_ROWS = """
INSERT INTO {table} BY NAME
SELECT venue, symbol, instrument, base, quote, settle, moment AS {time}, {values}
FROM range(TIMESTAMP '{since}', TIMESTAMP '{until}', INTERVAL {step}) AS t(moment), made_listed
WHERE {rows}
ORDER BY venue, symbol, moment
"""
_SEEN = "moment + INTERVAL 59 SECONDS AS ts_event, ts_event AS ts_recv, 'live' AS source"
_BAR = (
    f'{_PRICE} AS "open", round("open" * 1.002, 4) AS high, round("open" * 0.998, 4) AS low, '
    'round("open" * 1.0007, 4) AS "close", 1e3 + hash(moment, number) % 9999 AS volume_base, '
    'volume_base * "close" AS volume_quote, volume_base / 2 AS taker_buy_base, 100 AS trades, true AS closed'
)
MINUTES = {
    "funding_rates": (
        "ts",
        f"{_SEEN}, hash(epoch(moment) // 600, number) % 999 / 1e6 AS funding_rate, 8.0 AS interval_hours, "
        "time_bucket(INTERVAL 8 HOURS, moment) + INTERVAL 8 HOURS AS next_funding_ts",
    ),
    "open_interest": (
        "ts",
        f"{_SEEN}, contract, 1e6 + hash(moment, number) % 9999 AS oi_raw, 'base' AS oi_unit, 'one' AS sides, "
        "oi_raw AS oi_base",
    ),
    "mark_prices": ("ts", f"{_SEEN}, {_PRICE} AS mark_price, mark_price * 1.0001 AS index_price, multiplier"),
    "klines": (
        "ts_event",
        f"'1m' AS \"interval\", 'trade' AS price_kind, {_BAR}, moment + INTERVAL 61 SECONDS AS ts_recv, 'live' AS source",
    ),
}
"""By table with a row a minute and contract: its column of time, and its values."""
SHORT = ("klines",)  # their bars are made apart
SILENT = {"funding_rates": "number % 10 > 0 OR hour(moment) % 4 = 0"}
"""A tenth of the contracts tell their rate in one hour of four only, as venues do that send changes."""
_RATIO = """
INSERT INTO long_short_ratios BY NAME
SELECT venue, symbol, instrument, base, moment AS ts_event, kind, '5m' AS period,
    0.5 + hash(moment, number, kind) % 1000 / 1e3 AS ratio, ratio / (1 + ratio) AS long_share, 1 - long_share AS short_share,
    CASE kind WHEN 'taker' THEN 1e3 * ratio END AS long_volume, CASE kind WHEN 'taker' THEN 1e3 END AS short_volume,
    CASE kind WHEN 'taker' THEN 'base' END AS unit, 'symbol' AS scope, CASE kind WHEN 'taker' THEN true END AS closed,
    moment + INTERVAL 6 MINUTES AS ts_recv, 'live' AS source
FROM range(TIMESTAMP '{since}', TIMESTAMP '{until}', INTERVAL 5 MINUTES) AS t(moment), made_listed,
    (VALUES ('global_accounts'), ('top_positions'), ('taker')) AS k(kind)
ORDER BY venue, symbol, ts_event
"""
_SETTLED = (
    "8.0 AS interval_hours, hash(moment, number) % 999 / 1e6 AS funding_rate, mid AS mark_price, moment AS ts_recv, "
    "'live' AS source"
)


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table of the contracts, after `synthetic.prepare`."""
    connection.execute(_LISTED.format(contracts=CONTRACTS))


def contracts(connection: duckdb.DuckDBPyConnection, first: datetime) -> None:
    """Store the contracts, valid from `first` on; those of `synthetic.prepare` are among them."""
    prepare(connection)
    connection.execute(_INSTRUMENTS.format(first=first))


def build(lake: Lake, now: datetime, days: int) -> None:
    """Store what is known of the contracts in the `days` days before the day of `now`, and in that day up to `now`."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    _rows(lake, "funding_settlements", "ts_event", _SETTLED, day - 365 * DAY, now, "8 HOURS")
    for table, time, since, step in (("prices_1h", "hour", day - 85 * DAY, "1 HOUR"),
                                     ("prices_1d", "day", day - 365 * DAY, "1 DAY")):  # fmt: skip
        rest = (
            f"60 AS minutes, moment + INTERVAL {step} - INTERVAL 1 MINUTE AS last_minute, "
            f"moment + INTERVAL {step} AS recv_last"
        )
        _rows(lake, table, time, f"{_BAR}, {rest}", since, day - DAY, step)
    for start in (day - DAY, day):
        lake.connection.execute(_RATIO.format(since=start, until=min(start + DAY, now)))
    for table, (time, values) in MINUTES.items():
        for back in range(1 if table in SHORT else days, 0, -1):
            _rows(lake, table, time, values, day - back * DAY, day - (back - 1) * DAY, "1 MINUTE")
    _today(lake, day, now)


def add(lake: Lake, now: datetime) -> None:
    """Add what is missing from where each table ends up to `now`, a day a statement; then join the small files."""
    steps = {
        "funding_settlements": ("ts_event", timedelta(hours=8)),
        "long_short_ratios": ("ts_event", timedelta(minutes=5)),
    }
    steps |= {table: (time, timedelta(minutes=1)) for table, (time, _) in MINUTES.items()}
    for table, (time, step) in steps.items():
        since = _last(lake, table, time) + step
        while since < now:
            until = min(now, since.replace(hour=0, minute=0) + DAY)
            if table == "long_short_ratios":
                lake.connection.execute(_RATIO.format(since=since, until=until))
            else:
                values = MINUTES[table][1] if table in MINUTES else _SETTLED
                _rows(lake, table, time, values, since, until, f"{step // timedelta(minutes=1)} MINUTES")
            since += -((since - until) // step) * step
        compact(lake, TABLES[table])


def _last(lake: Lake, table: str, time: str) -> datetime:
    found = lake.connection.execute(f"SELECT max({time}) FROM {table}").fetchone()
    assert found
    assert isinstance(found[0], datetime), f"{table} is empty"
    return found[0]


def _today(lake: Lake, day: datetime, now: datetime) -> None:
    fresh = [now - timedelta(minutes=minutes) for minutes in (2, 1)]
    starts = [day + hour * HOUR for hour in range(24) if day + hour * HOUR < fresh[0]]
    for since, until in zip([*starts, *fresh], [*starts[1:], *fresh, now], strict=True):
        for table, (time, values) in MINUTES.items():
            _rows(lake, table, time, values, since, until, "1 MINUTE")
            if since not in fresh:
                compact(lake, TABLES[table])


def _rows(lake: Lake, table: str, time: str, values: str, since: datetime, until: datetime, step: str) -> None:
    rows = SILENT.get(table, "true")
    lake.connection.execute(
        _ROWS.format(table=table, time=time, values=values, since=since, until=until, step=step, rows=rows)
    )
