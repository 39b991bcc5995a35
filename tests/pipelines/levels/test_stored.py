"""Levels in a real lake: estimated in pieces as whole, twice as once, and scored without a look ahead."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.derive.levels.backtest import backtest, fit, why_none
from pipelines.derive.levels.estimate import estimate
from pipelines.derive.levels.fresh import moved, refresh
from pipelines.derive.levels.parameters import Parameters
from tests.pipelines.levels.market import START, Market, Rules, market
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

DAYS = 4
PARAMETERS = Parameters(
    leverages=(10.0, 20.0, 30.0, 50.0), weights=(0.25, 0.25, 0.25, 0.25), scored_minutes=60, least_maps=20
)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def simulated() -> Market:
    return market(Rules({10.0: 0.35, 20.0: 0.15, 30.0: 0.30, 50.0: 0.2}, days=DAYS), seed=5)


@pytest.fixture(scope="module")
def made_once(empty_world: Path, tmp_path_factory: pytest.TempPathFactory, simulated: Market) -> Path:
    world = tmp_path_factory.mktemp("made_once")
    copied(empty_world, world)
    with lake.open(world, read_only=False) as opened:
        append(opened, rows(simulated))
    return world


@pytest.fixture
def filled(made_once: Path, tmp_path: Path) -> Iterator[Lake]:
    """A lake with a market of two venues, of which one tells all its liquidations."""
    copied(made_once, tmp_path)
    with lake.open(tmp_path, read_only=False) as opened:
        yield opened


def rows(simulated: Market) -> dict[str, pl.DataFrame]:
    """The market as the warehouse's rows, on bybit and, a tenth dearer and with a multiplier of 1000, on binance."""
    listed = [("bybit", "XUSDT", 1, 1.0), ("binance", "1000XUSDT", 1000, 1.1)]
    klines, told, contracts = [], [], []
    for venue, symbol, multiplier, premium in listed:
        name = {"venue": pl.lit(venue), "symbol": pl.lit(symbol)}
        price = pl.col("low", "high", "close") * multiplier * premium
        bars = simulated.bars.with_columns(price, **name)
        klines.append(bars.select("venue", "symbol", "low", "high", "close", ts_event="ts", interval=pl.lit("1m"),
                                  price_kind=pl.lit("trade"), closed=pl.lit(True)))  # fmt: skip
        told.append(
            bars.select("venue", "symbol", ts="ts", ts_event=pl.col("ts") + pl.duration(seconds=30), oi_base="oi")
        )
        contracts.append({"venue": venue, "symbol": symbol, "instrument": "X-USDT", "base": "X", "quote": "USDT",
                          "settle": "USDT", "contract": "linear", "kind": "perpetual", "multiplier": multiplier,
                          "valid_from": START})  # fmt: skip
    gone = simulated.liquidations.with_row_index("event_key").select(
        pl.col("event_key").cast(pl.UInt64), occurrence=pl.lit(0, pl.Int32), venue=pl.lit("bybit"), symbol=pl.lit("XUSDT"),
        base=pl.lit("X"), ts_event="ts", position_side=pl.when("long").then(pl.lit("long")).otherwise(pl.lit("short")),
        price="price", price_kind=pl.lit("mark"), qty_base=pl.lit(1.0), notional_usd="usd", completeness=pl.lit("all"),
    )  # fmt: skip
    return {
        "klines": whole("klines", pl.concat(klines)),
        "open_interest": whole("open_interest", pl.concat(told)),
        "instruments": whole("instruments", pl.DataFrame(contracts)),
        "liquidations": whole("liquidations", gone),
    }


def whole(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    wanted = TABLES[table].schema
    missing = [pl.lit(None, kind).alias(name) for name, kind in wanted.items() if name not in frame.columns]
    return frame.with_columns(missing).select(wanted.names()).cast(dict(wanted))  # type: ignore[arg-type]


def stored(opened: Lake, table: str) -> pl.DataFrame:
    found = pl.DataFrame(opened.connection.execute(f"FROM {table} ORDER BY ALL").to_arrow_table())
    return found.with_columns(pl.col(pl.Float64).round_sig_figs(9)).unique(maintain_order=True)


def test_a_day_estimated_in_pieces_is_the_day_estimated_at_once(filled: Lake) -> None:
    end = START + timedelta(hours=30, minutes=20)
    done = estimate(filled, end, START, PARAMETERS)
    at_once = stored(filled, "liquidation_levels"), stored(filled, "levels_state")
    for minutes in (7 * 60, 7 * 60 + 5, 20 * 60, 20 * 60 + 59, 30 * 60 + 20):
        until = START + timedelta(minutes=minutes)
        estimate(filled, until, START if minutes == 7 * 60 else None, PARAMETERS)
    assert done.columns == 31
    assert stored(filled, "liquidation_levels").equals(at_once[0])
    assert stored(filled, "levels_state").equals(at_once[1])
    assert at_once[0]["ts"].max() == end


def test_a_contract_that_nobody_asked_for_until_now_has_no_bars_missing_before(filled: Lake) -> None:
    """Its bars begin in the last ten minutes; those of the other are all there, but for an hour in which they are not."""
    end = START + timedelta(hours=4)
    filled.connection.execute(
        "DELETE FROM klines WHERE venue = 'binance' AND ts_event < ?", [end - timedelta(minutes=10)]
    )
    filled.connection.execute(
        "DELETE FROM klines WHERE venue = 'bybit' AND ts_event >= ? AND ts_event < ?",
        [START + timedelta(hours=1), START + timedelta(hours=1, minutes=30)],
    )
    estimate(filled, end, START, PARAMETERS)
    shares = filled.connection.execute("SELECT DISTINCT ts, bars_share FROM liquidation_levels ORDER BY ts").fetchall()
    assert [share for _, share in shares] == [1.0, 0.5, 1.0, 1.0]


def test_an_estimate_made_twice_changes_nothing(filled: Lake) -> None:
    end = START + timedelta(hours=12)
    estimate(filled, end, START, PARAMETERS)
    before = stored(filled, "liquidation_levels"), stored(filled, "levels_state")
    assert estimate(filled, end, None, PARAMETERS).columns == 0
    estimate(filled, end, START, PARAMETERS)
    assert (stored(filled, "liquidation_levels"), stored(filled, "levels_state"))[0].equals(before[0])
    assert stored(filled, "levels_state").equals(before[1])


def test_a_coin_sums_its_contracts_and_a_premium_puts_no_level_on_the_wrong_side(filled: Lake) -> None:
    estimate(filled, START + timedelta(hours=12), START, PARAMETERS)
    levels = stored(filled, "liquidation_levels")
    assert levels["venues"].unique().to_list() == ["binance, bybit"]
    assert levels["base"].unique().to_list() == ["X"]
    below = pl.col("price_high") <= pl.col("price_now") * (1 + 1e-9)
    above = pl.col("price_low") >= pl.col("price_now") * (1 - 1e-9)
    side = pl.col("position_side")
    assert levels.filter(side == "long").select(below.all()).item()
    assert levels.filter(side == "short").select(above.all()).item()
    assert levels["weights_from"].unique().to_list() == ["published"]
    assert levels["model"].unique().sort().to_list() == ["oi", "reach"]


def test_levels_know_nothing_of_what_comes_after_them(filled: Lake, simulated: Market) -> None:
    since, middle, end = START + timedelta(hours=48), START + timedelta(hours=52), START + timedelta(hours=60)
    backtest(filled, since, middle, parameters=PARAMETERS)
    estimate(filled, middle, START, PARAMETERS)
    tables = ("leverage_weights", "levels_features", "levels_scores")
    levels, known = stored(filled, "liquidation_levels"), {table: stored(filled, table) for table in tables}
    for table, column in (("klines", "ts_event"), ("open_interest", "ts"), ("liquidations", "ts_event")):
        filled.connection.execute(f"DELETE FROM {table} WHERE {column} >= ?", [middle])
    turned = Market(*(frame.with_columns(pl.col("ts")) for frame in market(Rules({20.0: 1.0}, days=DAYS), seed=6)))
    later = Market(*(frame.filter(pl.col("ts") >= middle) for frame in turned))
    append(filled, {table: frame for table, frame in rows(later).items() if table != "instruments"})
    backtest(filled, since, middle, parameters=PARAMETERS)
    estimate(filled, end, START, PARAMETERS)
    assert stored(filled, "liquidation_levels").filter(pl.col("ts") <= middle).equals(levels)
    for table in tables:
        assert known[table].height
        assert_frame_equal(stored(filled, table), known[table], rel_tol=1e-6, abs_tol=1e-9)


def test_fitted_weights_are_used_for_later_times_only(filled: Lake) -> None:
    middle = START + timedelta(days=3)
    found = fit(filled, middle, parameters=PARAMETERS)
    assert found["method"].unique().to_list() == ["fitted"]
    estimate(filled, middle + 3 * HOUR, START + timedelta(days=2), PARAMETERS)
    by = stored(filled, "liquidation_levels").select("ts", "model", "weights_from").unique()
    assert by.filter(pl.col("ts") < middle)["weights_from"].unique().to_list() == ["published"]
    later = by.filter(pl.col("ts") >= middle).select("model", "weights_from").unique().sort("model")
    assert later.rows() == [("oi", "fitted"), ("reach", "pooled")]  # of one of the two venues nothing was told


def _table(since: timedelta) -> pl.DataFrame:
    """A margin table of the contract on bybit: up to 20x."""
    row = {"venue": "bybit", "symbol": "XUSDT", "tier": 1, "floor": 0.0, "maintenance_margin_rate": 0.02, "max_leverage": 20.0,
           "valid_from": START + since}  # fmt: skip
    return whole("leverage_tiers", pl.DataFrame([row]))


def test_a_margin_table_holds_from_its_own_hour_on_however_the_time_is_cut_into_runs(filled: Lake) -> None:
    append(filled, {"leverage_tiers": _table(timedelta(hours=3, minutes=30))})
    end = START + timedelta(hours=8)
    estimate(filled, end, START, PARAMETERS)
    at_once = stored(filled, "liquidation_levels")
    for hours in (2, 5, 8):
        estimate(filled, START + timedelta(hours=hours), START if hours == 2 else None, PARAMETERS)
    assert stored(filled, "liquidation_levels").equals(at_once)


def test_a_leverage_that_the_table_does_not_allow_has_no_part_of_what_is_opened(filled: Lake) -> None:
    append(filled, {"leverage_tiers": _table(timedelta(hours=3, minutes=30))})
    filled.connection.execute("DELETE FROM klines WHERE venue = 'binance'")
    estimate(filled, START + timedelta(hours=6), START, PARAMETERS)
    levels = stored(filled, "liquidation_levels").filter(pl.col("model") == "oi")
    before, after = pl.col("ts") <= START + timedelta(hours=3), pl.col("ts") > START + timedelta(hours=4)
    assert levels.filter(before)["leverage"].max() == 50
    assert levels.filter(after)["leverage"].unique().sort().to_list() == [10, 20]


def test_of_one_instant_the_live_open_interest_goes_before_that_of_a_history(filled: Lake) -> None:
    estimate(filled, START + timedelta(hours=6), START, PARAMETERS)
    levels = stored(filled, "liquidation_levels")
    told = stored(filled, "open_interest")
    filled.connection.execute("DELETE FROM open_interest")
    append(filled, {"open_interest": told.with_columns(period=pl.lit("5m"), oi_base=pl.col("oi_base") * 1.01)})
    append(filled, {"open_interest": told})
    estimate(filled, START + timedelta(hours=6), START, PARAMETERS)
    assert stored(filled, "open_interest").height == 2 * told.height
    assert stored(filled, "liquidation_levels").equals(levels)


def test_levels_begin_at_the_first_minute_and_not_at_the_first_daily_candle(filled: Lake) -> None:
    days = filled.connection.execute("SELECT * REPLACE ('1d' AS \"interval\") FROM klines LIMIT 1").pl()
    long_ago = days.with_columns(ts_event=pl.lit(START - timedelta(days=20), pl.Datetime("us")))
    append(filled, {"klines": whole("klines", long_ago)})
    assert estimate(filled, START + timedelta(hours=6), parameters=PARAMETERS).columns == 6


def test_a_map_is_of_the_last_minute_that_has_prices_and_is_made_again_until_all_of_them_have_come(
    filled: Lake,
) -> None:
    now = START + timedelta(hours=12, minutes=1, seconds=30)
    filled.connection.execute("DELETE FROM klines WHERE ts_event >= ?", [START + timedelta(hours=12, minutes=1)])
    estimate(filled, START + timedelta(hours=10), START, PARAMETERS)
    refresh(filled, now, parameters=PARAMETERS)
    assert stored(filled, "liquidation_levels")["ts"].max() == START + timedelta(hours=12, minutes=1)
    assert stored(filled, "levels_state")["until"].max() == START + timedelta(
        hours=11
    )  # bars of the hour may still come
    refresh(filled, now + timedelta(minutes=20), parameters=PARAMETERS)
    assert stored(filled, "liquidation_levels")["ts"].max() == START + timedelta(hours=12, minutes=1)
    assert stored(filled, "levels_state")["until"].max() == START + timedelta(hours=12)


def test_bars_that_come_after_a_map_are_in_the_next_one(filled: Lake) -> None:
    late = filled.connection.execute("FROM klines WHERE ts_event >= ?", [START + timedelta(hours=11, minutes=50)]).pl()
    now = START + timedelta(hours=12, minutes=1)
    filled.connection.execute("DELETE FROM klines WHERE ts_event >= ?", [START + timedelta(hours=11, minutes=59)])
    refresh(filled, now, START, parameters=PARAMETERS)
    filled.connection.execute("DELETE FROM klines WHERE ts_event >= ?", [START + timedelta(hours=11, minutes=50)])
    append(filled, {"klines": whole("klines", late)})
    refresh(filled, now + timedelta(minutes=5), parameters=PARAMETERS)
    found = stored(filled, "liquidation_levels")
    estimate(filled, START + timedelta(hours=12, minutes=6), START, PARAMETERS)
    assert found.equals(stored(filled, "liquidation_levels"))


def moved_at(filled: Lake, minutes: float, times: float) -> list[str]:
    """Return the coins that have moved, after a minute in which the price was `times` what it had been."""
    at = START + timedelta(hours=12)
    filled.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [at + timedelta(minutes=minutes)])
    filled.connection.execute("DELETE FROM klines WHERE ts_event >= ?", [at])
    last = filled.connection.execute("FROM klines WHERE ts_event = ?", [at - timedelta(minutes=1)]).pl()
    price = pl.col("close") * times
    append(filled, {"klines": last.with_columns(ts_event=pl.lit(at), low=price, high=price, close=price)})
    return moved(filled)


def test_a_large_move_of_a_large_coin_asks_for_a_new_map_at_once(filled: Lake) -> None:
    assert moved(filled) == []  # no map yet
    estimate(filled, START + timedelta(hours=12), START, PARAMETERS)
    assert moved_at(filled, 2, 0.995) == []
    assert moved_at(filled, 2, 0.985) == ["X"]
    assert moved_at(filled, 2, 1.015) == ["X"]
    assert moved_at(filled, 0.5, 1.015) == []  # not over yet
    small = "SELECT * REPLACE ('BIG' AS base, usd_estimated * 1e6 AS usd_estimated) FROM liquidation_levels"
    filled.connection.execute(f"INSERT INTO liquidation_levels {small}")
    assert moved_at(filled, 2, 0.985) == []


def test_a_back_test_without_maps_says_why(filled: Lake) -> None:
    since, until = START - timedelta(days=9), START - timedelta(days=8)
    now = START + timedelta(minutes=40)
    filled.connection.execute("DELETE FROM liquidations WHERE ts_event >= ?", [now])
    assert backtest(filled, since, until, parameters=PARAMETERS).maps == 0
    assert why_none(filled, since, until, until).startswith("no liquidation is stored between 2026-08-23 00:00 and")
    told = why_none(filled, START - timedelta(days=7), now, now)
    assert "an hour that is not judged yet: try again after 2026-09-01 01:00 UTC" in told


def test_a_throttled_feed_is_scored_by_ranks_with_a_note(filled: Lake) -> None:
    filled.connection.execute("UPDATE liquidations SET completeness = 'one_per_second_latest'")
    since, until = START + timedelta(days=2), START + timedelta(days=DAYS)
    done = backtest(filled, since, until, parameters=PARAMETERS)
    assert done.coins == 1
    found = stored(filled, "levels_scores")
    assert found["measure"].unique().sort().to_list() == ["rank_correlation", "window_correlation"]
    assert found["completeness"].unique().to_list() == ["throttled"]
    assert "leaves out liquidations" in found["note"][0]
    assert filled.connection.execute("SELECT venue, completeness FROM levels_score").fetchall() == [
        ("bybit", "throttled")
    ]


def test_a_world_without_bars_has_no_levels(fresh_world: Path) -> None:
    with lake.open(fresh_world, read_only=False) as opened:
        assert estimate(opened, START + HOUR, START).rows == 0
        assert backtest(opened, START, START + HOUR).scores == 0
