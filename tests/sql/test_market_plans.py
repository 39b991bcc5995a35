"""Market views and macros on forty days of data, a file a day: only the days they need are opened, read from the plans."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append, replace

NOON = datetime(2026, 10, 10, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone
MIDNIGHT = datetime(2026, 10, 10)  # noqa: DTZ001
DAYS = 40
CONTRACT = {"venue": "bybit", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT"}
BY_DAY = {
    "klines": {"interval": "1m", "price_kind": "trade", "open": 1.0, "high": 2.0, "low": 1.0, "close": 1.0, "closed": True},
    "open_interest": {"oi_base": 1.0, "oi_usd": 1.0},
    "mark_prices": {"mark_price": 1.0},
    "funding_rates": {"funding_rate": 0.0001, "interval_hours": 8.0},
    "funding_settlements": {"funding_rate": 0.0001, "interval_hours": 8.0},
    "long_short_ratios": {"kind": "taker", "period": "5m", "long_volume": 1.0, "short_volume": 1.0, "closed": True},
    "liquidations": {"notional_usd": 1.0, "qty_base": 1.0, "completeness": "all", "position_side": "long"},
}  # fmt: skip
ROLLED = {"prices_1h": "hour", "prices_1d": "day", "open_interest_1h": "hour", "liquidations_1h": "hour"}
MONTHS = 2

NOW = {
    "FROM funding_current": {"funding_rates": 2},
    "FROM funding_oi_weighted": {"funding_rates": 2, "open_interest": 2, "mark_prices": 1},
    "FROM funding_volume_weighted": {"funding_rates": 2, "klines": 2},
    "FROM funding_arbitrage_current": {"funding_rates": 2, "open_interest": 2, "mark_prices": 1},
    "FROM funding_spend": {"funding_rates": 2, "open_interest": 2, "mark_prices": 1},
    "FROM open_interest_by_coin": {"open_interest": 2, "mark_prices": 1},
    "FROM open_interest_change": {"open_interest": 1, "mark_prices": 1},
    "FROM open_interest_to_volume": {"open_interest": 2, "mark_prices": 1, "klines": 2},
    "FROM price_24h": {"klines": 2},
    "FROM long_short_current": {"long_short_ratios": 2},
    "FROM taker_ratio": {"long_short_ratios": 2},
    "FROM market_stress": {"liquidations": 1, "klines": 1, "open_interest": 2, "mark_prices": 1, "funding_rates": 2},
    "FROM rsi_current": {"klines": 3, "prices_1h": MONTHS},
    "FROM open_interest_at(TIMESTAMP '2026-09-20 12:00:00')": {"open_interest": 1, "mark_prices": 1},
    "FROM price_bars('BTC/USDT:USDT', '15m')": {"klines": 4},
    "FROM price_bars('BTC/USDT:USDT', '15m', as_of() - INTERVAL 1 DAY)": {"klines": 2},
    "FROM price_bars('BTC/USDT:USDT', '1h', '2026-10-09')": {"klines": 1, "prices_1h": 1},
    "FROM price_bars('BTC/USDT:USDT', '1d', '2026-09-01')": {"klines": 1, "prices_1h": 1},
    "FROM rsi('BTC/USDT:USDT', '1w')": {"klines": 1, "prices_1h": 1},
    "FROM open_interest_bars('BTC/USDT:USDT', '5m', '2026-10-09')": {"open_interest": 2, "mark_prices": 3},
    "FROM open_interest_bars('BTC/USDT:USDT', '1d', '2026-10-01')": {"open_interest": 1, "mark_prices": 1},
    "FROM open_interest_history('BTC', '1d', '2026-10-01')": {"open_interest_1h": 1, "prices_1h": 1},
    "FROM funding_history WHERE ts_event >= '2026-10-09'": {"funding_settlements": 1},
    "FROM funding_settled('BTC/USDT:USDT', '2026-10-01')": {"funding_settlements": 1},
}


def _rows(table: str, time: str, filled: dict[str, Any], moments: list[datetime]) -> pl.DataFrame:
    wanted = TABLES[table].schema
    rows = [
        dict.fromkeys(wanted)
        | {name: value for name, value in CONTRACT.items() if name in wanted}
        | filled
        | {time: moment}
        | ({"ts": moment, "ts_event": moment} if "ts" in wanted else {})
        | ({"event_key": number, "occurrence": 0} if "event_key" in wanted else {})
        for number, moment in enumerate(moments)
    ]
    return pl.DataFrame(rows, schema=wanted)


@pytest.fixture(scope="module")
def forty_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    world = tmp_path_factory.mktemp("forty_days")
    schema.create_or_migrate(world)
    days = [MIDNIGHT - timedelta(days=number) for number in range(DAYS)]
    moments = [day + timedelta(hours=hour) for day in days for hour in (3, 11.5, 13)]
    contract = {"contract": "linear", "multiplier": 1, "kind": "perpetual", "valid_from": days[-1]}
    with lake.open(world, read_only=False) as opened:
        append(opened, {name: _rows(name, "ts_event", filled, moments) for name, filled in BY_DAY.items()})
        accounts = BY_DAY["long_short_ratios"] | {"kind": "global_accounts"}
        append(opened, {"long_short_ratios": _rows("long_short_ratios", "ts_event", accounts, moments)})
        append(opened, {"instruments": _rows("instruments", "ts_recv", contract, days[-1:])})
        for table, time in ROLLED.items():
            replace(opened, table, _rows(table, time, {}, days), "true")
        opened.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [NOON])
        yield opened


def _files_read(opened: Lake, query: str) -> Counter[str]:
    """Return the most files that one scan of each table opened."""
    row = opened.connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}").fetchone()
    assert row is not None
    found: Counter[str] = Counter()
    waiting = [json.loads(row[1])]
    while waiting:
        node = waiting.pop()
        waiting += node.get("children", [])
        if files := node.get("extra_info", {}).get("Total Files Read"):
            table = node["extra_info"]["Table"].split(".")[-1]
            found[table] = max(found[table], int(files))
    return found


def test_the_plan_tells_how_many_files_a_scan_opens(forty_days: Lake) -> None:
    assert _files_read(forty_days, "SELECT sum(close) FROM klines") == {"klines": DAYS}


@pytest.mark.parametrize("query", NOW)
def test_only_the_days_that_are_needed_are_opened(forty_days: Lake, query: str) -> None:
    found = _files_read(forty_days, query)
    allowed = NOW[query]
    by_day = {table: files for table, files in found.items() if table in BY_DAY}
    assert {table: files for table, files in found.items() if table in allowed and files > allowed[table]} == {}
    assert by_day.keys() <= allowed.keys()
    assert any(found[table] for table in allowed)


def test_the_sums_of_a_year_read_a_year_of_settlements_once(forty_days: Lake) -> None:
    assert _files_read(forty_days, "FROM funding_cumulative") == {"funding_settlements": MONTHS, "instruments": 1}
