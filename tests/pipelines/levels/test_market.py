"""A market whose leverages are known: the fit finds them and the score tells it from one without structure."""

import math
from datetime import datetime, timedelta
from functools import cache

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.derive.levels.estimate import spans
from pipelines.derive.levels.fit import fitted
from pipelines.derive.levels.forecast import fitted_features
from pipelines.derive.levels.foretold import MODELS, NULLS, with_models, with_opened
from pipelines.derive.levels.margins import margins
from pipelines.derive.levels.model import EMPTY
from pipelines.derive.levels.nnls import nnls
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.levels.replay import Judged, Source, gathered, replay
from pipelines.derive.levels.score import SUMMED, scores
from tests.pipelines.levels.market import START, Market, Rules, market

MIX = {10.0: 0.3, 20.0: 0.3, 30.0: 0.2, 50.0: 0.2}
RULES = Rules(MIX, volatility=0.003, closed=0.002, busy=150)
PARAMETERS = Parameters(
    leverages=tuple(MIX), weights=(0.1, 0.2, 0.3, 0.4), half_life_h=None, scored_minutes=60, least_maps=40
)  # what is published is far from the truth
FIT_DAYS, DAYS = 10, 15
DAY = timedelta(days=1)


@cache
def maps_of(seed: int) -> Judged:
    """The maps of a market whose liquidations come from what was opened."""
    return judged(market(RULES._replace(days=DAYS), seed), DAYS)


def judged(simulated: Market, days: int) -> Judged:
    listed = pl.DataFrame(
        [(0, "bybit", "XUSDT", "X", None, False, math.log1p(PARAMETERS.bin_width))],
        schema={"contract": pl.UInt32, "venue": pl.String, "symbol": pl.String, "base": pl.String, "family": pl.String,
                "inverse": pl.Boolean, "log_width": pl.Float64},
        orient="row",
    )  # fmt: skip
    tiers = pl.DataFrame(
        [("bybit", "XUSDT", 1, 0.005, 100.0, START, None)],
        schema={"venue": pl.String, "symbol": pl.String, "tier": pl.Int32, "maintenance_margin_rate": pl.Float64,
                "max_leverage": pl.Float64, "valid_from": pl.Datetime("us"), "valid_to": pl.Datetime("us")},
        orient="row",
    )  # fmt: skip
    shifts = margins(listed, tiers, START, PARAMETERS)

    def part(frame: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
        return frame.filter((pl.col("ts") >= start) & (pl.col("ts") < end))

    source = Source(
        lambda start, end: part(simulated.bars, start, end),
        lambda start, end: part(simulated.liquidations, start, end),
        lambda _: shifts,
    )
    blocks = spans(START, START + days * DAY, PARAMETERS.scored)
    return gathered([each for each, _ in replay(EMPTY, source, blocks, listed.select("contract"), listed, PARAMETERS)])


def scored(maps: Judged, weights: pl.DataFrame, since: datetime, until: datetime) -> pl.DataFrame:
    """Both models, the feature weights fitted to what lies before `since`, and their scores in [since, until)."""
    cells = with_opened(maps, weights, PARAMETERS)
    learnt = fitted_features(cells, START, since, (), PARAMETERS)
    return scores(with_models(cells, learnt, [since], PARAMETERS), maps, since, until, (), PARAMETERS)


def leads(found: pl.DataFrame, model: str) -> dict[tuple[str, str], float]:
    """The lower end of the lead of a model, by measure and rule; of bins, which is what both measures are of."""
    of = found.filter((pl.col("model") == model) & pl.col("over").is_in(NULLS) & (pl.col("measure") != SUMMED))
    return {(measure, over): low for measure, over, low in of.select("measure", "over", "lead_low").iter_rows()}


@pytest.mark.parametrize("seed", [1, 4])
def test_fitted_weights_come_within_a_tenth_of_the_true_mix_and_both_models_beat_every_rule_clearly(seed: int) -> None:
    maps, middle = maps_of(seed), START + FIT_DAYS * DAY
    weights = fitted(maps, START, middle, "bybit", PARAMETERS)
    assert dict(weights.select("leverage", "weight").rows()) == pytest.approx(MIX, rel=0.1)
    assert weights["weight"].sum() == pytest.approx(1.0)
    assert weights["method"].unique().to_list() == ["fitted"]
    found = scored(maps, weights, middle, START + DAYS * DAY)
    for model in MODELS:
        assert len(leads(found, model)) == 2 * len(NULLS)
        assert min(leads(found, model).values()) > 0
    calibration = (
        found.filter((pl.col("measure") == "calibration") & (pl.col("model") == "oi")).sort("decile")["value"].to_list()
    )
    assert calibration[-1] > 2 * calibration[0]


def test_on_a_market_without_structure_neither_the_fits_nor_the_score_claim_any() -> None:
    fit_days, days = 5, 10
    maps = judged(market(RULES._replace(days=days, structure=False), seed=3), days)
    weights = fitted(maps, START, START + fit_days * DAY, "bybit", PARAMETERS)
    assert weights["method"].unique().to_list() == ["published"]
    assert weights["weight"].to_list() == list(PARAMETERS.weights)
    found = scored(maps, weights, START + fit_days * DAY, START + days * DAY)
    for model in MODELS:
        assert len(leads(found, model)) == 2 * len(NULLS)
        assert min(leads(found, model).values()) <= 0


def test_a_leverage_that_was_never_swept_keeps_its_published_weight() -> None:
    days = 6
    maps = judged(market(RULES._replace(days=days, volatility=0.0012), seed=2), days)
    found = {row["leverage"]: row for row in fitted(maps, START, START + days * DAY, "bybit", PARAMETERS).to_dicts()}
    assert not found[10.0]["identified"]
    assert found[10.0]["weight"] == found[10.0]["published"]
    assert found[50.0]["identified"]
    assert found[50.0]["weight"] != found[50.0]["published"]
    assert sum(row["weight"] for row in found.values()) == pytest.approx(1.0)


def test_a_time_too_short_for_an_interval_gives_none() -> None:
    maps = maps_of(1)
    weights = fitted(maps, START, START + DAY, None, PARAMETERS)
    found = scored(maps, weights, START + DAY, START + 3 * DAY)
    assert {low for model in MODELS for low in leads(found, model).values()} == {None}


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
