"""Frames read back from `raw_frames`, in the order they arrived, so many at a time as fit in memory."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from collectors.envelope import RawFrame
from pipelines.ingest.consume import Slice
from pipelines.ingest.incarnation import Partition
from pipelines.venues import VENUES
from warehouse.lake import Lake
from warehouse.tables.frames import FRAMES_FEED, FRAMES_SOURCE
from warehouse.writer import Frames

MOST_FRAMES = 50_000
LONGEST = timedelta(hours=1)  # a venue's list of contracts is a megabyte, and comes some six times an hour
UNNAMED = "?"


class Stretch(NamedTuple):
    """Frames that are read at once: those that arrived in [since, until), UTC, and how many they are."""

    since: datetime
    until: datetime
    frames: int


def stretches(warehouse: Lake, topics: Sequence[str], since: datetime, until: datetime) -> list[Stretch]:
    """Cut the time [since, until) into stretches, leaving out those without frames of `topics`."""
    minutes = warehouse.connection.execute(
        "SELECT time_bucket(INTERVAL 1 MINUTE, ts_recv) AS minute, count(*) FROM raw_frames "
        f"WHERE {_arrived(topics, since, until)} GROUP BY minute ORDER BY minute"
    ).fetchall()
    found: list[Stretch] = []
    for minute, frames in minutes:
        start, end = max(minute, since), min(minute + timedelta(minutes=1), until)
        last = found[-1] if found else None
        if last and last.frames + frames <= MOST_FRAMES and end - last.since <= LONGEST:
            found[-1] = Stretch(last.since, end, last.frames + frames)
        else:
            found.append(Stretch(start, end, frames))
    return found


def slices(warehouse: Lake, topics: Sequence[str], stretch: Stretch) -> list[Slice]:
    """Return the frames of a stretch by partition, in the order they arrived."""
    rows = warehouse.connection.execute(
        f"SELECT venue, channel, symbol, transport, recv_ns, session, {FRAMES_FEED}, {FRAMES_SOURCE}, seq, payload, "
        "kafka_topic, kafka_partition, kafka_offset, epoch_ns(ts_recv), coalesce(epoch_ms(ts_append), 0) "
        f"FROM raw_frames WHERE {_arrived(topics, stretch.since, stretch.until)} "
        "ORDER BY coalesce(ts_append, ts_recv), kafka_topic, kafka_partition, kafka_offset, session, seq"
    )
    by_partition: dict[Partition, list[RawFrame]] = defaultdict(list)
    while some := rows.fetchmany(10_000):
        for row in some:
            frame = _named(RawFrame(*row))
            by_partition[frame.topic, frame.partition].append(frame)
    return [Slice(at, own[0].offset, own[-1].offset + 1, own, []) for at, own in by_partition.items()]


def first_arrival(warehouse: Lake, topics: Sequence[str], since: datetime, until: datetime) -> datetime | None:
    """Return when the first frame of [since, until) arrived; None where there is none."""
    row = warehouse.connection.execute(
        f"SELECT min(ts_recv) FROM raw_frames WHERE {_arrived(topics, since, until)}"
    ).fetchone()
    return row[0] if row else None


def count(warehouse: Lake, topics: Sequence[str], since: datetime, until: datetime) -> int:
    """Return how many frames arrived in [since, until)."""
    row = warehouse.connection.execute(
        f"SELECT count(*) FROM raw_frames WHERE {_arrived(topics, since, until)}"
    ).fetchone()
    return int(row[0]) if row else 0


def _named(frame: RawFrame) -> RawFrame:
    """Name a frame that the collector could not, where its venue's channels are known better today."""
    if frame.channel != UNNAMED or frame.venue not in VENUES:
        return frame
    named = VENUES[frame.venue].channel_of(frame.payload)
    return msgspec.structs.replace(frame, channel=named.channel, symbol=named.symbol) if named else frame


def _arrived(topics: Sequence[str], since: datetime, until: datetime) -> str:
    return Frames(since, until, tuple(topics), 0).where
