"""Turns on a lake: in files of one machine, and in a real PostgreSQL for two machines, here two worlds with one lake."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.warehouse.servers import Postgres
from warehouse import lake, schema
from warehouse.errors import WarehouseBusyError, WarehouseError
from warehouse.keeping.backup import backup
from warehouse.keeping.record import kept
from warehouse.keeping.verify import verify
from warehouse.lake import Lake
from warehouse.maintain import maintain
from warehouse.place import Place
from warehouse.settings import WarehouseSettings
from warehouse.tables import TABLES
from warehouse.turns import UPKEEP, holder, turn
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]
NEEDED = ("liquidations", "rollup_pending", "commit_duplicates", "raw_frames", "session_frames", "ingest_commits")
ONLY = {"liquidations": TABLES["liquidations"]}
NOTHING = timedelta(0)
TAKE = """
import sys, time
from pathlib import Path
from warehouse.place import Place
from warehouse.settings import WarehouseSettings
from warehouse.turns import turn
with turn(Place(Path(sys.argv[1]), WarehouseSettings()), "work", role="run its-id") as own:
    print(own, flush=True)
    time.sleep(99)
"""


@pytest.fixture(scope="module")
def shared(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Lake]]:
    """Two worlds with one lake, opened to write."""
    folder = tmp_path_factory.mktemp("turns")
    settings = WarehouseSettings(catalogue=postgres_server.database("liq_turns"), files=str(folder / "files"))
    one, other = folder / "one", folder / "other"
    for world in (one, other):
        schema.create_or_migrate(world, [TABLES[table] for table in NEEDED], [], settings)
    mine, theirs = (lake.open(world, read_only=False, settings=settings) for world in (one, other))
    with mine, theirs:
        yield mine, theirs


@pytest.fixture(params=["file", "database"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Place, Place]:
    """The same lake twice: of one machine, and as two machines see it."""
    if request.param == "database":
        mine, theirs = request.getfixturevalue("shared")
        return mine.place, theirs.place
    place = Place(tmp_path, WarehouseSettings(catalogue="", files=""))
    place.make_folder()
    return place, place


def test_one_has_it_alone_or_several_share_it(places: tuple[Place, Place]) -> None:
    one, other = places
    with (
        turn(one, "work", shared=True) as mine,
        turn(other, "work", shared=True) as theirs,
        turn(other, "work") as alone,
    ):
        assert (mine, theirs, alone) == (True, True, False)
    with turn(one, "work") as mine, turn(other, "work", shared=True) as theirs, turn(other, "else") as another:
        assert (mine, theirs, another) == (True, False, True)
        assert holder(other, "work").startswith("liq work")
    assert holder(other, "work") == ""
    with turn(other, "work") as theirs:
        assert theirs


def test_who_waits_says_for_whom_and_has_it_afterwards(
    places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = places
    has, had, told = threading.Event(), threading.Event(), list[str]()

    def tell(line: str, *given: object) -> None:
        told.append(line % given)
        had.set()

    monkeypatch.setattr("warehouse.turns.TELL_AFTER_S", 0.0)
    monkeypatch.setattr("warehouse.turns.logger.warning", tell)

    def work() -> None:
        with turn(one, "work", role="maintain"):
            has.set()
            had.wait(30)

    working = threading.Thread(target=work)
    working.start()
    has.wait(30)
    with turn(other, "work", within_s=30) as theirs:
        assert theirs
    working.join()
    assert told[0].startswith("waiting for liq maintain ")


def test_a_killed_process_leaves_it(places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = places
    env = {**os.environ, "LIQ_CATALOGUE": "", "PGPASSWORD": ""}
    if not one.sqlite:
        one.give_password()
        env |= {"LIQ_CATALOGUE": one.address, "PGPASSWORD": os.environ["PGPASSWORD"]}
    with subprocess.Popen([sys.executable, "-c", TAKE, one.world], env=env, stdout=subprocess.PIPE) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == b"True\n"
        assert holder(other, "work").startswith(f"liq run its-id {killed.pid}")
        os.kill(killed.pid, signal.SIGKILL)
    with turn(other, "work", within_s=20) as theirs:
        assert theirs


def test_a_backup_on_one_machine_keeps_its_files_from_upkeep_on_another(
    shared: tuple[Lake, Lake], liquidations: Maker, tmp_path: Path
) -> None:
    one, other = shared
    for turn_of in range(3):
        append(one, {"liquidations": liquidations(20, first=1000 * turn_of)})
    maintain(other, NOTHING, timedelta(hours=1), ONLY)
    deleted: list[int] = []

    def between(*_: int) -> None:
        if not deleted:
            deleted.append(maintain(other, NOTHING, NOTHING, ONLY).files_deleted)

    done = backup(one, tmp_path / "copy", between)
    assert (done.faults, deleted) == ((), [0])
    assert done.copied >= 4, "those that were joined, and what they became"
    assert maintain(other, NOTHING, NOTHING, ONLY).files_deleted >= 3
    assert verify(one).faults == ()


def test_upkeep_on_one_machine_waits_for_that_on_another_and_gives_up_in_time(
    shared: tuple[Lake, Lake], liquidations: Maker
) -> None:
    one, other = shared
    append(one, {"liquidations": liquidations(5, first=50_000)})
    impatient = one.settings.model_copy(update={"lock_timeout_s": 0.2})
    refused = pytest.raises(WarehouseBusyError, match=r"liq maintain \d+@\S+ has worked on")
    third = lake.open(other.world, read_only=False, settings=impatient)
    with third, turn(one.place, UPKEEP, role="maintain"), refused:
        maintain(third, NOTHING, NOTHING, ONLY)
    maintain(other, NOTHING, NOTHING, ONLY)


def test_a_turn_of_a_database_that_does_not_answer_is_an_error_in_one_line(tmp_path: Path) -> None:
    place = Place(tmp_path, WarehouseSettings(catalogue="host=127.0.0.1 port=9 dbname=liq"))
    with pytest.raises(WarehouseError, match="cannot be opened"), turn(place, "work"):
        pass
    with pytest.raises(WarehouseError, match="cannot be opened"), kept(place, alone=True):
        pass
