"""A market whose leverages are known: the fit finds them and the score tells it from one without structure."""

import math
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.levels.estimate import spans
from pipelines.levels.fit import fitted
from pipelines.levels.margins import margins
from pipelines.levels.model import EMPTY
from pipelines.levels.nnls import nnls
from pipelines.levels.parameters import Parameters
from pipelines.levels.replay import Judged, Source, gathered, replay
from pipelines.levels.score import scores
from tests.pipelines.levels.market import START, Market, Rules, market

MIX = {10.0: 0.3, 20.0: 0.3, 30.0: 0.2, 50.0: 0.2}
PARAMETERS = Parameters(
    leverages=tuple(MIX), weights=(0.1, 0.2, 0.3, 0.4), half_life_h=None, scored_minutes=30
)  # what is published is far from the truth
DAY = timedelta(days=1)
KNOWN = Rules(MIX, closed=0.002, busy=150)
MARKETS = {  # one coin each: they know nothing of each other, and a replay of four costs little more than one of one
    "FIRST": (KNOWN._replace(days=26), 1),
    "SECOND": (KNOWN._replace(days=26), 4),
    "NONE": (KNOWN._replace(days=16, structure=False), 3),
    "CALM": (KNOWN._replace(days=8, volatility=0.0008), 2),
}


def of(base: str, judged: Judged) -> Judged:
    return Judged(*(frame.filter(pl.col("base") == base) for frame in judged))


@pytest.fixture(scope="module")
def judged() -> Judged:
    """The maps of every market, each half an hour, beside what came."""
    listed = pl.DataFrame(
        [(number, "bybit", f"{base}USDT", base, None, False, math.log1p(PARAMETERS.bin_width))
         for number, base in enumerate(MARKETS)],
        schema={"contract": pl.UInt32, "venue": pl.String, "symbol": pl.String, "base": pl.String, "family": pl.String,
                "inverse": pl.Boolean, "log_width": pl.Float64},
        orient="row",
    )  # fmt: skip
    tiers = pl.DataFrame(
        [("bybit", f"{base}USDT", 1, 0.005, 100.0, START, None) for base in MARKETS],
        schema={"venue": pl.String, "symbol": pl.String, "tier": pl.Int32, "maintenance_margin_rate": pl.Float64,
                "max_leverage": pl.Float64, "valid_from": pl.Datetime("us"), "valid_to": pl.Datetime("us")},
        orient="row",
    )  # fmt: skip
    shifts = margins(listed, tiers, START, PARAMETERS)
    made = [market(*given) for given in MARKETS.values()]
    all_of_them = Market(*(pl.concat([
        frame.with_columns(contract=pl.lit(number, pl.UInt32)) for number, frame in enumerate(frames)
    ]) for frames in zip(*made, strict=True)))  # fmt: skip

    def part(frame: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
        return frame.filter((pl.col("ts") >= start) & (pl.col("ts") < end))

    source = Source(
        lambda start, end: part(all_of_them.bars, start, end),
        lambda start, end: part(all_of_them.liquidations, start, end),
        lambda _: shifts,
    )
    blocks = spans(START, START + max(rules.days for rules, _ in MARKETS.values()) * DAY, PARAMETERS.scored)
    return gathered([each for each, _ in replay(EMPTY, source, blocks, listed.select("contract"), listed, PARAMETERS)])


def leads(found: pl.DataFrame) -> list[float]:
    return found.filter(pl.col("model") != "levels")["lead_low"].to_list()


@pytest.mark.parametrize("base", ["FIRST", "SECOND"])
def test_fitted_weights_come_within_a_tenth_of_the_true_mix_and_the_score_beats_both_nulls_clearly(
    judged: Judged, base: str
) -> None:
    fit_days, days = 20, 26
    maps = of(base, judged)
    weights = fitted(maps, START, START + fit_days * DAY, "bybit", PARAMETERS)
    assert dict(weights.select("leverage", "weight").rows()) == pytest.approx(MIX, rel=0.1)
    assert weights["weight"].sum() == pytest.approx(1.0)
    assert weights["method"].unique().to_list() == ["fitted"]
    found = scores(maps, weights, START + fit_days * DAY, START + days * DAY, "bybit", PARAMETERS)
    assert len(leads(found)) == 4
    assert min(leads(found)) > 0
    calibration = found.filter(pl.col("measure") == "calibration").sort("decile")["value"].to_list()
    assert calibration[-1] > 2 * calibration[0]


def test_on_a_market_without_structure_neither_the_fit_nor_the_score_claims_any(judged: Judged) -> None:
    fit_days, days = 8, 16
    maps = of("NONE", judged)
    weights = fitted(maps, START, START + fit_days * DAY, "bybit", PARAMETERS)
    assert weights["method"].unique().to_list() == ["published"]
    assert weights["weight"].to_list() == list(PARAMETERS.weights)
    found = scores(maps, weights, START + fit_days * DAY, START + days * DAY, "bybit", PARAMETERS)
    assert len(leads(found)) == 4
    assert min(leads(found)) <= 0


def test_a_leverage_that_was_never_swept_keeps_its_published_weight(judged: Judged) -> None:
    maps = of("CALM", judged)
    found = {row["leverage"]: row for row in fitted(maps, START, START + 8 * DAY, "bybit", PARAMETERS).to_dicts()}
    assert not found[10.0]["identified"]
    assert found[10.0]["weight"] == found[10.0]["published"]
    assert found[50.0]["identified"]
    assert sum(row["weight"] for row in found.values()) == pytest.approx(1.0)


def test_a_time_too_short_for_an_interval_gives_none(judged: Judged) -> None:
    maps = of("FIRST", judged)
    weights = fitted(maps, START, START + DAY, None, PARAMETERS)
    found = scores(maps, weights, START + DAY, START + 3 * DAY, None, PARAMETERS)
    assert set(leads(found)) == {None}


def test_a_market_is_fitted_and_scored_alike_alone_and_beside_others(judged: Judged) -> None:
    until = START + 8 * DAY
    beside = fitted(judged, START, until, "bybit", PARAMETERS)
    assert beside["base"].n_unique() == len(MARKETS)
    scored = scores(judged, beside, until, until + 4 * DAY, "bybit", PARAMETERS)
    for base in ("FIRST", "SECOND"):
        alone = fitted(of(base, judged), START, until, "bybit", PARAMETERS)
        assert beside.filter(pl.col("base") == base).equals(alone)
        own = scores(of(base, judged), alone, until, until + 4 * DAY, "bybit", PARAMETERS)
        assert_frame_equal(scored.filter(pl.col("base") == base), own, rel_tol=1e-6)


@given(
    st.lists(st.lists(st.floats(-10, 10), min_size=3, max_size=3), min_size=3, max_size=12),
    st.lists(st.floats(-10, 10), min_size=12, max_size=12),
)
def test_the_weights_of_a_fit_are_not_negative_and_no_other_such_weights_fit_better(
    a: list[list[float]], y: list[float]
) -> None:
    gram = [[sum(row[i] * row[j] for row in a) for j in range(3)] for i in range(3)]
    moment = [sum(row[i] * value for row, value in zip(a, y, strict=False)) for i in range(3)]

    def loss(x: list[float]) -> float:
        return sum(
            (sum(p * q for p, q in zip(row, x, strict=True)) - value) ** 2 for row, value in zip(a, y, strict=False)
        )

    found = nnls(gram, moment)
    assert min(found) >= 0
    best, worst = loss(found), sum(value * value for value in y)
    for i in range(3):
        for step in (1e-3, -1e-3, 0.1, -0.1):
            other = [max(0.0, value + step) if i == j else value for j, value in enumerate(found)]
            assert best <= loss(other) + 1e-6 * (1 + worst)


def test_a_known_fit_is_found_and_its_negative_part_is_zero() -> None:
    assert nnls([[2.0, 0.0], [0.0, 4.0]], [2.0, 8.0]) == pytest.approx([1.0, 2.0])
    assert nnls([[2.0, 1.0], [1.0, 2.0]], [2.0, -1.0]) == pytest.approx([1.0, 0.0])
    assert nnls([[0.0, 0.0], [0.0, 4.0]], [0.0, 8.0]) == pytest.approx([0.0, 2.0])
