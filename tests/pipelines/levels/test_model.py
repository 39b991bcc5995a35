"""The state: equal to the plain model, conserved, on the right side of the price, and the same in pieces as whole."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.derive.levels.margins import factor, margins
from pipelines.derive.levels.model import BARS, EMPTY, State, advance
from pipelines.derive.levels.parameters import Parameters
from tests.day.facts import EPOCH
from tests.day.figures.exposure import Exposure

START = datetime(2026, 10, 10)  # noqa: DTZ001 the warehouse's times are UTC without a zone
NO_TIERS = pl.DataFrame(
    schema={"venue": pl.String, "symbol": pl.String, "tier": pl.Int32, "maintenance_margin_rate": pl.Float64,
            "max_leverage": pl.Float64, "valid_from": pl.Datetime("us"), "valid_to": pl.Datetime("us")}
)  # fmt: skip
ROOMY = Parameters(half_life_h=None)
PRICES = st.floats(0.9, 1.1).map(lambda x: x * 100)


def contracts(*inverse: bool, width: float = 0.002) -> pl.DataFrame:
    return pl.DataFrame(
        [(n, "bybit", f"C{n}", None, each, math.log1p(width)) for n, each in enumerate(inverse)],
        schema={"contract": pl.UInt32, "venue": pl.String, "symbol": pl.String, "family": pl.String,
                "inverse": pl.Boolean, "log_width": pl.Float64},
        orient="row",
    )  # fmt: skip


def bars_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(BARS, None) | row for row in rows], schema=BARS)


def run(bars: pl.DataFrame, listed: pl.DataFrame, parameters: Parameters, state: State = EMPTY) -> State:
    return advance(state, bars, margins(listed, NO_TIERS, START, parameters), listed, parameters)


@st.composite
def histories(draw: st.DrawFn, least: int = 1) -> list[dict[str, Any]]:
    """Bars of one contract with gaps, minutes without open interest, and any path inside each bar."""
    minute, rows = 0, []
    for _ in range(draw(st.integers(least, 25))):
        minute += draw(st.sampled_from([1, 1, 1, 2, 90]))
        low, close, high = sorted(draw(st.tuples(PRICES, PRICES, PRICES)))
        oi = draw(st.one_of(st.none(), st.floats(0, 1000)))
        gone = st.one_of(st.none(), st.floats(0, 100))
        rows.append({"contract": 0, "ts": START + timedelta(minutes=minute), "low": low, "high": high, "close": close,
                     "oi": oi, "volume": draw(gone), "liquidated_long": draw(gone),
                     "liquidated_short": draw(gone)})  # fmt: skip
    return rows


def as_cells(state: State) -> dict[tuple[bool, float, int], float]:
    return {(long, leverage, level): qty for _, long, leverage, level, qty in state.cells.iter_rows()}


@settings(max_examples=150, deadline=None)
@given(histories(), st.booleans(), st.sampled_from([ROOMY, Parameters(), Parameters(half_life_h=0.5)]))
def test_blocks_give_what_the_plain_model_gives_bar_by_bar(
    rows: list[dict[str, Any]], inverse: bool, parameters: Parameters
) -> None:
    plain = Exposure(math.log1p(0.002), inverse, parameters.half_life_h)
    plain.allow(parameters.leverages, parameters.mmr, parameters.max_leverage)
    for row in rows:
        plain.bar(row | {"ts": (row["ts"].replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)})
    state = run(bars_of(rows), contracts(inverse), parameters)
    found = as_cells(state)
    left = {(long, leverage, level): qty for (long, level, leverage), qty in plain.left().items()}
    expected = {cell: qty for cell, qty in left.items() if qty > 1e-250}
    assert {cell for cell, qty in found.items() if qty > 1e-250} == expected.keys()
    assert all(found[cell] == pytest.approx(qty, rel=1e-9) for cell, qty in expected.items())
    _same_known(plain, state)


def _same_known(plain: Exposure, state: State) -> None:
    """When the price was in each bin, what was traded there, and what was liquidated of late."""
    seen = {
        level: (ts.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
        for _, level, ts, _ in state.touched.iter_rows()
    }
    traded = dict(state.touched.select("bin", "traded").iter_rows())
    assert seen == plain.seen
    assert traded == pytest.approx({level: plain.traded(level) for level in seen}, rel=1e-9)
    assert state.carry["recent"].to_list() == pytest.approx([plain.recent(plain.ts, 1.0)], rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(histories(least=2), st.data())
def test_a_history_in_pieces_gives_what_it_gives_whole(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    bars, listed = bars_of(rows), contracts(False)
    state = EMPTY
    for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        state = run(bars[first:last], listed, Parameters(), state)
    whole = run(bars, listed, Parameters())
    assert as_cells(state) == pytest.approx(as_cells(whole), rel=1e-9, abs=1e-200)
    assert state.carry.drop("recent").equals(whole.carry.drop("recent"))
    assert state.carry["recent"].to_list() == pytest.approx(whole.carry["recent"].to_list(), rel=1e-9, abs=1e-200)
    assert state.touched.drop("traded").equals(whole.touched.drop("traded"))
    assert state.touched["traded"].to_list() == pytest.approx(whole.touched["traded"].to_list(), rel=1e-9, abs=1e-200)


@settings(max_examples=150, deadline=None)
@given(histories(), st.booleans())
def test_long_levels_are_below_the_price_and_short_levels_above(rows: list[dict[str, Any]], inverse: bool) -> None:
    state = run(bars_of(rows), contracts(inverse), Parameters(mmr=0.03))
    close = rows[-1]["close"]
    for (long, _, level), _ in as_cells(state).items():
        lower, upper = 1.002**level, 1.002 ** (level + 1)
        assert upper <= close * (1 + 1e-9) if long else lower >= close * (1 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.floats(0.5, 200), st.floats(0, 1))
def test_without_sweep_and_ageing_the_grid_sums_to_the_exposure_put_in(
    opened: list[float], price: float, long_share: float
) -> None:
    parameters = Parameters(half_life_h=None, long_share=long_share)
    total, rows = 0.0, []
    for minute, more in enumerate([0.0, *opened]):
        total += more
        rows.append({"contract": 0, "ts": START + timedelta(minutes=minute), "low": price, "high": price,
                     "close": price, "oi": total})  # fmt: skip
    state = run(bars_of(rows), contracts(False), parameters)
    by_leverage = dict(state.cells.group_by("leverage").agg(pl.col("qty").sum()).iter_rows())
    for leverage in parameters.leverages:
        assert by_leverage.get(leverage, 0.0) == pytest.approx(sum(opened), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("leverage", "mmr", "long", "inverse", "entry", "price"),
    [
        (10, 0.004, True, False, 67_000, 60_542.17),
        (25, 0.004, False, False, 67_000, 69_402.39),
        (10, 0.005, True, True, 50_000, 45_681.82),
        (10, 0.005, False, True, 50_000, 55_277.78),
    ],
)
def test_liquidation_prices_are_those_of_the_published_rule(
    leverage: float, mmr: float, long: bool, inverse: bool, entry: float, price: float
) -> None:
    assert round(entry * (factor(leverage, mmr, long=long, inverse=inverse) or 0), 2) == price


def test_a_position_that_would_be_liquidated_at_once_has_no_level() -> None:
    assert factor(100, 0.025, long=True) is None
    assert factor(1, 0.005, long=False, inverse=True) is None
    assert factor(1, 0.005, long=True) is None


def test_a_contract_takes_its_own_margin_table_and_its_highest_leverage() -> None:
    tiers = pl.DataFrame(
        [("bybit", "C0", 1, 0.02, 25.0, START, None), ("bybit", "C0", 2, 0.04, 12.0, START, None)],
        schema=NO_TIERS.schema, orient="row",
    )  # fmt: skip
    found = margins(contracts(False), tiers, START, Parameters()).row(0, named=True)
    assert found["mmr"] == 0.02
    assert found["long_25"] is not None
    assert found["long_50"] is None
    early = margins(contracts(False), tiers, START - timedelta(days=1), Parameters()).row(0, named=True)
    assert early["mmr"] == Parameters().mmr


def test_bars_without_a_price_are_left_out() -> None:
    good = {"contract": 0, "ts": START, "low": 100.0, "high": 100.0, "close": 100.0, "oi": 1.0}
    bad = [
        good | {"ts": START + timedelta(minutes=n), "low": low} for n, low in enumerate([0.0, float("nan"), None], 1)
    ]
    assert run(bars_of([good, *bad]), contracts(False), ROOMY).carry["ts"].to_list() == [START]
