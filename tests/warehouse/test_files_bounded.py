"""Files a partition stay bounded while several workers commit to one lake in a real PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import polars as pl
import pytest

from tests.warehouse.conftest import NOON
from tests.warehouse.servers import Postgres
from warehouse import compact, lake, schema
from warehouse.claim import Claim
from warehouse.compact import crowded
from warehouse.keeping.files import current_snapshot
from warehouse.maintain import maintain
from warehouse.settings import WarehouseSettings
from warehouse.tables import TABLES
from warehouse.writer import append

NEEDED = {name: TABLES[name] for name in ("liquidations", "rollup_pending", "commit_duplicates")}
WORKERS, COMMITS = 4, 25
PATIENCE_S = 250
ROWS = "SELECT count(*), count(DISTINCT event_key) FROM liquidations"


def test_one_maintain_beside_four_workers_leaves_a_file_a_partition_and_what_was_committed_meanwhile(
    postgres_server: Postgres,
    tmp_path: Path,
    liquidations: Callable[..., pl.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compact, "MOST_FILES", 25)  # so that what groups became is joined again
    settings = WarehouseSettings(catalogue=postgres_server.database("liq_bounded"), files=str(tmp_path / "files"))
    worlds = [tmp_path / str(number) for number in range(WORKERS)]
    for world in worlds:
        schema.create_or_migrate(world, NEEDED.values(), [], settings)
    half, made, begun = Barrier(WORKERS + 1), Event(), list[int]()

    def work(number: int) -> None:
        with lake.open(worlds[number], read_only=False, settings=settings) as own:
            for turn in range(COMMITS):
                if turn == COMMITS - 2:
                    half.wait(PATIENCE_S)
                    made.wait(PATIENCE_S)
                claim = Claim(
                    f"{number}-{turn}",
                    current_snapshot(own.connection),
                    {f"raw.liquidation/{number}": (turn, turn + 1)},
                )
                first = (number * COMMITS + turn) * 10
                append(own, {"liquidations": liquidations(2, NOON, first)}, claim=claim)

    with (
        lake.open(worlds[0], read_only=False, settings=settings) as upkeep,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        working = [pool.submit(work, number) for number in range(WORKERS)]
        half.wait(PATIENCE_S)
        begun.append(crowded(upkeep.connection)[1])
        made.set()
        done = maintain(upkeep, known=NEEDED)
        for each in working:
            each.result()
        assert begun == [WORKERS * (COMMITS - 2)]
        assert done.files_joined > 2 * begun[0]
        assert crowded(upkeep.connection)[1] <= 1 + 2 * WORKERS
        maintain(upkeep, known=NEEDED)
        assert crowded(upkeep.connection)[1] == 1
        assert upkeep.connection.execute(ROWS).fetchone() == (2 * WORKERS * COMMITS, 2 * WORKERS * COMMITS)


def test_groups_are_of_one_partition_and_of_no_more_files_than_writers_can_wait_for() -> None:
    small = [compact.File(("2026", "10", day), first, 1, 1000) for day in ("1", "2") for first in range(450)]
    large = [compact.File(("2026", "10", "3"), first, 1, 20 * compact.MB) for first in range(40)]
    groups = list(compact._groups([*small, *large]))
    assert [(group[0].partition[2], len(group)) for group in groups] == [
        ("1", 200), ("1", 200), ("1", 50), ("2", 200), ("2", 200), ("2", 50)
    ]  # fmt: skip
