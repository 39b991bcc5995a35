"""A writer killed at any moment leaves whole transactions only."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse import lake, schema
from warehouse.maintain import maintain
from warehouse.tables import Column, Table

PAIR = tuple(Table(name, "one row", (Column("batch", "INTEGER", ""),)) for name in ("one", "other"))
CHILD = """
import sys
from pathlib import Path
import polars as pl
from warehouse import lake
from warehouse.tables import Column, Table
from warehouse.writer import append

known = {name: Table(name, "one row", (Column("batch", "INTEGER", ""),)) for name in ("one", "other")}
world, batch = Path(sys.argv[1]), int(sys.argv[2])
with lake.open(world, read_only=False) as opened:
    while True:
        size = 300 if batch % 2 else 3
        frame = pl.DataFrame({"batch": [batch] * size}, {"batch": pl.Int32})
        append(opened, {"one": frame, "other": frame}, known)
        print(batch, flush=True)
        batch += 1
"""
ONCE = """
import sys, time
from pathlib import Path
from warehouse import lake
with lake.open(Path(sys.argv[1]), read_only=False) as opened, opened.transaction() as connection:
    connection.execute("INSERT INTO one SELECT -1 FROM range(300)")
    connection.execute("INSERT INTO other SELECT -1 FROM range(3)")
    print("inside", flush=True)
    sys.stdin.read()
"""


def _child(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )


def _batches(world: Path) -> dict[str, dict[int, int]]:
    with lake.open(world) as opened:
        return {
            table.name: dict(
                opened.connection.execute(f"SELECT batch, count(*) FROM {table.name} GROUP BY 1").fetchall()
            )
            for table in PAIR
        }


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    schema.create_or_migrate(tmp_path, PAIR, [])
    return tmp_path


def test_a_writer_killed_at_any_moment_leaves_whole_transactions_only(pair: Path) -> None:
    seeded = random.Random(7)
    told: set[int] = set()
    for life in range(4):
        child = _child(CHILD, str(pair), str(1000 * life))
        assert child.stdout
        told |= {int(child.stdout.readline()) for _ in range(seeded.randint(1, 12))}
        child.send_signal(signal.SIGKILL)
        told |= {int(line) for line in child.stdout.read().split()}
        child.wait()
        stored = _batches(pair)
        assert stored["one"] == stored["other"]
        assert all(size == (300 if batch % 2 else 3) for batch, size in stored["one"].items())
        assert told <= set(stored["one"])
        assert len(stored["one"]) - len(told) <= life + 1  # at most one a life was stored and not told


def test_a_writer_killed_inside_a_transaction_leaves_nothing_of_it_and_frees_the_lock(pair: Path) -> None:
    child = _child(ONCE, str(pair))
    assert child.stdout
    assert child.stdout.readline() == "inside\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    with lake.open(pair, read_only=False) as opened:
        with opened.transaction() as connection:
            connection.execute("INSERT INTO one SELECT 5 FROM range(300)")
        maintain(opened, known={table.name: table for table in PAIR})
    assert _batches(pair) == {"one": {5: 300}, "other": {}}
