"""Frames into a real lake as ingest commits them, without a broker between."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.consume import Slice
from warehouse.lake import Lake
from warehouse.writer import append

GRID_S = 60


def placed(frames: Iterable[RawFrame]) -> list[RawFrame]:
    """Return frames as they lie in partition 0 of their topics."""
    ends: Counter[str] = Counter()
    found = []
    for frame in frames:
        found.append(msgspec.structs.replace(frame, partition=0, offset=ends[frame.topic]))
        ends[frame.topic] += 1
    return found


def slices(frames: Sequence[RawFrame]) -> list[Slice]:
    """Return frames that have their place as one slice a topic."""
    topics: dict[str, list[RawFrame]] = {}
    for frame in frames:
        topics.setdefault(frame.topic, []).append(frame)
    return [Slice((topic, 0), own[0].offset, own[-1].offset + 1, own, []) for topic, own in topics.items()]


def commit(
    warehouse: Lake, frames: Sequence[RawFrame], book: Instruments | None = None, grid_s: int = GRID_S
) -> Instruments:
    """Commit frames that have their place in one transaction; return the book after it."""
    batch = Batch(grid_s, {}, keep_all_frames=False, book=book)
    batch.add(slices(frames))
    batch.close_buckets()
    append(warehouse, batch.take().tables(Log("cluster", {}, "commit"), grid_s))
    return batch.book
