"""A lake remembers what its rows depend on, and no command makes rows that would not go with those that are there."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collectors.topics import TICKER
from liq import app
from pipelines import row_settings
from pipelines.errors import UsageError
from pipelines.ingest.store import Store
from pipelines.row_settings import grid_of, grid_s, settle
from pipelines.settings import IngestSettings
from tests.pipelines.commits import commit, placed
from tests.pipelines.venue_frames import START_MS, Session, bybit_ticker
from warehouse import lake
from warehouse.lake import Lake
from warehouse.row_settings import stored

SINCE = datetime(2026, 9, 1)  # noqa: DTZ001
ROWS = "SELECT count(*), sum(mark_price) FROM mark_prices"


@pytest.fixture
def world(fresh_world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A world that was ingested on a grid of 5 s: 40 mark prices in 200 s; LIQ_GRID_S is not set any more."""
    bybit = Session("bybit", "linear-1-aaaa")
    frames = placed(
        bybit.frame("tickers", "BTCUSDT", bybit_ticker(at, "delta" if n else "snapshot", n, markPrice=str(100 + n)), at, TICKER)
        for n, at in enumerate(range(START_MS, START_MS + 200_000, 5_000))
    )  # fmt: skip
    monkeypatch.setenv("LIQ_DATA", str(fresh_world))
    with lake.open(fresh_world, read_only=False) as warehouse:
        assert settle(warehouse, IngestSettings(data=fresh_world, grid_s=5)) == 5
        commit(warehouse, frames, grid_s=5)
    return fresh_world


@pytest.fixture
def warehouse(world: Path) -> Iterator[Lake]:
    with lake.open(world, read_only=False) as opened:
        yield opened


@pytest.fixture
def reprocess(world: Path) -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(app, ["reprocess", "--since", "2026-09-01", *words], prog_name="liq")


def test_reprocess_keeps_the_grid_that_ingest_had_without_being_told(
    world: Path, warehouse: Lake, reprocess: Callable[..., Result]
) -> None:
    before = warehouse.connection.execute(ROWS).fetchone()
    assert before
    assert before[0] == 40
    done = reprocess()
    assert (done.exit_code, "nothing changed" in done.stdout) == (0, True), done.output
    assert warehouse.connection.execute(ROWS).fetchone() == before


def test_reprocess_refuses_another_grid_in_one_line_and_says_how_to_go_on(
    warehouse: Lake, reprocess: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = warehouse.connection.execute(ROWS).fetchone()
    monkeypatch.setenv("LIQ_GRID_S", "60")
    done = reprocess()
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "are kept one every 5 s, and LIQ_GRID_S is 60: unset it" in done.stderr
    assert warehouse.connection.execute(ROWS).fetchone() == before


def test_ingest_goes_on_with_the_lakes_grid_and_refuses_another_unless_it_is_asked_for(world: Path) -> None:
    def begun(new_grid: bool = False, **given: int) -> int:
        store = Store(IngestSettings(data=world, **given), new_grid=new_grid)
        try:
            return store.open("cluster").grid_s
        finally:
            store.close()

    assert begun() == 5
    with pytest.raises(UsageError, match=r"kept one every 5 s, and LIQ_GRID_S is 30: .* `liq ingest --new-grid`"):
        begun(grid_s=30)
    assert begun(new_grid=True, grid_s=30) == 30
    assert begun() == 30


def test_over_a_change_of_the_grid_each_part_is_done_on_its_own(
    warehouse: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(warehouse, IngestSettings(data=warehouse.world, grid_s=30), new_grid=True)
    _, changed = stored(warehouse.connection, "grid_s")
    with pytest.raises(UsageError, match=r"the grid changed at 20.*--until 20.* and after apart"):
        grid_of(warehouse, SINCE, None)
    assert grid_of(warehouse, SINCE, changed.at) == 5
    assert grid_of(warehouse, changed.at, None) == grid_s(warehouse) == 30


def test_a_lake_of_an_older_version_is_not_read_again_on_a_grid_that_is_guessed(
    fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lake.open(fresh_world, read_only=False) as warehouse:
        with pytest.raises(UsageError, match=r"does not say on which grid .* set LIQ_GRID_S to what ingest had"):
            grid_of(warehouse, SINCE, None)
        monkeypatch.setenv("LIQ_GRID_S", "7")
        assert grid_of(warehouse, SINCE, None) == 7


def test_a_lake_of_an_older_version_is_not_gone_on_with_on_a_grid_that_its_rows_are_not_on(
    world: Path, warehouse: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.connection.execute("DELETE FROM schema_history WHERE object = 'setting grid_s'")
    monkeypatch.setenv("LIQ_GRID_S", "60")
    for call in (lambda: grid_of(warehouse, SINCE, None), lambda: settle(warehouse, IngestSettings(data=world))):
        with pytest.raises(UsageError, match="on a finer grid than one every 60 s: set LIQ_GRID_S to what ingest had"):
            call()
    monkeypatch.setenv("LIQ_GRID_S", "5")
    assert grid_of(warehouse, SINCE, None) == settle(warehouse, IngestSettings(data=world)) == 5


def test_other_parsers_are_written_down_and_told(
    warehouse: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = row_settings.parsers()
    monkeypatch.setattr(row_settings, "parsers", lambda: "another")
    row_settings.log.addHandler(caplog.handler)
    with caplog.at_level("INFO", row_settings.log.name):
        settle(warehouse, IngestSettings(data=warehouse.world))
    assert [each.value for each in stored(warehouse.connection, "parsers")] == [first, "another"]
    row_settings.log.removeHandler(caplog.handler)
    assert f"before={first} now=another" in caplog.text
