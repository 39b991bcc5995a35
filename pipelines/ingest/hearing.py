"""From where an ingest that shares its work hears what contracts are, so that its rows are those of one that does it all.

A row says of its contract what was known when its frame came. The frames that say so may be stored by another ingest, which is
ahead or behind. So the book of contracts is taken as it was before the first record that is not stored here, and from there
the lists are heard in their turn, whoever stores them.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from pipelines.columns.contracts.instruments import Instruments, from_table
from pipelines.ingest.consume import Source
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.merge import turn_ms
from pipelines.ingest.workers import HEARD
from warehouse.frames import read
from warehouse.lake import Lake

BEFORE = """
SELECT coalesce(max(offset_next) FILTER (is_before), 0), count(DISTINCT cluster_id || coalesce(incarnation, '')) > 1
FROM (SELECT *, cluster_id = $cluster AND incarnation = $incarnation AND appended_last < make_timestamp($turn_ms * 1000)
    AS is_before FROM ingest_commits WHERE kafka_topic = $topic AND kafka_partition = $partition)
"""
KNOWN = """
SELECT stored.* FROM {table} AS stored LEFT JOIN (VALUES {lists}) AS lists (topic, partition, before, has_older)
    ON topic = kafka_topic AND partition = kafka_partition
WHERE stored.source = 'static' OR kafka_offset < before
    OR coalesce(has_older, true) AND ts_recv <= make_timestamp({turn_ms} * 1000) - INTERVAL 1 DAY
"""
"""Offsets mean something in one log only. If there were others before, what is older than a day counts as known."""


class Since(NamedTuple):
    """From which offset a partition is heard. `has_older`: what other logs had is stored, too."""

    offset: int
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
    """Return how far what describes contracts is stored of a partition that came before a time. Raises duckdb.Error."""
    told = {"cluster": cluster, "topic": at[0], "partition": at[1], "incarnation": incarnation, "turn_ms": turn}
    found = warehouse.connection.execute(BEFORE, told).fetchone()
    return Since(*found) if found else Since(0, False)


def book_at(warehouse: Lake, lists: Mapping[Partition, Since], turn: int) -> Instruments:
    """Return the contracts that were known then. Raises duckdb.Error."""
    values = ", ".join(f"('{at[0]}', {at[1]}, {since.offset}, {since.has_older})" for at, since in lists.items())
    tables = ("instruments", "leverage_tiers")
    queries = (KNOWN.format(table=table, lists=values, turn_ms=turn) for table in tables)
    return from_table(*(read(warehouse.connection, query) for query in queries))
