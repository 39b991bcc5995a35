"""Several writers of one lake on a real PostgreSQL: they store beside each other, and never the same twice."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from datetime import timedelta

import polars as pl
import pytest

from tests.warehouse.conftest import NOON
from tests.warehouse.servers import Postgres
from warehouse import lake, schema
from warehouse.advisory import AdvisoryLock
from warehouse.beside import Beside
from warehouse.claim import Claim
from warehouse.commits import Commits
from warehouse.errors import FencedError, OvertakenError, WarehouseBusyError, WriteFailedError
from warehouse.keeping.files import current_snapshot
from warehouse.lake import Lake
from warehouse.noted import NOTHING_NOTED
from warehouse.settings import WarehouseSettings
from warehouse.tables import TABLES
from warehouse.writer import _append, append, replace

Maker = Callable[..., pl.DataFrame]
NEEDED = ("liquidations", "rollup_pending", "commit_duplicates")
KILL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE application_name LIKE 'liq writer%' AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')
"""

WAITS = "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture(scope="module")
def opened(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Lake]]:
    folder = tmp_path_factory.mktemp("shared")
    settings = WarehouseSettings(
        catalogue=postgres_server.database("liq_shared"), files=str(folder / "files"), lock_timeout_s=20
    )
    worlds = folder / "one", folder / "two"
    for world in worlds:
        schema.create_or_migrate(world, [TABLES[table] for table in NEEDED], [], settings)
    one, other = (lake.open(world, read_only=False, settings=settings) for world in worlds)
    with one, other:
        yield one, other


@pytest.fixture
def two(opened: tuple[Lake, Lake]) -> tuple[Lake, Lake]:
    """Two worlds with one lake, opened to write; its tables are empty."""
    for each in opened:
        with each.transaction() as connection:
            for table in NEEDED:
                connection.execute(f"DELETE FROM {table}")
        each.commits, each.noted = Commits(), NOTHING_NOTED
    return opened


def claim(of: Lake, name: str, at: str = "raw.liquidation/0", start: int = 0, end: int = 5) -> Claim:
    return Claim(name, current_snapshot(of.connection), {at: (start, end)})


def stored(of: Lake) -> list[int]:
    return [key for (key,) in of.connection.execute("SELECT event_key FROM liquidations ORDER BY ALL").fetchall()]


@contextmanager
def between(of: Lake, others: Callable[[], object]) -> Iterator[None]:
    """Let others do something after a transaction has written its rows, and before it commits."""
    plain, told = of.transaction_beside, list[str]()

    @contextmanager
    def patched(*given: object) -> Iterator[object]:
        with plain(*given) as connection:  # type: ignore[arg-type]
            yield connection
            others()
            told.append("done")

    of.transaction_beside = patched  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        of.transaction_beside = plain  # type: ignore[method-assign]
    assert told


def test_rows_of_two_writers_are_both_stored_though_one_commits_while_the_other_writes(
    two: tuple[Lake, Lake], liquidations: Maker
) -> None:
    one, other = two
    mine, theirs = claim(one, "a"), claim(other, "b", "raw.liquidation/1")
    with between(one, lambda: append(other, {"liquidations": liquidations(2, first=10)}, claim=theirs)):
        append(one, {"liquidations": liquidations(2)}, claim=mine)
    assert stored(one) == [0, 1, 10, 11]
    assert (one.commits.attempts, one.commits.conflicts) == (1, 0)
    assert one.commits.snapshot == current_snapshot(other.connection)
    rows = one.connection.execute("SELECT rowid FROM liquidations").fetchall()
    assert len(set(rows)) == 4, "rows are deleted by their numbers"


def test_a_row_that_another_writer_has_stored_meanwhile_is_stored_once(
    two: tuple[Lake, Lake], liquidations: Maker
) -> None:
    one, other = two
    mine, theirs = claim(one, "a"), claim(other, "b", "raw.liquidation/1")
    shifted = liquidations(3, NOON + timedelta(seconds=1), first=1)
    with between(one, lambda: append(other, {"liquidations": shifted}, claim=theirs)):
        done = append(one, {"liquidations": liquidations(3)}, claim=mine)
    assert stored(one) == [0, 1, 2, 3]
    assert done["liquidations"].duplicates == 2
    assert one.commits.conflicts == 1


def test_after_a_job_that_deletes_the_rows_are_written_again_with_what_it_left(
    two: tuple[Lake, Lake], liquidations: Maker
) -> None:
    one, other = two
    append(one, {"liquidations": liquidations(1)}, claim=claim(one, "a"))
    assert one.connection.execute("SELECT count(*) FROM rollup_pending").fetchone() == (1,)

    def roll_up() -> None:
        replace(other, "rollup_pending", TABLES["rollup_pending"].schema.to_frame(), "true")

    with between(one, roll_up):
        append(one, {"liquidations": liquidations(2)}, claim=claim(one, "b", start=5, end=9))
    assert one.connection.execute("SELECT count(*) FROM rollup_pending").fetchone() == (1,), (
        "or the bar is wrong for ever"
    )
    assert one.commits.conflicts == 1


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_records_that_another_has_committed_are_not_committed_again(
    two: tuple[Lake, Lake], liquidations: Maker, when: str
) -> None:
    one, other = two
    mine, theirs = claim(one, "a", start=0, end=5), claim(other, "b", start=0, end=3)

    def commit_theirs() -> None:
        append(other, {"liquidations": liquidations(1, first=50)}, claim=theirs)

    if when == "before":
        commit_theirs()
    others = between(one, commit_theirs) if when == "meanwhile" else nullcontext()
    with pytest.raises(FencedError, match=r"raw.liquidation/0: another ingest has committed records from 0"), others:
        append(one, {"liquidations": liquidations(1)}, claim=mine)
    assert stored(one) == [50]
    append(one, {"liquidations": liquidations(1)}, claim=claim(one, "c", start=3, end=5))
    assert stored(one) == [0, 50]


def test_a_commit_whose_answer_was_lost_is_known_by_its_name(two: tuple[Lake, Lake], liquidations: Maker) -> None:
    one, _ = two
    mine = claim(one, "a")
    for _ in range(2):
        append(one, {"liquidations": liquidations(1)}, claim=mine)
    assert stored(one) == [0]


def test_a_commit_that_lost_the_lock_is_refused_where_another_came_between(
    two: tuple[Lake, Lake], liquidations: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    plain, theirs = one._sign, claim(other, "b", "raw.liquidation/1")

    def lose_the_lock(mine: Claim, latest: int) -> None:
        plain(mine, latest)
        monkeypatch.undo()
        with closing(Beside(other.place, "killer")) as session:
            assert session.rows(KILL) == [(1,)]
        append(other, {"liquidations": liquidations(1, first=50)}, claim=theirs)

    monkeypatch.setattr(one, "_sign", lose_the_lock)
    frames = {"liquidations": liquidations(1)}
    append(other, {"liquidations": liquidations(1, first=60)}, claim=claim(other, "c", "raw.liquidation/2"))
    with pytest.raises(OvertakenError):
        _append(one, frames, TABLES, one.transaction_beside(claim(one, "a"), lambda _: False))
    assert stored(one) == [50, 60]


def test_who_waited_for_the_lock_sees_what_was_committed_while_it_waited(
    two: tuple[Lake, Lake], liquidations: Maker
) -> None:
    one, other = two
    mine, frames = claim(one, "a"), {"liquidations": liquidations(1)}
    with ThreadPoolExecutor(1) as pool:
        with other.transaction() as connection:
            connection.execute("INSERT INTO commit_duplicates VALUES (TIMESTAMP '2026-01-01', 'liquidations', 1)")
            waiting = pool.submit(lambda: _append(one, frames, TABLES, one.transaction(mine)))
            with closing(Beside(other.place, "watcher")) as session:
                while session.rows(WAITS) != [(1,)]:
                    time.sleep(0.01)
        waiting.result()
    assert stored(one) == [0]


def test_a_job_that_lost_the_lock_stores_nothing_where_another_came_between(
    two: tuple[Lake, Lake], liquidations: Maker
) -> None:
    one, other = two

    def job() -> None:
        with one.transaction() as connection:
            connection.execute("INSERT INTO commit_duplicates VALUES (TIMESTAMP '2026-01-01', 'liquidations', 1)")
            with closing(Beside(other.place, "killer")) as session:
                assert session.rows(KILL) == [(1,)]
            append(other, {"liquidations": liquidations(1)}, claim=claim(other, "b"))

    with pytest.raises(WriteFailedError):
        job()
    assert one.connection.execute("SELECT count(*) FROM commit_duplicates").fetchone() == (0,)


def test_who_waits_for_the_lock_says_for_whom_and_gives_up_in_time(
    two: tuple[Lake, Lake], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    monkeypatch.setattr("warehouse.advisory.TELL_AFTER_S", 0.2)
    impatient = AdvisoryLock(other.place, 0.5)
    refused = pytest.raises(WarehouseBusyError, match=r"by liq writer \d+@")
    with one.write_lock(), refused, impatient.held():
        pass
    assert "waiting for the write lock" in caplog.text
    with impatient.held():
        assert impatient.waited_s < 0.2


def test_a_process_that_is_frozen_with_the_lock_loses_it(
    two: tuple[Lake, Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    monkeypatch.setattr("warehouse.advisory.SILENT_S", 1)
    held, done = threading.Event(), threading.Event()

    def freeze() -> None:
        lock = one._lock
        assert isinstance(lock, AdvisoryLock)
        with lock.held(for_long=False):  # no sign of life
            held.set()
            done.wait(30)

    thread = threading.Thread(target=freeze)
    thread.start()
    held.wait(10)
    began = time.monotonic()
    with other.write_lock():
        assert time.monotonic() - began < 10
    done.set()
    thread.join()
