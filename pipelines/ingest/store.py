"""The one writing thread of ingest: opens the warehouse, stores commits whole, and knows whether one was stored."""

import logging
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import polars as pl

from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.contracts.static_tiers import with_static
from pipelines.facts import Rejected
from pipelines.ingest.commits import Log, ingest_commits
from pipelines.ingest.figures import Figures
from pipelines.ingest.hearing import book_at, lists_before
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Mark
from pipelines.ingest.ready import Ready
from pipelines.ingest.resume import committed_from, earlier_from, ended_from, held_from, instruments_from, marks_from
from pipelines.ingest.whence import Committed, Whence, begun, told
from pipelines.row_settings import settle
from pipelines.settings import IngestSettings
from pipelines.venues import Held
from warehouse import lake, schema, writer
from warehouse.claim import Claim
from warehouse.errors import QueryError, WarehouseError, WriteFailedError
from warehouse.keeping.files import current_snapshot
from warehouse.query_errors import query_errors
from warehouse.tables import TABLES

log = logging.getLogger(__name__)

RETRY_S = (0.2, 1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 15.0, 30.0)
NAMED_DEAD_LETTERS = 5
RENEW_COMMITS = 100  # a minute or two, in which memory grows by 5 MB, or 50 where commits are large


class Totals(msgspec.Struct):
    """What was committed: records read, rows per table, rows left out as stored already, dead letters, commits, and why
    frames carried nothing."""

    records: int = 0
    rows: Counter[str] = msgspec.field(default_factory=Counter)
    duplicates: int = 0
    dead_letters: int = 0
    commits: int = 0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)


class Known(NamedTuple):
    """What the warehouse knows when ingest begins; see `resume`."""

    book: Instruments
    grid_s: int
    held: Held
    ended: dict[str, int]
    marks: dict[Mark, int]
    committed: dict[Partition, list[Committed]]


class Store:
    """The warehouse of one ingest. Only the writing thread uses it, once `open` has been called."""

    def __init__(
        self,
        settings: IngestSettings,
        totals: Totals | None = None,
        figures: Figures | None = None,
        new_grid: bool = False,
    ) -> None:
        self.totals = totals or Totals()
        self.figures = figures or Figures(settings.grid_s, world=settings.data)
        self._settings, self._new_grid, self._grid_s = settings, new_grid, settings.grid_s
        self._lake: lake.Lake | None = None
        self._cluster = ""
        self._incarnations: Mapping[Partition, str] = {}
        self._is_made = False
        self._seen = -1  # the snapshot up to which all that others have committed is known

    def make(self) -> None:
        """Make the warehouse, or bring it to today's form, if need be. Raises WarehouseError."""
        changed = [] if self._is_made else schema.create_or_migrate(self._settings.data)
        self._is_made = True
        if changed:
            log.info("warehouse schema_changes=%d first=%r", len(changed), changed[0])
        for line in changed:
            log.debug("warehouse schema=%r", line)

    def open(self, cluster_id: str) -> Known:
        """Open the warehouse, made if need be, and return what it knows. Raises WarehouseError."""
        self.make()
        self._cluster = cluster_id
        self._lake = lake.open(self._settings.data, read_only=False)
        self._lake.commits = self.figures.commits
        with query_errors():
            self._seen = current_snapshot(self._lake.connection)
            self._grid_s = settle(self._lake, self._settings, new_grid=self._new_grid)
            self._new_grid = False
            self.figures.on_grid(self._grid_s)
            book, tiers = with_static(instruments_from(self._lake), datetime.now(UTC))
            if tiers.height:
                once = Claim(secrets.token_hex(8), self._seen, {"tables of the package": (0, 1)})
                self.append({"leverage_tiers": tiers}, once)
            return Known(
                book, self._grid_s, held_from(self._lake), ended_from(self._lake), marks_from(self._lake),
                committed_from(self._lake, cluster_id),
            )  # fmt: skip

    def close(self) -> None:
        """Close the warehouse, if it is open."""
        if self._lake is not None:
            self._lake.close()
            self._lake = None

    def marks_ever(self) -> dict[Mark, int]:
        """Return the highest number stored of every session there was. Raises QueryError."""
        with query_errors():
            return marks_from(self._opened, ever=True)

    def earlier(self, at: Partition, incarnation: str) -> Sequence[tuple[int, str]]:
        """Return a log's commits, latest first; see `whence.Earlier`."""
        with query_errors():
            return earlier_from(self._opened, self._cluster, at, incarnation)

    def book_before(self, lists: Mapping[Partition, str], turn_ms: int) -> tuple[dict[Partition, int], Instruments]:
        """Return the contracts known before a time, and from which offset each of `lists` (its log) says more of them."""
        with query_errors():
            since = {at: lists_before(self._opened, self._cluster, at, log, turn_ms) for at, log in lists.items()}
            book = with_static(book_at(self._opened, since, turn_ms), datetime.now(UTC))[0]
            return {at: each.offset for at, each in since.items()}, book

    def offsets(self) -> dict[Partition, int]:
        """Return the offset that is committed of each partition, by whichever ingest. Raises QueryError."""
        with query_errors():
            return writer.offsets(self._opened, self._cluster)

    def begin(self, found: Whence) -> None:
        """Keep in mind which logs are read, and store what has changed about them."""
        self._incarnations = found.incarnations
        for change in found.changes:
            log.warning("log state=changed reason=%r", str(change))
        if found.changes:
            empty = {"dead_letters": TABLES["dead_letters"].schema.to_frame()}
            log_, spans = self._log(), begun(found)
            commits = ingest_commits(spans, empty, log_, datetime.now(UTC).replace(tzinfo=None))
            claim = self._claim(log_, dict.fromkeys(spans))
            self.append({"collector_events": told(found), "ingest_commits": commits}, claim)

    def store(self, ready: Ready) -> None:
        """Commit a batch. Raises WarehouseError where it could not be stored after several tries."""
        log_ = self._log()
        tables = ready.tables(log_, self._grid_s)
        claim = self._claim(log_, {at: (span.start, span.next) for at, span in ready.spans.items()})
        with self.figures.commit_seconds.time():
            stored = self.append(tables, claim)
        totals = self.totals
        totals.commits += 1
        totals.records += ready.records
        totals.rows.update({name: each.rows for name, each in stored.items()})
        totals.duplicates += sum(each.duplicates for each in stored.values())
        totals.dead_letters += stored["dead_letters"].rows
        totals.reasons.update(ready.parsed.reasons)
        self.figures.committed(ready.spans, stored)
        _name_dead_letters(ready)
        if totals.commits % RENEW_COMMITS == 0:
            self._renew()

    def _claim(self, of: Log, parts: Mapping[Partition, tuple[int, int] | None]) -> Claim:
        named = {f"{of.cluster_id}/{topic}/{partition}": part for (topic, partition), part in parts.items()}
        return Claim(of.commit, self._seen, named)

    def append(self, tables: Mapping[str, pl.DataFrame], claim: Claim | None = None) -> dict[str, writer.Appended]:
        """Store tables in one transaction, with several tries. Raises FencedError where another ingest has what is claimed."""
        for turn, delay in enumerate(RETRY_S):
            try:
                return self._append_once(tables, claim, again=turn > 0)
            except (WriteFailedError, QueryError) as error:
                log.warning("commit state=failed again_in_s=%g reason=%r", delay, str(error))
                self.figures.failures += 1
                time.sleep(delay)
        return self._append_once(tables, claim, again=True)

    def _append_once(
        self, tables: Mapping[str, pl.DataFrame], claim: Claim | None, *, again: bool
    ) -> dict[str, writer.Appended]:
        if again and self._is_stored(tables):
            log.warning("commit state=stored reason='it was stored after all: only the answer was lost'")
            return {name: writer.Appended(frame.height, 0) for name, frame in tables.items()}
        stored = writer.append(self._opened, tables, claim=claim)
        self._seen = max(self._seen, self._opened.commits.snapshot)
        return stored

    def _is_stored(self, tables: Mapping[str, pl.DataFrame]) -> bool:
        """Tell whether this very commit is in the warehouse, as its name is stored with its rows."""
        commits = tables.get("ingest_commits")
        if commits is None or commits.is_empty():
            return False
        query = "SELECT count(*) > 0 FROM ingest_commits WHERE commit_id = ? AND ts_commit >= ?"
        with query_errors():
            found = self._opened.connection.execute(
                query, [commits["commit_id"][0], commits["ts_commit"][0]]
            ).fetchone()
        return bool(found and found[0])

    @property
    def _opened(self) -> lake.Lake:
        assert self._lake is not None, "open() first"
        return self._lake

    def _log(self) -> Log:
        return Log(self._cluster, self._incarnations, secrets.token_hex(8))

    def _renew(self) -> None:
        try:
            self._opened.renew()
        except WarehouseError as error:
            log.warning("warehouse state=not_renewed reason=%r", str(error))


def _name_dead_letters(ready: Ready) -> None:
    facts = ready.parsed.rejected
    for row, position in list(zip(facts.rows, facts.frames, strict=True))[:NAMED_DEAD_LETTERS]:
        frame = ready.parsed.frames[position]
        assert isinstance(row, Rejected)
        log.warning(
            "dead letter: %s %s %s at %s[%d]@%d%s: %s",
            frame.venue, frame.channel, frame.symbol, frame.topic, frame.partition, frame.offset,
            f" {row.item}" if row.item else "", row.reason,
        )  # fmt: skip
    if len(facts.rows) > NAMED_DEAD_LETTERS:
        log.warning("and %d dead letters more in this batch; `from dead_letters`", len(facts.rows) - NAMED_DEAD_LETTERS)
