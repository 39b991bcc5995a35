"""The whole of lake, writer and maintain against a plain model: after any sequence of steps the rows are the same."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from warehouse import lake, schema
from warehouse.errors import FramesChangedError
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.tables import TABLES, Column, Table
from warehouse.tables.table import by_day
from warehouse.writer import Frames, append, replace, rewrite

COLUMNS = (
    Column("t", "TIMESTAMP", ""),
    Column("k", "UBIGINT", ""),
    Column("v", "DOUBLE", ""),
    Column("s", "VARCHAR", ""),
)
KEYED = Table("keyed", "", COLUMNS, by_day("t"), ("t",), key=("t", "k"), key_time="t")
PLAIN = Table("plain", "", COLUMNS, by_day("t"), ("s", "t"))
REPLACED = Table("replaced", "", COLUMNS, by_day("t"), ("t",), append_only=False)
RAW = TABLES["raw_frames"]
TRACE = tuple(
    RAW.column(name) for name in ("ts_recv", "kafka_topic", "kafka_partition", "kafka_offset", "session", "seq")
)
DERIVED = Table("derived", "", (*COLUMNS, *TRACE), by_day("t"), ("t",), key=("t", "k"), key_time="t")
LETTERS = Table("letters", "", (*COLUMNS, *TRACE), (), ("ts_recv",))
KNOWN = {table.name: table for table in (KEYED, PLAIN, REPLACED, RAW, DERIVED, LETTERS)}
START = datetime(2026, 2, 27)  # noqa: DTZ001
Row = tuple[datetime, int, float | None, str | None]
Trace = tuple[datetime, str, int, int, str, int]


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
        self.frames: list[Trace] = []
        self.derived: dict[tuple[datetime, int], tuple[object, ...]] = {}
        self.letters: Counter[tuple[object, ...]] = Counter()
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
        hours = self.random.choice([1, 30, 96])
        last = first + timedelta(hours=hours)
        rows = [(first + timedelta(hours=self.random.randrange(hours)), *row[1:]) for row in self.rows()]
        gone = Counter({row: count for row, count in self.replaced.items() if first <= row[0] < last})
        where = f"t >= TIMESTAMP '{first}' AND t < TIMESTAMP '{last}'"
        assert replace(self.lake, "replaced", _frame(rows), where, KNOWN) == (gone.total(), len(rows))
        self.replaced -= gone
        self.replaced.update(rows)

    def take_in(self) -> None:
        """Store frames with the rows they gave; some rows have no frame in raw_frames, as of a topic that is not kept."""
        new = [self.frame(len(self.frames) + n) for n in range(self.random.choice([1, 5, 30]))]
        self.frames += new
        given = [row for frame in new for row in self.rows_of(frame)]
        given += [(*self.row(), frame[0], frame[1], frame[2], frame[3], "not kept", frame[5]) for frame in new[:2]]
        letters = [row for frame in new for row in self.rows_of(frame, 3)]
        tables = {"raw_frames": _raw(new), "derived": _traced(given), "letters": _traced(letters)}
        append(self.lake, tables, KNOWN)
        for row in given:
            self.derived.setdefault(row[:2], row)
        self.letters.update(letters)

    def frame(self, number: int) -> Trace:
        arrival = START + timedelta(hours=self.random.randrange(96))
        return arrival, self.random.choice(["raw.a", "raw.b"]), self.random.randrange(2), number // 2, "s", number

    def rows_of(self, frame: Trace, most: int = 2) -> list[tuple[object, ...]]:
        return [(*self.row(), *frame) for _ in range(self.random.randrange(most + 1))]

    def rewrite(self) -> None:
        since = START + timedelta(hours=self.random.randrange(96))
        until = since + timedelta(hours=self.random.choice([1, 24, 96]))
        topics = self.random.choice([("raw.a",), ("raw.b", "raw.a")])
        chosen = [frame for frame in self.frames if since <= frame[0] < until and frame[1] in topics]
        if self.random.random() < 0.3:  # the frames give what they gave before
            given = [row for row in self.derived.values() if row[4:] in chosen]
            letters = [row for row in self.letters.elements() if row[4:] in chosen]
        else:
            given = [row for frame in chosen for row in self.rows_of(frame)]
            letters = [row for frame in chosen for row in self.rows_of(frame, 3)]
        frames = Frames(since, until, topics, len(chosen))
        tables = {"derived": _traced(given), "letters": _traced(letters)}
        with pytest.raises(FramesChangedError):
            rewrite(self.lake, tables, frames._replace(number=len(chosen) + 1), KNOWN)
        stored = {key: row for key, row in self.derived.items() if row[4:] in chosen}
        rewrite(self.lake, tables, frames, KNOWN)
        self.derived = {key: row for key, row in self.derived.items() if key not in stored}
        for row in sorted(given, key=lambda row: stored.get(row[:2], ())[4:] != row[4:]):  # the frame stored now first
            self.derived.setdefault(row[:2], row)
        self.letters = Counter({row: n for row, n in self.letters.items() if row[4:] not in chosen}) + Counter(letters)
        again = rewrite(self.lake, tables, frames, KNOWN)
        assert all((each.gone, each.stored) == (0, 0) for each in again.values())

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

    def check_with_reader(self) -> None:
        with lake.open(self.world) as reader:
            self.check(reader)

    def check(self, *others: Lake) -> None:
        for opened in (self.lake, *others):
            for name, held in (
                ("keyed", Counter(self.keyed.values())),
                ("plain", self.plain),
                ("replaced", self.replaced),
                ("derived", Counter(self.derived.values())),
                ("letters", self.letters),
            ):
                assert Counter(opened.connection.execute(f"FROM {name}").fetchall()) == held, name
                assert opened.connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (held.total(),), name


def _frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=KEYED.schema, orient="row")


def _traced(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=DERIVED.schema, orient="row")


def _raw(frames: list[Trace]) -> pl.DataFrame:
    found = pl.DataFrame(
        frames, schema=pl.Schema({column.name: RAW.schema[column.name] for column in TRACE}), orient="row"
    )
    return pl.concat([RAW.schema.to_frame(), found], how="diagonal")


def walk(world: Path, seed: int, steps: int) -> None:
    """Take so many random steps, and see on the way and at the end that the lake holds what the model holds."""
    model = Model(world, seed)
    choice: list[Callable[[], None]] = (
        [model.append] * 6 + [model.replace] * 6 + [model.maintain] * 2 + [model.roll_back]
    )
    choice += [model.take_in] * 4 + [model.rewrite] * 4
    for number in range(1, steps + 1):
        model.random.choice([*choice, model.reopen])()
        if number % 10 == 0:
            model.check_with_reader()
        elif number % 5 == 0:
            model.check()
    model.maintain()
    model.check_with_reader()
    model.lake.close()


@pytest.mark.parametrize("seed", range(3))
def test_after_any_sequence_of_steps_the_lake_holds_what_the_model_holds(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed, steps=30)
