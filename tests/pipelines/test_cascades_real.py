"""Cascades of two real days: silences inside a burst do not part it, and what is quiet for minutes does.

The liquidations of one venue lie beside the project (../shared/real); skipped where not.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.derive.bars.run import rollup
from pipelines.derive.cascades.run import detect
from tests.pipelines.cascade_rows import frame, put, stored
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append

FILE = Path(__file__).parents[3] / "shared/real/okx_liquidations_2026-03-04_05_BTC_DOGE_HYPE.parquet"
SIZES = {"BTC": 0.01, "DOGE": 1000.0, "HYPE": 0.1}  # coins in a contract, which size_usd lacks
FROM, UNTIL = datetime(2026, 3, 4), datetime(2026, 3, 6)  # noqa: DTZ001 UTC

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"no real liquidations at {FILE}")


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    """The liquidations, and as what is normal the same a day earlier, in bars."""
    real = pl.read_parquet(FILE).with_columns(
        usd=pl.col("size_usd") * pl.col("coin").replace_strict(SIZES), ts=pl.col("timestamp").dt.replace_time_zone(None)
    )
    rows = [
        {"venue": "a", "symbol": coin, "base": coin, "notional_usd": usd, "qty_base": 1.0, "ts_event": ts - back,
         "position_side": "long" if side == "sell" else "short", "completeness": "partial", "event_key": key,
         "occurrence": days}
        for days, back in enumerate((timedelta(0), timedelta(days=2)))
        for key, (coin, usd, ts, side) in enumerate(real.select("coin", "usd", "ts", "side").iter_rows())
    ]  # fmt: skip
    with lake.open(fresh_world, read_only=False) as opened:
        put(opened, *rows)
        rollup(opened)
        yield opened


def test_a_burst_with_silences_of_two_minutes_in_it_is_one_cascade(warehouse: Lake) -> None:
    detect(warehouse, FROM, UNTIL, UNTIL)
    btc = [row for row in stored(warehouse) if row["base"] == "BTC"]

    def begun(hour: int, minute: int) -> list[dict[str, object]]:
        start = datetime(2026, 3, 5, hour, minute)  # noqa: DTZ001 UTC
        return [row for row in btc if start <= row["ts_start"] < start + timedelta(minutes=10)]

    (morning,), (forenoon,) = begun(7, 45), begun(10, 20)
    assert (morning["position_side"], round(morning["usd"])) == ("long", 1_565_002)  # type: ignore[call-overload]
    assert (forenoon["position_side"], round(forenoon["usd"])) == ("short", 1_796_899)  # type: ignore[call-overload]
    assert len(begun(1, 5)) == 2, "at 01:09 and 01:13, four minutes apart"
    assert len(stored(warehouse)) == 18


def test_marks_of_another_contract_give_a_cascade_its_price(warehouse: Lake) -> None:
    ts = datetime(2026, 3, 5, 10, 23)  # noqa: DTZ001 UTC
    marks = [
        {"venue": "b", "symbol": "BTCX", "base": "BTC", "quote": "USDT", "ts": at, "ts_event": at, "mark_price": price}
        for at, price in ((ts, 72_800.0), (ts + timedelta(minutes=4), 73_200.0))
    ]
    append(warehouse, {"mark_prices": frame("mark_prices", *marks)})
    detect(warehouse, ts, ts + timedelta(minutes=5), UNTIL)
    (found,) = stored(warehouse)
    assert (found["price_source"], found["price_before"], found["price_end"]) == ("mark_prices b BTCX", 72_800, 73_200)
