"""The lake: DuckDB with the DuckLake catalogue of one world attached as `lake`."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import duckdb

from warehouse.advisory import AdvisoryLock, lock_of
from warehouse.attached import connect, lock
from warehouse.beside import Beside
from warehouse.claim import AUTHOR, Claim, Others, files_since, made_by, others
from warehouse.commits import Commits
from warehouse.errors import LostCatalogueError, NoWarehouseError, OvertakenError, StoredError, WriteFailedError
from warehouse.keeping.copies import Copying
from warehouse.keeping.files import METADATA as METADATA
from warehouse.keeping.files import current_snapshot
from warehouse.keeping.manifest import Manifest
from warehouse.messages import one_line
from warehouse.noted import NOTHING_NOTED
from warehouse.place import Place
from warehouse.place import quoted as quoted
from warehouse.settings import WarehouseSettings

logger = logging.getLogger(__name__)


class Lake:
    """An open warehouse, its catalogue made where `create`. One thread at a time; close it, or use it in a `with`.

    `open` and `schema.create_or_migrate` make one. A reader reaches no file outside the lake, unless it is `unlocked`. No
    catalogue is made where Parquet files lie (LostCatalogueError), unless `beside_files`: then it is one that is not in use
    yet, and keeps no manifest.
    """

    def __init__(
        self,
        world: Path,
        settings: WarehouseSettings,
        *,
        read_only: bool,
        create: bool = False,
        unlocked: bool = False,
        beside_files: bool = False,
    ) -> None:
        self.world = world
        self.settings = settings
        self.place = Place(world, settings)
        self.locked = read_only and not unlocked
        self._read_only = read_only
        self.connection = self._connected(create, beside_files)
        self.manifest = Manifest(self.place)
        self._is_staged = beside_files
        self._copying = Copying(self.place.sqlite, settings.catalogue_copy_s)
        self.noted = NOTHING_NOTED  # by `writer.append`
        self.commits = Commits()
        self._lock = lock_of(self.place, settings)

    @property
    def is_shared(self) -> bool:
        """Whether processes on other machines may write to it at the same time."""
        return isinstance(self._lock, AdvisoryLock)

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Hold the lake's write lock, as every writer must. Raises WarehouseBusyError."""
        with self._lock.held():
            self.commits.waited_s += self._lock.waited_s
            yield

    @contextmanager
    def transaction(self, claim: Claim | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Run the block as one transaction under the write lock: all of it is stored, or nothing.

        DuckDB's errors become WriteFailedError; any other exception of the block is passed on. Both roll back. `claim`: in a
        shared lake, what is stored only if no other has stored it; raises FencedError, StoredError.
        """
        with self._lock.held() as session, self._rolled_back(), self.commits.timed():
            self.commits.waited_s += self._lock.waited_s
            latest = _alone(others(session, claim)) if claim and session else 0
            self.connection.execute("BEGIN")
            yield self.connection
            if claim and session:
                self._sign(claim, latest)
            self.connection.execute("COMMIT")
            self._follow()
            if claim and session:
                self._count(session)
        self._copying.copy_if_due()

    @contextmanager
    def transaction_beside(
        self, claim: Claim, clashes: Callable[[Mapping[str, list[str]]], bool]
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Run the block as one transaction of a shared lake beside those of others; only its COMMIT has the write lock.

        `clashes`: tells whether files that others have made meanwhile (by table) contradict it. Raises OvertakenError where
        they do, or where others did more than add rows: nothing was stored, and `transaction` does it. Else as `transaction`.
        """
        lock = self._lock
        assert isinstance(lock, AdvisoryLock), "only a shared lake has others"
        with self._rolled_back(), self.commits.timed():
            self.connection.execute("BEGIN")
            begun = current_snapshot(self.connection)
            yield self.connection
            with lock.held(for_long=False) as session:
                self.commits.waited_s += lock.waited_s
                found = others(session, claim, begun)
                latest = _alone(found)
                if not found.only_ingest:
                    raise OvertakenError("another job has written meanwhile")
                if latest > begun and clashes(files_since(session, self.place, begun)):
                    raise OvertakenError("another ingest has stored rows of the same key meanwhile")
                self._sign(claim, latest)
                self._commit_behind(latest > begun)
                self._count(session)

    def _commit_behind(self, others_committed: bool) -> None:
        """Commit; DuckLake finds by its first attempt that others have committed, and its second follows them."""
        self.connection.execute(f"SET ducklake_max_retry_count = {2 if others_committed else 0}")
        try:
            self.connection.execute("COMMIT")
        except duckdb.Error as error:
            raise OvertakenError(one_line(error, self.place.folder)) from error
        finally:
            self.connection.execute("SET ducklake_max_retry_count = 0")

    def _count(self, session: Beside) -> None:
        """Count what the commit made. It is stored, so a catalogue that does not answer now is no failure."""
        with suppress(duckdb.Error):
            self.commits.add(made_by(session, self.commits.snapshot))

    def _sign(self, claim: Claim, latest: int) -> None:
        told = quoted(claim.told(latest))
        self.connection.execute(
            f"CALL lake.set_commit_message({quoted(AUTHOR)}, {quoted(claim.name)}, extra_info => {told})"
        )
        self.commits.snapshot = latest + 1

    @contextmanager
    def _rolled_back(self) -> Iterator[None]:
        """Roll back what fails in the block; DuckDB's errors become WriteFailedError."""
        try:
            yield
        except duckdb.Error as error:
            self._roll_back()
            raise WriteFailedError(
                f"nothing was stored in {self.place}: {one_line(error, self.place.folder)}"
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def _follow(self) -> None:
        """Write down which files are the lake now. What is stored is stored, so this fails with a warning only."""
        if self._is_staged:
            return
        try:
            self.commits.add(self.manifest.follow(self.connection))
        except (duckdb.Error, OSError) as error:
            logger.warning("the manifest of %s is not up to date: %s", self.place, one_line(error, self.place.folder))

    def _roll_back(self) -> None:
        try:
            self.connection.execute("ROLLBACK")
        except duckdb.Error:  # the failed statement has ended the transaction already
            return

    def renew(self) -> None:
        """Go on with a new connection, so that memory stays small; `register` and temporary tables go with the old one.

        DuckLake keeps the statistics that it has seen of every snapshot for as long as a connection lives, up to DuckDB's limit
        of memory: measured 53 kB for each of ingest's commits. Raises WarehouseError, and the old one stays.
        """
        before, self.connection = self.connection, self._connected()
        before.close()

    def _connected(self, create: bool = False, beside_files: bool = False) -> duckdb.DuckDBPyConnection:
        connection = connect(self.place, self.settings, self._read_only, create, beside_files)
        if self.locked:
            lock(connection, self.place)
        return connection

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self.connection.close()
        self._lock.close()

    def __enter__(self) -> "Lake":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _alone(found: Others) -> int:
    """Return the newest snapshot. Raises StoredError where the claim's own commit is stored: only its answer was lost."""
    if found.has_own:
        raise StoredError("this commit is stored already")
    return found.latest


def open(
    world: Path | None = None,
    *,
    read_only: bool = True,
    settings: WarehouseSettings | None = None,
    unlocked: bool = False,
) -> Lake:
    """Open the warehouse of `world` (LIQ_DATA where None). A reader works beside the writer and takes no lock.

    `unlocked`: its SQL may read and write files and attach other databases. Raises NoWarehouseError where there is none
    yet; a writer calls `schema.create_or_migrate` first.
    """
    settings = settings or WarehouseSettings()
    return Lake(settings.world(world), settings, read_only=read_only, unlocked=unlocked)


def exists(world: Path) -> bool:
    """Tell whether `world` has a warehouse. Raises WarehouseError where PostgreSQL cannot be asked."""
    settings = WarehouseSettings()
    if catalogue := Place(world, settings).sqlite:
        return catalogue.is_file()
    try:
        Lake(world, settings, read_only=True).close()
    except (NoWarehouseError, LostCatalogueError):
        return False
    return True


def folder(world: Path) -> Path:
    """Return the warehouse's folder in `world`."""
    return Place(world, WarehouseSettings()).folder
