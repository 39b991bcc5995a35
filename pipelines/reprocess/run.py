"""Raw frames again through today's parsers, joined with the contracts known by now: what was stored becomes what would be.

For each day the frames of `raw_frames` are read in the order they arrived, and one transaction makes the rows that came from
them be the rows they give now; a row that is so already is left alone, so a second run changes nothing. First the contracts
themselves (`instruments`, `leverage_tiers`), then everything that is joined with them. What says which frames were taken in
(`session_frames`, `ingest_commits`) stays as it is. Frames that are not kept, as those of raw.ticker and
raw.kline, give nothing to compare: rows that came from them stay.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import polars as pl

from collectors.topics import DEAD_LETTER, FUNDING, KLINE, LIQUIDATION, OPEN_INTEREST, RATIO, REFERENCE, TICKER
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import GRID_S, normalise
from pipelines.errors import UsageError
from pipelines.facts import FundingInterval, Instrument, LeverageTier
from pipelines.ingest.batch import Batch
from pipelines.ingest.resume import held_from, instruments_from
from pipelines.reprocess import stored_frames
from warehouse.errors import FramesChangedError
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import Frames, Rewritten, rewrite

log = logging.getLogger(__name__)

FED_BY: dict[str, tuple[str, ...]] = {
    "liquidations": (LIQUIDATION,),
    "liquidation_reports": (LIQUIDATION,),
    "liquidations_aggregated": (LIQUIDATION,),
    "funding_rates": (FUNDING, TICKER),
    "funding_settlements": (FUNDING,),
    "open_interest": (OPEN_INTEREST, TICKER, RATIO),
    "mark_prices": (TICKER,),
    "klines": (KLINE,),
    "long_short_ratios": (RATIO,),
    "account_positions": (TICKER,),
    "instruments": (REFERENCE, FUNDING),
    "leverage_tiers": (REFERENCE,),
    "dead_letters": (LIQUIDATION, TICKER, FUNDING, OPEN_INTEREST, RATIO, KLINE, REFERENCE, DEAD_LETTER),
}
"""The topics that a table's rows come from."""
ABOUT_CONTRACTS = ("instruments", "leverage_tiers")
JOINED = tuple(name for name in FED_BY if name not in ABOUT_CONTRACTS)

LEAD = timedelta(hours=6)  # so much of the venues' lists is read before, to know what had been missing from them
SETTLING = timedelta(minutes=2)
TRIES = 3


class Reprocessed(NamedTuple):
    """Frames read, and what became of each table's rows."""

    frames: int
    tables: dict[str, Rewritten]


class Part(NamedTuple):
    """Tables that are made anew together, and the topics of the frames they are made from."""

    tables: tuple[str, ...]
    topics: tuple[str, ...]


def reprocess(
    warehouse: Lake, since: datetime, until: datetime | None = None, table: str | None = None, grid_s: int = GRID_S,
    told: Callable[[int], object] = id,
) -> Reprocessed:  # fmt: skip
    """Make the rows of the frames that arrived in [since, until) be what they would be today; run twice, nothing changes.

    Times are UTC, without a zone or with one, and are taken back to whole buckets of the grid (`grid_s` seconds); `until`
    None: two minutes ago. `table`: only frames of the topics that it comes from, but then all that they give; None: all
    frames. `told` is called with the number of frames read since the last call. Raises UsageError for an unknown table,
    WarehouseError; days done stay done.
    """
    frames, done = 0, defaultdict[str, Counter[str]](Counter)
    for part, start, end in plan(warehouse, since, until, table, grid_s):
        read, tables = _rewritten(warehouse, part, start, end, grid_s, told)
        frames += read
        for name, each in tables.items():
            done[name].update(each._asdict())
    return Reprocessed(frames, {name: Rewritten(**counts) for name, counts in done.items()})


def plan(
    warehouse: Lake, since: datetime, until: datetime | None, table: str | None, grid_s: int = GRID_S
) -> Iterator[tuple[Part, datetime, datetime]]:
    """Yield what is made anew, day by day and in order: the part, and the time its frames arrived in, [since, until)."""
    first, last = _whole(since, grid_s), _whole(until or datetime.now(UTC) - SETTLING, grid_s)
    for part in _parts(table):
        if earliest := stored_frames.first_arrival(warehouse, part.topics, first, last):
            yield from ((part, *day) for day in _days(max(first, _midnight(earliest)), last))


def _parts(table: str | None) -> list[Part]:
    if table is not None and table not in FED_BY:
        raise UsageError(f"{table!r} is not made from frames. Known: {', '.join(FED_BY)}")
    contracts = Part(ABOUT_CONTRACTS, FED_BY["instruments"])
    if table in (None, "dead_letters"):
        return [contracts, Part(JOINED, FED_BY["dead_letters"])]
    if table in ABOUT_CONTRACTS:
        return [contracts, Part(JOINED, FED_BY["leverage_tiers"])]
    return [Part(JOINED, FED_BY[table])]


def _rewritten(
    warehouse: Lake, part: Part, since: datetime, until: datetime, grid_s: int, told: Callable[[int], object]
) -> tuple[int, dict[str, Rewritten]]:
    """Bring one day up to date; return how many frames were read, and what became of the rows."""
    for left in reversed(range(TRIES)):
        tables, frames = _today(warehouse, part, since, until, grid_s, told)
        if not frames:
            break
        try:
            return frames, rewrite(warehouse, tables, Frames(since, until, part.topics, frames))
        except FramesChangedError as error:  # ingest has stored more of them meanwhile
            if not left:
                raise
            log.info("%s to %s is read once more: %s", since, until, error)
    return 0, {}


def _today(
    warehouse: Lake, part: Part, since: datetime, until: datetime, grid_s: int, told: Callable[[int], object]
) -> tuple[dict[str, pl.DataFrame], int]:
    """Return the rows that the frames of a time give now, and how many frames they are."""
    stretches = stored_frames.stretches(warehouse, part.topics, since, until)
    if not stretches:
        return {}, 0
    of_contracts = part.tables == ABOUT_CONTRACTS
    book = _contracts_before(warehouse, since) if of_contracts else instruments_from(warehouse)
    builds = {TICKER, FUNDING} & set(part.topics)  # frames there build on earlier ones
    batch = Batch(grid_s, held_from(warehouse, since) if builds else {}, keep_all_frames=False)
    found: dict[str, list[pl.DataFrame]] = {name: [TABLES[name].schema.to_frame()] for name in part.tables}
    for stretch in stretches:
        batch.add(stored_frames.slices(warehouse, part.topics, stretch))
        if stretch is stretches[-1]:
            batch.close_buckets()
        tables, after = _rows(batch, book, grid_s, of_contracts)
        book = after if of_contracts else book
        for name, parts in found.items():
            parts.append(_first_of_session(tables[name], TABLES[name].key))
        told(stretch.frames)
    return {name: pl.concat(parts) for name, parts in found.items()}, sum(stretch.frames for stretch in stretches)


def _rows(
    batch: Batch, book: Instruments, grid_s: int, of_contracts: bool
) -> tuple[dict[str, pl.DataFrame], Instruments]:
    parsed = batch.take().parsed
    if not of_contracts:  # the book knows them already, and those of later frames too
        for kind in (Instrument, FundingInterval, LeverageTier):
            parsed.facts.pop(kind, None)
    return normalise(parsed, book, grid_s)


def _first_of_session(rows: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Leave out what would not be stored anyway: a candle that still runs comes again and again with one key."""
    if not key:
        return rows
    whole = pl.all_horizontal(pl.col(name).is_not_null() for name in key)
    return rows.filter(~whole | pl.struct(*key, "session").is_first_distinct())


def _contracts_before(warehouse: Lake, since: datetime) -> Instruments:
    """Return the book as it was at a time: what rows said that had come by then, the lists of the last hours read again."""
    lead, topics = since - LEAD, FED_BY["instruments"]
    book = instruments_from(warehouse, lead)
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    for stretch in stored_frames.stretches(warehouse, topics, lead, since):
        batch.add(stored_frames.slices(warehouse, topics, stretch))
        batch.close_buckets()
        book = normalise(batch.take().parsed, book).instruments
    return book


def _days(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the days of [since, until), the first and last in part."""
    while since < until:
        after = min(_midnight(since) + timedelta(days=1), until)
        yield since, after
        since = after


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _whole(moment: datetime, grid_s: int) -> datetime:
    """Return a time in UTC without a zone, taken back to the start of its bucket."""
    aware = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(int(aware.timestamp()) // grid_s * grid_s, UTC).replace(tzinfo=None)
