"""The day's frames in a real lake: several commits of ingest, then what flows derive from them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from collectors.envelope import RawFrame
from pipelines.derive.bars.run import rollup
from pipelines.derive.cascades.run import detect
from pipelines.derive.coverage.cover import cover
from pipelines.derive.levels.backtest import backtest
from pipelines.derive.levels.estimate import estimate
from pipelines.derive.levels.parameters import Parameters
from pipelines.derive.signals.find import find
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from tests.pipelines.commits import placed, slices
from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.writer import append

GRID_S = 60
COMMIT_S = 3 * 3600
NS = 1_000_000_000
PARAMETERS = Parameters(scored_minutes=30)


def fill(world: Path, frames: Sequence[RawFrame], end: datetime) -> None:
    """Commit the frames of each three hours, as ingest does with a backlog; derive as of `end` what flows derive."""
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as warehouse:
        _commits(warehouse, placed(frames))
        rollup(warehouse)
        cover(warehouse, end, GRID_S)
        _derive(warehouse, end)


def _derive(warehouse: Lake, end: datetime) -> None:
    """Find cascades, score and estimate levels (in two runs, the second going on from the first), find signals."""
    day = end.replace(minute=0) - timedelta(days=1)
    noon = day + timedelta(hours=12)
    detect(warehouse, day, end, end)
    estimate(warehouse, noon + timedelta(minutes=30), parameters=PARAMETERS)
    backtest(warehouse, noon, noon + timedelta(hours=2), parameters=PARAMETERS)
    estimate(warehouse, end, parameters=PARAMETERS)
    find(warehouse, end, day + timedelta(hours=8), day + timedelta(hours=16))


def _commits(warehouse: Lake, frames: Sequence[RawFrame]) -> None:
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    for number, part in _parts(frames):
        batch.add(slices(part))
        batch.close_buckets(number * COMMIT_S * 1000)
        _commit(warehouse, batch)
    batch.close_buckets()
    _commit(warehouse, batch)


def _commit(warehouse: Lake, batch: Batch) -> None:
    if batch:
        append(warehouse, batch.take().tables(Log("cluster", {}, "commit"), GRID_S))


def _parts(frames: Sequence[RawFrame]) -> Iterator[tuple[int, list[RawFrame]]]:
    """Cut the frames where three hours end; days of little in one part."""
    last = frames[-1].recv_ns // NS // COMMIT_S
    for number, part in groupby(frames, key=lambda frame: max(last - 8, frame.recv_ns // NS // COMMIT_S)):
        yield number + 1, list(part)
