"""What heatmap takes from liquidation_cells_15m is what it would have taken from the rows."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.derive.bars.run import rollup
from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

NOW = datetime(2026, 10, 10, 12, 7)  # noqa: DTZ001
SINCE = datetime(2026, 10, 6)  # noqa: DTZ001
FEEDS = (("binance", "one_per_second_latest", "fill_average"), ("bybit", "all", "bankruptcy"), ("okx", "all", "mark"))


def _row(rng: random.Random, number: int) -> dict[str, Any]:
    venue, completeness, price_kind = rng.choice(FEEDS)
    at = SINCE + timedelta(seconds=rng.randrange(int((NOW - SINCE).total_seconds())))
    price = None if number % 50 == 0 else round(rng.uniform(48_000, 52_000), 1)  # 0.2 % of it: about 100, so two steps
    coin = "ETH" if number % 10 == 9 else "BTC"  # at the same prices: a cell of the one must not be told of the other
    return {"venue": venue, "symbol": f"{coin}USDT", "instrument": f"{coin}/USDT:USDT", "base": coin, "quote": "USDT",
            "settle": "USDT", "contract": "linear", "kind": "perpetual", "position_side": rng.choice(("long", "short")),
            "completeness": completeness, "price_kind": price_kind, "price": price, "qty_base": 1.0, "ts_event": at,
            "notional_usd": None if number % 70 == 0 else float(rng.randrange(1, 9_000)), "event_key": number,
            "occurrence": 0}  # fmt: skip


def _asked(opened: Lake, arguments: str, instrument: str = "'BTC/USDT:USDT'") -> list[tuple[Any, ...]]:
    return opened.connection.execute(f"FROM heatmap({instrument}, {arguments}) ORDER BY ALL").fetchall()


def test_of_older_days_cells_and_rows_give_the_same_heatmap(tmp_path: Path) -> None:
    rng = random.Random(7)
    schema.create_or_migrate(tmp_path)
    wanted = TABLES["liquidations"].schema
    rows = pl.DataFrame([dict.fromkeys(wanted, None) | _row(rng, number) for number in range(3_000)], wanted)
    with lake.open(tmp_path, read_only=False) as opened:
        append(opened, {"liquidations": rows})
        opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{NOW}'")
        since = f"TIMESTAMP '{SINCE}'"
        hours = "INTERVAL 1 HOUR"
        by_row = _asked(opened, f"{since}, 100, {hours}")  # a width that is asked for is taken from the rows
        assert sum(row[6] for row in by_row) == 2_700
        assert sum(row[6] for row in _asked(opened, f"{since}, 0, {hours}")) < 1_000, "older rows, and no cells yet"
        rollup(opened)
        assert _asked(opened, f"{since}, 0, {hours}") == by_row
        assert _asked(opened, f"{since}, 0") == _asked(opened, f"{since}, 100")
        both = _asked(opened, f"{since}, 0, {hours}", "NULL")
        assert both == _asked(opened, f"{since}, 100, {hours}", "NULL")
        assert sum(row[6] for row in both) == 3_000
        late = rows.head(1).with_columns(
            pl.lit(SINCE).alias("ts_event"), pl.lit(9_999_999, pl.UInt64).alias("event_key")
        )
        append(opened, {"liquidations": late})
        rollup(opened)
        assert sum(row[6] for row in _asked(opened, f"{since}, 0, {hours}")) == 2_701
