"""A later row completes an earlier one also in the process of ingest, which has no pyarrow."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

from tests.warehouse.conftest import NOON
from warehouse.tables import TABLES
from warehouse.writer import _difference, _outline

WITHOUT_PYARROW = """
import sys; sys.modules["pyarrow"] = None
from datetime import datetime, timedelta
from pathlib import Path
import polars as pl
from warehouse import lake
from warehouse.tables import TABLES
from warehouse.writer import append
columns, noon = TABLES["funding_settlements"].schema, datetime(2026, 10, 10, 12)
def row(**given):
    told = dict.fromkeys(columns, None) | {"venue": "okx", "symbol": "X", "ts_event": noon, "funding_rate": 0.1} | given
    return {"funding_settlements": pl.DataFrame([told], schema=columns)}
with lake.open(Path(sys.argv[1]), read_only=False) as opened:
    for given in ({"seq": 1}, {"seq": 9, "ts_event": noon + timedelta(days=40)}, {"seq": 2, "interval_hours": 8.0}, {"seq": 3}):
        append(opened, row(**given))
    print(opened.connection.execute("SELECT seq, interval_hours FROM funding_settlements ORDER BY ts_event").fetchall())
"""


def test_a_settlement_is_completed_without_pyarrow(world: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_PYARROW, str(world)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "[(2, 8.0), (9, None)]\n"), done.stderr


def test_rows_that_are_read_again_and_the_same_are_left_as_they_are(rows: Callable[..., pl.DataFrame]) -> None:
    told = {
        "venue": "okx",
        "symbol": "X",
        "ts_event": NOON,
        "funding_rate": 0.1,
        "kafka_topic": "t",
        "kafka_partition": 0,
    }
    bare, whole = told | {"kafka_offset": 1}, told | {"kafka_offset": 2, "interval_hours": 8.0}
    table = TABLES["funding_settlements"]
    stored = _outline(table, rows("funding_settlements", whole)).with_columns(liq_row=pl.lit(1))
    gone, new = _difference(table, stored, rows("funding_settlements", bare, whole))
    assert (gone.height, new.height) == (0, 0)
