"""The whole of lake, writer and maintain against a plain model: after any sequence of steps the rows are the same."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.tables import Column, Table
from warehouse.tables.table import by_day
from warehouse.writer import append, replace

COLUMNS = (
    Column("t", "TIMESTAMP", ""),
    Column("k", "UBIGINT", ""),
    Column("v", "DOUBLE", ""),
    Column("s", "VARCHAR", ""),
)
KEYED = Table("keyed", "", COLUMNS, by_day("t"), ("t",), key=("t", "k"), key_time="t")
PLAIN = Table("plain", "", COLUMNS, by_day("t"), ("s", "t"))
REPLACED = Table("replaced", "", COLUMNS, by_day("t"), ("t",), append_only=False)
KNOWN = {table.name: table for table in (KEYED, PLAIN, REPLACED)}
START = datetime(2026, 2, 27)  # noqa: DTZ001
Row = tuple[datetime, int, float | None, str | None]


class StopError(Exception):
    """Raised by a step inside its transaction."""


class Model:
    """The lake under test, and beside it what it must hold."""

    def __init__(self, world: Path, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.keyed: dict[tuple[datetime, int], Row] = {}
        self.plain: Counter[Row] = Counter()
        self.replaced: Counter[Row] = Counter()
        schema.create_or_migrate(world, KNOWN.values(), [])
        self.lake = self.opened()

    def opened(self) -> Lake:
        return lake.open(self.world, read_only=False)

    def rows(self) -> list[Row]:
        size = self.random.choice([0, 1, 3, 8, 9, 40])
        return [self.row() for _ in range(size)]

    def row(self) -> Row:
        moment = START + timedelta(hours=self.random.randrange(96))
        return (
            moment,
            self.random.randrange(6),
            self.random.choice([None, 0.1, -1e300]),
            self.random.choice([None, "", "é'"]),
        )

    def append(self) -> None:
        keyed, plain = self.rows(), self.rows()
        done = append(self.lake, {"keyed": _frame(keyed), "plain": _frame(plain)}, KNOWN)
        before = len(self.keyed)
        for row in keyed:
            self.keyed.setdefault(row[:2], row)
        self.plain.update(plain)
        assert done["keyed"] == (len(self.keyed) - before, len(keyed) - len(self.keyed) + before)

    def replace(self) -> None:
        first = START + timedelta(hours=self.random.randrange(96))
        last = first + timedelta(hours=self.random.choice([1, 30]))
        rows = [row for row in self.rows() if first <= row[0] < last]
        gone = Counter({row: count for row, count in self.replaced.items() if first <= row[0] < last})
        where = f"t >= TIMESTAMP '{first}' AND t < TIMESTAMP '{last}'"
        assert replace(self.lake, "replaced", _frame(rows), where, KNOWN) == (gone.total(), len(rows))
        self.replaced -= gone
        self.replaced.update(rows)

    def roll_back(self) -> None:
        with pytest.raises(StopError), self.lake.transaction() as connection:  # noqa: PT012
            connection.execute("INSERT INTO plain SELECT TIMESTAMP '2026-03-01', 1, 1, 'lost' FROM range(20)")
            connection.execute("DELETE FROM replaced WHERE k < 3")
            raise StopError

    def maintain(self) -> None:
        keep = timedelta(0) if self.random.random() < 0.7 else timedelta(hours=1)
        maintain(self.lake, keep_snapshots=keep, keep_files=keep, known=KNOWN)

    def reopen(self) -> None:
        self.lake.close()
        self.lake = self.opened()

    def check(self) -> None:
        for opened in (self.lake, lake.open(self.world)):
            for name, held in (
                ("keyed", Counter(self.keyed.values())),
                ("plain", self.plain),
                ("replaced", self.replaced),
            ):
                assert Counter(opened.connection.execute(f"FROM {name}").fetchall()) == held, name
                assert opened.connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (held.total(),), name
        opened.close()


def _frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=KEYED.schema, orient="row")


@pytest.mark.parametrize("seed", range(2))
def test_after_any_sequence_of_steps_the_lake_holds_what_the_model_holds(tmp_path: Path, seed: int) -> None:
    model = Model(tmp_path, seed)
    steps: list[Callable[[], None]] = [model.append] * 6 + [model.replace] * 4 + [model.roll_back, model.maintain]
    for number in range(60):
        model.random.choice([*steps, model.reopen])()
        if number % 5 == 4:
            model.check()
    model.maintain()
    model.check()
    model.lake.close()
