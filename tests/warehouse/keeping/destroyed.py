"""A lake with something of everything in it, and how it is destroyed."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from tests.warehouse.conftest import NOON
from warehouse import lake
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.tables import TABLES
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
COMMITTED = datetime.now(UTC).replace(tzinfo=None)  # too young to be summed
MONDAY = datetime(2026, 10, 5)  # noqa: DTZ001
TOLD = ("liquidations", "raw_frames", "session_frames", "ingest_commits", "rollup_pending", "schema_history")


def fill(writer: Lake, rows: Maker, liquidations: Maker, commits: int = 6, first: int = 0) -> None:
    """Store commits of liquidations over some days with their frames and accounts, take some rows out, join some files."""
    for turn in range(first, first + commits):
        frames = [
            {"venue": "bybit", "session": "s1", "feed": "x", "source": "live", "seq": 3 * turn + n,
             "kafka_topic": "raw.liquidation", "kafka_partition": 0, "kafka_offset": 3 * turn + n, "ts_recv": NOON,
             "payload": b"{}"} for n in range(3)
        ]  # fmt: skip
        session = {
            "venue": "bybit",
            "session": "s1",
            "feed": "x",
            "source": "live",
            "kafka_topic": "raw.liquidation",
            "kafka_partition": 0,
            "frames": 3,
            "seq_min": 3 * turn,
            "seq_max": 3 * turn + 2,
            "runs": [3 * turn, 3 * turn + 2],
            "run_times": [NOON, NOON],
        }
        about = {name: session[name] for name in ("kafka_topic", "kafka_partition")}
        offsets = {"offset_from": 3 * turn, "offset_next": 3 * turn + 3}
        tables = {
            "liquidations": liquidations(8, MONDAY + timedelta(days=turn % 3, hours=turn), 100 * turn),
            "raw_frames": rows("raw_frames", *frames),
            "session_frames": rows("session_frames", session | {"ts_commit": COMMITTED}),
            "ingest_commits": rows(
                "ingest_commits", about | offsets | {"ts_commit": COMMITTED, "cluster_id": "c1", "frames": 3}
            ),
        }
        append(writer, {name: frame.select(TABLES[name].schema.names()) for name, frame in tables.items()})
        if turn == first + commits // 2:
            maintain(writer, timedelta(0), timedelta(hours=1))
            with writer.transaction() as connection:
                connection.execute("DELETE FROM liquidations WHERE event_key % 7 = 3")
        if turn == first + commits // 2 + 1:  # once more of the same files, and all that one file has
            with writer.transaction() as connection:
                connection.execute("DELETE FROM liquidations WHERE event_key % 7 = 5")
                connection.execute(
                    f"DELETE FROM liquidations WHERE event_key >= {100 * turn} AND event_key < {100 * turn + 50}"
                )


def contents(world: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of the tables that `fill` filled, and what is asked of them by a view."""
    with lake.open(world) as reader:
        connection = reader.connection
        found = {name: sorted(connection.execute(f"FROM {name}").fetchall(), key=repr) for name in TOLD[:-2]}
        found["day"] = connection.execute(
            "SELECT count(*), sum(notional_usd) FROM liquidations WHERE ts_event >= '2026-10-06' AND ts_event < '2026-10-07'"
        ).fetchall()
        found["offsets"] = connection.execute("SELECT max(offset_next) FROM ingest_commits").fetchall()
    return found


def files(world: Path, table: str = "") -> list[Path]:
    """Return the Parquet files of a world, or of one table."""
    return sorted((world / "lake/files/main" / table).rglob("*.parquet"))


def lose_catalogue(world: Path) -> None:
    for file in (world / "lake").glob("catalog.sqlite*"):
        file.unlink()


def flips(of: list[Path], count: int, seed: int = 11) -> Iterator[tuple[Path, int]]:
    """Flip one bit at a time of some files and yield file and byte; the bit is right again after it."""
    seeded = random.Random(seed)
    for _ in range(count):
        file = seeded.choice(of)
        whole = file.read_bytes()
        at = seeded.randrange(len(whole))
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << seeded.randrange(8)]) + whole[at + 1 :])
        yield file, at
        file.write_bytes(whole)


def quiet(done: int, of: int) -> None:
    """Take the progress of a backup or a restore."""
    assert 0 <= done <= of
