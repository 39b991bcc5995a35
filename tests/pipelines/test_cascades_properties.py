"""Properties of the rule itself: order, ties, silences, and what a stretch promises."""

import random
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.derive.cascades.run import detect
from pipelines.derive.cascades.stretches import MINUTE, SECOND, busiest, stretches
from tests.pipelines.cascade_rows import LATER, NOON, after, frame, liquidation, put, stored
from tests.warehouse.made import copied
from warehouse import lake
from warehouse.writer import append

FLOOR, GAP = 600_000.0, 10.0
PACE = FLOOR / 60
gaps = st.one_of(st.integers(1, 50_000), st.integers(1, 12 * SECOND), st.integers(SECOND, 90 * SECOND))
events = st.lists(st.tuples(gaps, st.integers(0, 2_000_000)), min_size=1, max_size=80)


def floor(_: int) -> float:
    return FLOOR


def instants(drawn: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    times, now = [], 0
    for gap, _ in drawn:
        now += gap
        times.append(now)
    return times, [usd * SECOND for _, usd in drawn]


@given(events)
def test_a_stretch_runs_above_the_pace_from_its_start_to_its_end_and_reaches_the_floor(drawn: Any) -> None:
    times, usd = instants(drawn)
    found = list(stretches(times, usd, floor, GAP))
    assert all(one.end < two.start for one, two in pairwise(found))
    for one in found:
        inside = [(t, u) for t, u in zip(times, usd, strict=True) if one.start <= t <= one.end]
        assert (one.start, one.end) == (inside[0][0], inside[-1][0])
        assert one.usd == sum(u for _, u in inside) >= FLOOR * SECOND
        assert all(later[0] - earlier[0] < GAP * SECOND for earlier, later in pairwise(inside))
        for cut in range(1, len(inside)):  # every head and every tail runs above the pace: neither can be left out
            assert sum(u for _, u in inside[:cut]) > PACE * (inside[cut][0] - one.start)
            assert sum(u for _, u in inside[cut:]) >= PACE * (one.end - inside[cut - 1][0]) * (1 - 1e-12)


@given(events, events)
def test_a_silence_parts_what_is_before_it_from_what_is_after(before: Any, later: Any) -> None:
    first_times, first_usd = instants(before)
    times, usd = instants([(int(GAP * SECOND), 0), *later])
    shifted = [first_times[-1] + t for t in times]
    whole = list(stretches(first_times + shifted, first_usd + usd, floor, GAP))
    apart = [*stretches(first_times, first_usd, floor, GAP), *stretches(shifted, usd, floor, GAP)]
    assert whole == apart


@given(events, st.sampled_from([SECOND, MINUTE]))
def test_the_busiest_span_is_the_first_of_those_that_hold_most(drawn: Any, width: int) -> None:
    times, usd = instants(drawn)
    held = [sum(u for t, u in zip(times, usd, strict=True) if start <= t < start + width) for start in times]
    assert busiest(times, usd, width) == (times[held.index(max(held))], max(held))


def market(seed: int) -> list[dict[str, Any]]:
    """Twenty minutes of two coins with bursts, many in the same microsecond, on a complete and on a throttled feed."""
    seeded = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for base in ("BTC", "ETH"):
        for start in (seeded.uniform(0, 500), seeded.uniform(600, 1200)):
            moments = [start + round(seeded.expovariate(0.3), 1) for _ in range(8)]
            rows += [_one(seeded, base, seeded.choice(moments), 80_000) for _ in range(60)]
        rows += [_one(seeded, base, seeded.uniform(0, 1200), 2_000) for _ in range(150)]
    return rows


def _one(seeded: random.Random, base: str, at: float, usd: float) -> dict[str, Any]:
    venue, told = seeded.choice([("bybit", "all"), ("okx", "one_per_second")])
    side = "long" if seeded.random() < 0.8 else "short"
    other = {"base": base, "venue": venue, "completeness": told, "position_side": side}
    return liquidation(at, usd * seeded.lognormvariate(0, 1), **other)


@pytest.mark.parametrize("seed", range(3))
def test_any_order_any_repetition_and_any_cut_of_the_time_give_the_same_cascades(
    empty_world: Path, tmp_path: Path, seed: int
) -> None:
    rows, results = market(seed), []
    for name in ("at once", "in pieces"):
        world = copied(empty_world, tmp_path / name)
        with lake.open(world, read_only=False) as warehouse:
            if name == "at once":
                put(warehouse, *rows)
                detect(warehouse, NOON, after(3600), LATER)
            else:
                _in_pieces(warehouse, rows, random.Random(seed), 3)
            results.append((stored(warehouse), stored(warehouse, "complete")))
    assert results[0] == results[1]
    assert [len(found) for found in results[0]] == [4, 4]


def _in_pieces(warehouse: lake.Lake, rows: list[dict[str, Any]], seeded: random.Random, parts: int) -> None:
    """Rows in any order, some twice, cascades looked for in between; then the time in pieces, in any order."""
    mixed = rows + seeded.sample(rows, len(rows) // 4)
    seeded.shuffle(mixed)
    for part in range(parts):
        append(warehouse, {"liquidations": frame("liquidations", *mixed[part::parts])})
        if part == 0:
            detect(warehouse, NOON, after(3600), LATER)
    cuts = [NOON, *sorted(after(seeded.uniform(0, 1300)) for _ in range(parts)), NOON + timedelta(hours=1)]
    windows = list(pairwise(cuts))
    seeded.shuffle(windows)
    for since, until in windows:
        detect(warehouse, since, until, LATER)
