"""The weights of features: found where they are known, none below 0, drawn to what was known before, and of the past alone."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.derive.levels.features import FEATURES
from pipelines.derive.levels.forecast import FITTED, POOLED, PUBLISHED, solved, weights_for
from pipelines.derive.levels.parameters import PARAMETERS
from warehouse.tables import TABLES

START = datetime(2026, 9, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
TRUE = np.array([0.0, 2.0, 1.0, 0.5, 0.0])


def sides(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of features, and what came of them with a scatter as large as themselves."""
    dice = np.random.default_rng(seed)
    x = dice.gamma(0.7, 2.0, (rows, len(FEATURES)))
    return x, (x @ TRUE) * dice.exponential(1.0, rows)


def test_known_weights_are_found_within_a_tenth_and_what_does_nothing_gets_next_to_none() -> None:
    found = solved(*sides(20_000, 1), None, 1.0)
    assert found is not None
    assert found[1:4] == pytest.approx(TRUE[1:4], rel=0.1)
    assert found[[0, 4]] == pytest.approx([0, 0], abs=0.05)


@given(st.integers(0, 1000), st.integers(3, 60))
def test_no_weight_is_below_nothing(seed: int, rows: int) -> None:
    found = solved(*sides(rows, seed), None, 1.0)
    assert found is not None
    assert min(found) >= 0


def test_few_rows_leave_the_weights_near_those_before_and_many_do_not() -> None:
    before = np.array([1.0, 0.5, 0.5, 0.5, 0.5])

    def off(rows: int) -> float:
        found = solved(*sides(rows, 2), before, 200.0)
        assert found is not None
        return float(np.abs(found - before).sum())

    assert off(5) < 0.5 * off(20_000)


def test_where_nothing_was_liquidated_there_are_no_weights() -> None:
    assert solved(np.ones((5, len(FEATURES))), np.zeros(5), None, 1.0) is None


def test_the_weights_in_use_are_the_newest_of_before_and_those_nearest_to_the_coin() -> None:
    def rows(base: str | None, venue: str | None, days: int, weight: float) -> list[dict[str, object]]:
        common = {
            "base": base,
            "venue": venue,
            "valid_from": START + timedelta(days=days),
            "parameters": PARAMETERS.version,
        }
        return [common | {"feature": name, "weight": weight} for name in FEATURES]

    every = [
        *rows("X", "one", 1, 1.0),
        *rows("X", "one", 3, 9.0),
        *rows(None, "one", 1, 2.0),
        *rows(None, None, 1, 3.0),
    ]
    schema = TABLES["levels_features"].schema
    stored = pl.DataFrame([dict.fromkeys(schema) | row for row in every], schema=schema)
    whose = pl.DataFrame({"base": ["X", "Y", "Y"], "venue": ["one", "one", "two"]})

    def used(days: int) -> dict[tuple[str, str], tuple[str, float]]:
        found = weights_for(stored, whose, START + timedelta(days=days), PARAMETERS)
        return {
            (b, v): (how, w) for b, v, how, w in found.select("base", "venue", "features_from", "w_rest").iter_rows()
        }

    assert used(2) == {("X", "one"): (FITTED, 1.0), ("Y", "one"): (POOLED, 2.0), ("Y", "two"): (POOLED, 3.0)}
    assert used(4)["X", "one"] == (FITTED, 9.0)
    assert set(used(0).values()) == {(PUBLISHED, PARAMETERS.reach[1])}
