"""Dense clusters near a price, and a stop that lies outside them."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.position.clusters import CLUSTERS, FOUND, SAFE, ahead, near, suggest_stop


def clusters(*spans: tuple[float, float], side: str = "long") -> pl.DataFrame:
    rows = [(side, low, high, (low + high) / 2, 1.0, 0.1) for low, high in spans]
    return pl.DataFrame(rows, FOUND, orient="row")


def test_what_the_price_has_passed_is_no_cluster_and_the_nearest_comes_first() -> None:
    found = pl.concat(
        [clusters((90, 91), (99.5, 100.5), (97, 98), (101, 102)), clusters((98, 99), (103, 104), side="short")]
    )
    left = ahead(found, 100)
    assert left.select("position_side", "price_low").rows() == [
        ("long", 99.5),
        ("long", 97),
        ("short", 103),
        ("long", 90),
    ]
    assert left["distance"].to_list() == pytest.approx([0, -0.02, 0.03, -0.09])
    assert left.schema == CLUSTERS


def test_a_cluster_that_begins_within_is_shown_whole_and_no_other() -> None:
    whole = ahead(clusters((85, 91), (80, 84)), 100)
    for within in (0.1, 0.12, 0.15):
        assert near(whole, within).select("price_low", "price_high", "share").rows() == [(85, 91, 0.1)]
    assert near(whole, 0.17).height == 2


def test_a_stop_is_beyond_the_whole_cluster_wherever_the_window_ends() -> None:
    found = ahead(clusters((104.4, 112), side="short"), 100)
    stops = [suggest_stop(found, "short", 100, 120, 109.2, within).price for within in (0.05, 0.1, 0.2)]
    assert stops == pytest.approx([112.1] * 3)


def test_a_stop_names_the_cluster_that_it_passes_by_its_bounds_and_says_how_the_first_try_lay() -> None:
    inside = suggest_stop(clusters((94.5, 95.5)), "long", 100, 90).reason
    assert inside == "just beyond the cluster 94.5 to 95.5, the most of it at 95: 95 lies in it"
    beside = suggest_stop(clusters((95.05, 95.5)), "long", 100, 90).reason
    assert beside.endswith("95 is nearer to it than 0.1% of the price")
    far = suggest_stop(clusters(), "long", 100, 50, 70).reason
    assert far == "clusters are known only within 20%"


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
    st.lists(st.tuples(st.floats(80, 120), st.floats(0.1, 5), st.sampled_from(["long", "short"])), max_size=12),
    st.sampled_from(["long", "short"]), st.floats(0.01, 0.5),
)  # fmt: skip
def test_a_stop_is_in_no_cluster_and_between_price_and_liquidation(
    rows: list[tuple[float, float, str]], side: Any, room: float
) -> None:
    d = 1 if side == "long" else -1
    liquidation = 100 * (1 - d * room)
    apart: list[tuple[float, float, str]] = []
    for low, wide, of in sorted(rows):
        if not apart or low > apart[-1][1]:
            apart.append((low, low + wide, of))
    found = ahead(pl.concat([FOUND.to_frame(), *(clusters(span[:2], side=span[2]) for span in apart)]), 100)
    stop = suggest_stop(found, side, 100, liquidation).price
    if stop is not None:
        assert d * (100 - stop) > 0
        assert d * (stop - liquidation) >= d * (100 - liquidation) * SAFE - 1e-9
        assert not any(low <= stop <= high for low, high in found.select("price_low", "price_high").iter_rows())
