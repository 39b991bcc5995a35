"""Where a venue's history begins, open interest has a gap or a value of then, and never a step that nobody made."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from matplotlib.collections import PolyCollection

from pipelines.derive.bars.run import rollup
from pipelines.plots.draw import lines
from pipelines.plots.draw.sheet import Look
from pipelines.plots.read.asking import Asked
from pipelines.plots.read.funding import funding
from pipelines.plots.read.interest import Interest, open_interest
from tests.pipelines.plots.test_command import frame
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.lake import Lake
from warehouse.writer import append

NOON = datetime(2026, 11, 18, 12)  # noqa: DTZ001 the warehouse's times are UTC without a zone
DAY = timedelta(days=1)
FIVE = timedelta(minutes=5)
LIVE = NOON - timedelta(hours=1)
"""From here on Bybit's live values have USD of their own."""
COINS = 1e4
PRICES = {NOON - DAY: 100.0, NOON - timedelta(hours=6): 110.0}


def price(at: datetime) -> float:
    return [value for since, value in PRICES.items() if at >= since][-1]


def rows(since: datetime, venue: str, own_usd: bool, **more: Any) -> list[dict[str, Any]]:
    """Open interest every five minutes until noon, in coins, and in USD where the venue gives that."""
    times = [since + FIVE * n for n in range((NOON - since) // FIVE)]
    return [
        {"venue": venue, "ts": at, "ts_event": at, "ts_recv": at, "sides": "one", "oi_unit": "base", "oi_raw": COINS,
         "oi_base": COINS, "oi_usd": COINS * price(at) if own_usd else None, "period": "5m"} | more
        for at in times
    ]  # fmt: skip


def minutes(venue: str) -> list[dict[str, Any]]:
    times = [NOON - DAY + timedelta(minutes=n) for n in range(24 * 60)]
    candle = ("open", "high", "low", "close")
    return [
        {"venue": venue, "ts_event": at, "ts_recv": at, "interval": "1m", "price_kind": "trade", "closed": True,
         **dict.fromkeys(candle, price(at))}
        for at in times
    ]  # fmt: skip


def listed(venue: str, **more: Any) -> dict[str, Any]:
    return {
        "venue": venue,
        "valid_from": NOON - DAY,
        "ts_recv": NOON - DAY,
        "multiplier": 1,
        "interval_hours": 8.0,
    } | more


@pytest.fixture
def warehouse(empty_world: Path, tmp_path: Path) -> Iterator[Lake]:
    copied(empty_world, tmp_path)
    with lake.open(tmp_path, read_only=False) as opened:
        yield opened


def fill(warehouse: Lake, bybit: list[dict[str, Any]], candles: list[dict[str, Any]]) -> None:
    live = rows(LIVE, "bybit", True, period=None)
    append(warehouse, {
        "instruments": frame("instruments", [listed("binance"), listed("bybit")]),
        "open_interest": frame("open_interest", [*rows(NOON - DAY, "binance", True), *bybit, *live]),
        "klines": frame("klines", candles),
    })  # fmt: skip
    rollup(warehouse)


def drawn(found: Interest) -> list[float | None]:
    """Return the whole at each time of the picture; None in a gap."""
    sums = found.interest.group_by("ts").agg(
        pl.when(pl.col("oi_usd").is_null().any()).then(None).otherwise(pl.col("oi_usd").sum()).alias("usd")
    )
    return sums.sort("ts")["usd"].to_list()


@pytest.mark.parametrize("hours", [6, 24])
def test_coins_without_usd_are_worth_what_trades_paid_then(warehouse: Lake, hours: int) -> None:
    """Bybit's history gives coins alone; read from values (up to twelve hours) and from bars of an hour."""
    fill(warehouse, rows(NOON - DAY, "bybit", False), minutes("bybit"))
    since = NOON - timedelta(hours=hours - 2)
    found = open_interest(warehouse, Asked("BTC", None, since, NOON))
    assert set(drawn(found)) <= {2 * COINS * 100.0, 2 * COINS * 110.0, COINS * 210.0}, "no step but that of the price"
    assert any("bybit sends coins alone" in note for note in found.told.notes)
    assert not any("gap" in note for note in found.told.notes)


@pytest.mark.parametrize("hours", [8, 24])
def test_where_a_venue_begins_there_is_a_gap_with_its_name(warehouse: Lake, hours: int) -> None:
    fill(warehouse, [], [])
    found = open_interest(warehouse, Asked("BTC", None, NOON - timedelta(hours=hours - 1), NOON))
    whole = drawn(found)
    begins = next(n for n, usd in enumerate(whole) if usd is None)
    assert whole.count(None) == 1
    assert (whole[begins - 1], whole[begins + 1]) == (COINS * 110.0, 2 * COINS * 110.0)
    said = next(note for note in found.told.notes if note.startswith("A gap"))
    assert "bybit comes (1 contract)" in said


def test_the_areas_of_a_picture_are_cut_in_a_gap(warehouse: Lake) -> None:
    fill(warehouse, [], [])
    found = open_interest(warehouse, Asked("BTC", None, NOON - timedelta(hours=7), NOON))
    figure = lines.open_interest(*found, Look(width=800, height=500, dpi=80))
    areas = [each for each in figure.axes[0].collections if isinstance(each, PolyCollection)]
    assert {each.get_gid(): len(each.get_paths()) for each in areas} == {
        "open interest binance": 2,
        "open interest bybit": 2,
    }


def test_funding_weighs_by_what_was_open_then_and_its_lower_panel_has_the_gap(warehouse: Lake) -> None:
    fill(warehouse, [], [])
    rates = [{"venue": venue, "ts": at, "ts_event": at, "funding_rate": rate, "interval_hours": 8.0}
             for venue, rate in (("binance", 1e-4), ("bybit", 3e-4)) for at in (NOON - timedelta(hours=7), LIVE)]  # fmt: skip
    append(warehouse, {"funding_rates": frame("funding_rates", rates)})
    found = funding(warehouse, Asked("BTC", None, NOON - timedelta(hours=7), NOON))
    assert found.interest["oi_usd"].null_count() == 2
    assert any(note.startswith("A gap") for note in found.told.notes)
    overall = found.rates.filter(pl.col("venue").is_null()).sort("ts")["rate_8h"]
    assert (overall[1], overall[-1]) == (pytest.approx(1e-4), pytest.approx(2e-4))


def test_what_the_same_contracts_did_after_the_last_gap_is_said_and_a_single_moment_after_it_is_drawn(
    warehouse: Lake,
) -> None:
    """Bybit begins with its last value; Binance has lost a fifth by then."""
    lost = rows(NOON - FIVE, "binance", True)[0] | {
        "oi_usd": COINS * 88.0,
        "ts_event": NOON - FIVE + timedelta(seconds=1),
    }
    append(warehouse, {
        "instruments": frame("instruments", [listed("binance"), listed("bybit")]),
        "open_interest": frame("open_interest", [*rows(NOON - DAY, "binance", True), lost, *rows(NOON - FIVE, "bybit", True)]),
    })  # fmt: skip
    rollup(warehouse)
    until = NOON - FIVE + timedelta(seconds=2)
    found = open_interest(warehouse, Asked("BTC", None, NOON - timedelta(hours=7), until))
    assert "The contract on both sides of the gap: $1.1M before it, $880K at 18 Nov 11:55 (-20.0%)" in found.told.notes
    bars = {bar.get_gid(): (bar.get_y(), bar.get_height()) for bar in
            lines.open_interest(*found, Look(width=800, height=500, dpi=80)).axes[0].patches if bar.get_gid()}  # fmt: skip
    assert bars == {"alone binance": (0.0, COINS * 88.0), "alone bybit": (COINS * 88.0, COINS * 110.0)}
