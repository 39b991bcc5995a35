"""From where an ingest that shares its work hears what contracts are, so that its rows are those of one that does it all.

A row says of its contract what was known when its frame came. The frames that say so may be stored by another ingest, which is
ahead or behind. So the book of contracts is taken as it was before the first record that is not stored here, and from there
the lists are heard in their turn, whoever stores them.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from collectors.topics import REFERENCE
from pipelines.columns.contracts.instruments import Instruments, from_table
from pipelines.ingest.consume import Source
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.merge import turn_ms
from pipelines.ingest.workers import HEARD
from warehouse.frames import read
from warehouse.lake import Lake

BEFORE = """
SELECT coalesce(max(offset_next) FILTER (is_before), 0), coalesce(epoch_ms(max(appended_last) FILTER (is_before)), -1),
    count(DISTINCT cluster_id || coalesce(incarnation, '')) > 1
FROM (SELECT *, cluster_id = $cluster AND incarnation = $incarnation AND appended_last < make_timestamp($turn_ms * 1000)
    AS is_before FROM ingest_commits WHERE kafka_topic = $topic AND kafka_partition = $partition)
"""
KNOWN = """
FROM {table} WHERE source = 'static' OR CASE WHEN kafka_topic = $topic
    THEN kafka_offset < $offset OR $has_older AND ts_recv < make_timestamp($turn_ms * 1000) - INTERVAL 1 DAY
    ELSE ts_recv <= make_timestamp($turn_ms * 1000) END
"""
"""Offsets mean something in one log only. If there were others before, what is older than a day counts as known."""


class Since(NamedTuple):
    """Where lists of contracts are heard from: the offset, and the broker's time of the last record before it (UTC ms).

    `has_older`: the lists of other logs are stored, too.
    """

    offset: int
    turn_ms: int
    has_older: bool


def heard(own: Collection[Partition], offsets: Mapping[Partition, int]) -> dict[Partition, float]:
    """Return up to which offset each partition is only heard: to its end where another ingest stores it."""
    return {at: offsets[at] if at in own else float("inf") for at in offsets if at[0] in HEARD}


async def first_turn_ms(records: Source, own: Collection[Partition], offsets: Mapping[Partition, int]) -> int | None:
    """Return the broker's time of the earliest record that is to be stored here; None: there is none yet. Before `seek`."""
    ends, turns = await records.ends(), []
    for at in own:
        if offsets[at] < ends[at] and (frame := await records.record_at(at, offsets[at])) is not None:
            turns.append(turn_ms(frame))
    return min(turns, default=None)


def lists_before(warehouse: Lake, cluster: str, at: Partition, incarnation: str, turn: int) -> Since:
    """Return how far lists of contracts are stored that came before a time. Raises duckdb.Error."""
    told = {"cluster": cluster, "topic": at[0], "partition": at[1], "incarnation": incarnation, "turn_ms": turn}
    found = warehouse.connection.execute(BEFORE, told).fetchone()
    return Since(*found) if found else Since(0, -1, False)


def book_at(warehouse: Lake, since: Since) -> Instruments:
    """Return the contracts that were known then. Raises duckdb.Error."""
    tables = ("instruments", "leverage_tiers")
    told = {"topic": REFERENCE, **since._asdict()}
    return from_table(*(read(warehouse.connection, KNOWN.format(table=table), told) for table in tables))


def lists_of(offsets: Mapping[Partition, int]) -> Partition:
    """Return the partition with the lists of contracts."""
    return next(at for at in offsets if at[0] == REFERENCE)
