"""The lakes of the benchmarks: what is added to a kept one goes on where it ended, and runs work on a copy of it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bench import kept, state, year
from warehouse import lake
from warehouse.maintain import maintain

MADE, ADDED = year.END + timedelta(minutes=10), timedelta(days=1, minutes=11)
"""Soon after midnight, as a day that has begun is stored an hour at a time."""
MINUTES = """
SELECT count(*) - count(DISTINCT (venue, symbol, {time})), max({time}),
    (SELECT count(DISTINCT {time}) FROM {table}) - date_diff('minute', min({time}), max({time})) - 1 FROM {table}
"""
COVERED = "SELECT max(minute), count(*) - count(DISTINCT (venue, channel, minute)) FROM feed_coverage"
LIQUIDATIONS = "SELECT max(ts_event), count(*), (SELECT sum(count) FROM liquidations_1d) FROM liquidations"
BARS = "SELECT max(hour), count(*) - count(DISTINCT (venue, symbol, hour)) FROM {table}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "CONTRACTS", 30)
        patch.setattr(year, "ROWS", 4_000)
        patch.setattr(year, "DAYS", 3)
        made = tmp_path_factory.mktemp("made") / "world"
        year.build(made, 3, 2, MADE)
        year.add(made, MADE + ADDED)
        yield made


@pytest.mark.parametrize("table", sorted(state.MINUTES))
def test_what_is_added_to_a_kept_lake_has_every_minute_once(world: Path, table: str) -> None:
    time, _ = state.MINUTES[table]
    with lake.open(world) as opened:
        doubled, last, missing = opened.connection.execute(MINUTES.format(table=table, time=time)).fetchall()[0]
    assert (doubled, last, missing) == (0, MADE + ADDED - timedelta(minutes=1), 0)


def test_bars_and_coverage_reach_up_to_now_too(world: Path) -> None:
    now = MADE + ADDED
    with lake.open(world) as opened:
        run = opened.connection.execute
        for table in ("prices_1h", "open_interest_1h"):
            assert run(BARS.format(table=table)).fetchall() == [(now.replace(minute=0), 0)], table
        assert run(COVERED).fetchall() == [(now - timedelta(minutes=1), 0)]
        ((last, n, in_bars),) = run(LIQUIDATIONS).fetchall()
    assert now - timedelta(hours=2) < last < now
    assert n == in_bars


def test_a_run_on_a_copy_leaves_the_kept_lake_as_it_is(world: Path) -> None:
    with kept.copied(world) as copy:
        with lake.open(copy, read_only=False) as opened:
            opened.connection.execute("DELETE FROM liquidations")
            maintain(opened, year.NOTHING, year.NOTHING)  # deletes the files that are out of use
        with lake.open(copy) as opened:
            assert opened.connection.execute("SELECT count(*) FROM liquidations").fetchall() == [(0,)]
    assert not copy.exists()
    with lake.open(world) as opened:
        assert opened.connection.execute("SELECT count(*) > 4000 FROM liquidations").fetchall() == [(True,)]


def test_a_lake_is_made_once_and_again_when_its_makers_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[Path]()

    def make(folder: Path) -> None:
        made.append(folder)
        year.schema.create_or_migrate(folder)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept, "WORLD", None)
    assert kept.kept("x", make) == kept.kept("x", make)
    assert len(made) == 1
    monkeypatch.setattr(kept, "MAKERS", (kept,))
    kept.kept("x", make)
    assert len(made) == 2
