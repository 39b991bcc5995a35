"""A world that an older version made opens, is brought to today's tables and views, keeps every row, and answers."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.derive.bars.run import rollup
from pipelines.derive.coverage.cover import cover
from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.statements import statements
from warehouse.tables import TABLES

ROOT = Path(__file__).parents[2]
OLDER = "c422a65b75cb6623034b07d53f57e8bce837e0c8"
"""The last version before venues had folders, records a feed, and buckets the value that happened last."""
MAKE = """
import sys
from datetime import timedelta
from pathlib import Path
from pipelines.audit.cover import cover
from pipelines.cascades.run import detect
from pipelines.rollup.run import rollup
from tests.day.lake import GRID_S, _commits
from tests.pipelines.commits import placed
from tests.pipelines.test_same_whenever import DAY_MS, LENGTH_MS, Minutes
from warehouse import lake, schema
from datetime import UTC, datetime

world = Path(sys.argv[1])
end = datetime.fromtimestamp((DAY_MS + LENGTH_MS) / 1000, UTC).replace(tzinfo=None)
schema.create_or_migrate(world)
with lake.open(world, read_only=False) as warehouse:
    _commits(warehouse, placed(Minutes().run()))
    rollup(warehouse)
    cover(warehouse, end, GRID_S)
    detect(warehouse, end - timedelta(hours=1), end, end)
"""
DERIVED = {"schema_history", "feed_coverage", "coverage_progress", "rollup_pending", "commit_duplicates"}
ASKED = ("liquidations", "funding_rates", "open_interest", "session_frames", "raw_frames", "liquidations_1m")


def is_known() -> bool:
    """Tell whether this copy of the repository has the older version."""
    command = ["git", "-C", str(ROOT), "cat-file", "-e", f"{OLDER}^{{commit}}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def made_by_the_older_version(folder: Path) -> Path:
    tree, world = folder / "older", folder / "world"
    tree.mkdir()
    with subprocess.Popen(["git", "-C", str(ROOT), "archive", OLDER], stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(tree)], stdin=archive.stdout, check=True)
    env = {**os.environ, "PYTHONPATH": str(tree)}
    subprocess.run([sys.executable, "-c", MAKE, str(world)], cwd=tree, env=env, check=True, capture_output=True)
    return world


def counted(warehouse: Lake) -> dict[str, int]:
    rows = {}
    for name in set(TABLES) - DERIVED:
        found = warehouse.connection.execute(f"SELECT count(*) FROM {name}").fetchone()
        rows[name] = found[0] if found else 0
    return rows


def unanswered(warehouse: Lake) -> dict[str, str]:
    """Return the views that do not answer, and why."""
    wrong = {}
    for view in statements():
        if view.kind == "view":
            try:
                warehouse.connection.execute(f"FROM {view.name} LIMIT 1").fetchall()
            except duckdb.Error as error:
                wrong[view.name] = str(error)
    return wrong


@pytest.mark.skipif(not is_known(), reason="this copy of the repository has not the older version's commit")
def test_a_world_of_an_older_version_opens_is_brought_up_to_date_and_answers(tmp_path: Path) -> None:
    world = made_by_the_older_version(tmp_path)
    with lake.open(world) as older:
        before = {name: older.connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in ASKED}
    assert all(row and row[0] for row in before.values()), before
    assert any("feed" in line for line in schema.create_or_migrate(world))
    assert schema.create_or_migrate(world) == []
    with lake.open(world, read_only=False) as warehouse:
        assert {name: (counted(warehouse)[name],) for name in ASKED} == before
        assert unanswered(warehouse) == {}
        nameless = "SELECT count(*) FROM session_frames WHERE feed IS NULL OR source IS NULL"
        assert warehouse.connection.execute(nameless).fetchone() == (0,)
        stored = counted(warehouse)
        rollup(warehouse, everything=True)
        cover(warehouse, datetime.now(UTC).replace(tzinfo=None))
        assert counted(warehouse) == stored
        assert unanswered(warehouse) == {}
