"""Dense clusters near a price, and a stop that lies outside them."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.position.clusters import CLUSTERS, LEVELS, SAFE, clusters_near, suggest_stop

NONE = LEVELS.to_frame()


def levels(*rows: tuple[float, str, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, LEVELS, orient="row")


def clusters(*spans: tuple[float, float]) -> pl.DataFrame:
    return pl.DataFrame([("long", low, high, 1.0, 0.1, 0.0) for low, high in spans], CLUSTERS, orient="row")


EVEN = [(90 + 0.25 * n + 0.1, "long" if n < 40 else "short", 1.0) for n in range(80)]


def test_adjacent_dense_bins_are_one_cluster_and_the_nearest_comes_first() -> None:
    found = clusters_near(levels(*EVEN, (95.1, "long", 40.0), (95.3, "long", 20.0), (108.1, "short", 60.0)), 100)
    assert found.select("position_side", "usd").rows() == [("long", 62.0), ("short", 61.0)]
    low, high = found.row(0)[1:3]
    assert (low, high) == (pytest.approx(95), pytest.approx(95.5))
    assert found["distance"].to_list() == pytest.approx([-0.045, 0.08])
    assert found["share"].to_list() == pytest.approx([62 / 200, 61 / 200])


def test_sides_are_told_apart_and_what_is_far_does_not_count() -> None:
    found = clusters_near(levels((99, "long", 5.0), (101, "short", 5.0), (50, "long", 1e9)), 100)
    assert sorted(found["position_side"]) == ["long", "short"]
    assert found["usd"].sum() == 10


def test_longs_above_the_price_and_shorts_below_it_are_no_cluster_as_the_price_has_passed_them() -> None:
    gone = levels((101, "long", 1e9), (100, "long", 1e9), (99, "short", 1e9), (100, "short", 1e9))
    assert clusters_near(gone, 100).is_empty()
    kept = clusters_near(pl.concat([gone, levels((99, "long", 5.0))]), 100)
    assert kept.select("position_side", "usd", "share").rows() == [("long", 5.0, 1.0)]


def test_an_even_spread_has_no_cluster_and_no_levels_none() -> None:
    assert clusters_near(levels(*EVEN), 100).is_empty()
    assert clusters_near(NONE, 100).is_empty()
    assert clusters_near(levels((99, "long", 0.0)), 100).is_empty()


@pytest.mark.parametrize(
    ("spans", "wanted", "stop", "told"),
    [
        ([], None, 95.0, "lies in no cluster"),
        ([(96, 98)], None, 95.0, "lies in no cluster"),
        ([(94.5, 95.5)], None, 94.4, "just beyond the cluster"),
        ([(94.5, 95.5), (93.9, 94.5)], None, 93.8, "just beyond the cluster"),
        ([(91, 95.5)], None, 95.6, "just before the cluster"),
        ([(96.5, 97.5)], 97.0, 96.4, "just beyond the cluster"),
        ([(80, 101)], None, None, "fill the way"),
        ([], 91.0, None, "short of the liquidation"),
        ([], 101.0, None, "is not between the price"),
    ],
)
def test_a_long_with_its_liquidation_at_90_gets_a_stop_outside_clusters(
    spans: list[tuple[float, float]], wanted: float | None, stop: float | None, told: str
) -> None:
    found = suggest_stop(clusters(*spans), "long", 100, 90, wanted)
    assert found.price == (None if stop is None else pytest.approx(stop))
    assert told in found.reason


def test_a_short_gets_its_stop_above() -> None:
    assert suggest_stop(clusters((104.5, 105.5)), "short", 100, 110).price == pytest.approx(105.6)
    assert suggest_stop(clusters(), "short", 100, None).price == pytest.approx(105)
    assert suggest_stop(clusters(), "short", 100, 95).price is None


@given(
    st.lists(st.tuples(st.floats(80, 120), st.sampled_from(["long", "short"]), st.floats(1, 1e6)), max_size=40),
    st.sampled_from(["long", "short"]), st.floats(0.01, 0.5),
)  # fmt: skip
def test_a_stop_is_in_no_cluster_and_between_price_and_liquidation(
    rows: list[tuple[float, str, float]], side: Any, room: float
) -> None:
    d = 1 if side == "long" else -1
    liquidation = 100 * (1 - d * room)
    found = clusters_near(levels(*rows), 100)
    assert found["share"].sum() <= 1 + 1e-9
    stop = suggest_stop(found, side, 100, liquidation).price
    if stop is not None:
        assert d * (100 - stop) > 0
        assert d * (stop - liquidation) >= d * (100 - liquidation) * SAFE - 1e-9
        assert not any(low <= stop <= high for low, high in found.select("price_low", "price_high").iter_rows())
