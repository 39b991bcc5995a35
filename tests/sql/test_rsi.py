"""RSI in SQL against Wilder's recursion in plain Python, over series long enough for every block of the sum."""

import math
import random
from itertools import pairwise

import duckdb
import pytest

from warehouse.lake import Lake


def _wilder(closes: list[float], n: int) -> list[float | None]:
    steps = [after - before for before, after in pairwise(closes)]
    gain = sum(max(step, 0) for step in steps[:n]) / n
    loss = sum(max(-step, 0) for step in steps[:n]) / n
    found: list[float | None] = [None] * n + [100 * gain / (gain + loss)]
    for step in steps[n:]:
        gain, loss = (gain * (n - 1) + max(step, 0)) / n, (loss * (n - 1) + max(-step, 0)) / n
        found.append(100 * gain / (gain + loss))
    return found


def _series(empty: Lake, walks: dict[str, list[float]], n: int) -> dict[str, list[tuple[float | None, bool]]]:
    empty.connection.execute("CREATE OR REPLACE TEMP TABLE walk (venue TEXT, bar INTEGER, close DOUBLE)")
    for venue, closes in walks.items():
        empty.connection.execute("INSERT INTO walk SELECT ?, unnest(range(len($2))), unnest($2)", [venue, closes])
    rows = empty.connection.execute(
        "WITH shaped AS (SELECT *, 'S' AS symbol, 'I' AS instrument, '1h' AS \"interval\" FROM walk) "
        f"SELECT venue, value, settled FROM rsi_series('shaped', {n}) ORDER BY venue, bar"
    ).fetchall()
    return {venue: [(value, settled) for of, value, settled in rows if of == venue] for venue in walks}


@pytest.mark.parametrize("n", [2, 3, 14])
def test_every_value_is_that_of_the_recursion(empty: Lake, n: int) -> None:
    chance = random.Random(n)
    walks = {venue: [100 * math.exp(chance.gauss(0, 0.01)) for _ in range(length)] for venue, length in
             (("a", 20 * n), ("b", 950 * n), ("c", n + 1))}  # fmt: skip
    for venue, found in _series(empty, walks, n).items():
        wanted = _wilder(walks[venue], n)
        assert [value for value, _ in found] == [
            None if one is None else pytest.approx(one, abs=1e-9) for one in wanted
        ]
        assert [settled for _, settled in found] == [number >= 10 * n for number in range(len(found))]


def test_an_rsi_of_one_change_is_refused(empty: Lake) -> None:
    with pytest.raises(duckdb.Error, match="n is 2 at least"):
        _series(empty, {"a": [1.0, 2.0, 3.0, 2.0]}, 1)


def test_a_series_that_moves_the_other_way_has_the_rest_to_a_hundred(empty: Lake) -> None:
    chance = random.Random(7)
    up = [100 + sum(chance.gauss(0, 1) for _ in range(3)) for _ in range(200)]
    found = _series(empty, {"up": up, "down": [200 - price for price in up]}, 14)
    for (above, _), (below, _) in zip(found["up"][14:], found["down"][14:], strict=True):
        assert (above or 0) + (below or 0) == pytest.approx(100)
