"""Of a bar shorter than a minute a picture knows to the second whether the feeds were heard."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.derive.coverage.cover import cover
from pipelines.plots.read.coverage import coverage
from tests.pipelines.heard import at, brings, commit, event
from warehouse import lake
from warehouse.lake import Lake

CHANNEL = "allLiquidation"
SECOND = timedelta(seconds=1)


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        session = "bybit-public-1-aaaa"
        begun, stopped = at(0) + 20 * SECOND, at(2) + 30.5 * SECOND
        told = [event(session, "subscribed", begun, channels=brings(CHANNEL)), event(session, "stopped", stopped)]
        commit(opened, at(4), collector_events=told)
        cover(opened, at(4))
        yield opened


def test_a_minute_heard_in_part_is_measured_by_the_bar(warehouse: Lake) -> None:
    since, until = at(0) + 10.5 * SECOND, at(3)
    found = coverage(warehouse, since, until, SECOND)
    shares = {round((ts - at(0)) / SECOND): share for ts, share in found.select("ts", "coverage_share").iter_rows()}
    assert list(shares) == list(range(10, 180))
    assert {second for second, share in shares.items() if share == 1} == set(range(20, 150))
    assert shares[150] == pytest.approx(0.5)
    assert {share for second, share in shares.items() if second not in range(20, 151)} == {0.0}


def test_bars_of_a_minute_are_those_of_the_minutes_also_where_the_time_begins_in_one(warehouse: Lake) -> None:
    found = coverage(warehouse, at(0) + 10 * SECOND, at(3), timedelta(minutes=1))
    assert found["ts"].to_list() == [at(0), at(1), at(2)]
    assert found["coverage_share"].to_list() == pytest.approx([40 / 60, 1, 30.5 / 60])
