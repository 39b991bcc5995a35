"""What stored rows depend on beside their frames: the grid that state is kept on, and the parsers.

Ingest writes both into the lake. A command that makes rows takes the grid from there, so nobody has to set LIQ_GRID_S a second
time; one that is set otherwise is refused. Other parsers are no fault: they are noted, and `liq reprocess` makes old rows new.
"""

import hashlib
import logging
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from pipelines.errors import UsageError
from pipelines.settings import IngestSettings
from warehouse import row_settings
from warehouse.lake import Lake

GRID, PARSERS = "grid_s", "parsers"
PACKAGES = ("venues", "reading", "columns")
"""The packages whose code decides what rows a frame gives."""
ON_GRID = ("mark_prices", "open_interest", "funding_rates")
LOOKED_AT = 100_000

log = logging.getLogger(__name__)


class Grid(NamedTuple):
    """Seconds of the grid, and the instants (UTC, without a zone) between which rows were kept on it; None: no end known."""

    seconds: int
    since: datetime | None = None
    until: datetime | None = None


def settle(lake: Lake, settings: IngestSettings, *, new_grid: bool = False) -> int:
    """Return the grid that ingest goes on with, and write down what rows depend on from here on.

    `new_grid`: that of the settings from now on, whatever it was. Raises UsageError where the settings name another grid than
    the lake's rows are kept on, WarehouseError.
    """
    grid_s = settings.grid_s if new_grid else _agreed(lake, settings, None).seconds
    _note(lake, GRID, str(grid_s))
    if before := _note(lake, PARSERS, parsers()):
        log.info(
            "parsers state=changed before=%s now=%s: rows stored before were made by the others, `liq reprocess` looks at them",
            before, parsers(),
        )  # fmt: skip
    return grid_s


def grid_s(lake: Lake) -> int:
    """Return the grid that rows are kept on now, seconds: as the lake says, else as the settings do."""
    found = _of(lake)
    return found[-1].seconds if found else IngestSettings().grid_s


def grid_of(lake: Lake, since: datetime, until: datetime | None) -> int:
    """Return the grid that the rows of [since, until) are kept on. Raises UsageError where it changed meanwhile, where the
    settings name another, and where neither they nor the lake say."""
    return _agreed(lake, IngestSettings(), (_utc(since), _utc(until) if until else None)).seconds


def _agreed(lake: Lake, settings: IngestSettings, time: tuple[datetime, datetime | None] | None) -> Grid:
    found, is_set = _of(lake), "grid_s" in settings.model_fields_set
    if not found:
        if time and not is_set:
            raise UsageError(
                f"{lake.place} does not say on which grid its funding, open interest and mark prices are kept, and on another "
                "one rows would be lost: set LIQ_GRID_S to what ingest had (60 where it had none)"
            )
        if _lies_off(lake, settings.grid_s):
            raise UsageError(
                f"the rows of {lake.place} are kept on a finer grid than one every {settings.grid_s} s: set LIQ_GRID_S to what "
                "ingest had"
            )
        return Grid(settings.grid_s)
    grid = found[-1]
    if time:
        grid = next(each for each in reversed(found) if each.since is None or each.since <= time[0])
        if grid.until and (time[1] is None or time[1] > grid.until):
            at = f"{grid.until:%Y-%m-%dT%H:%M:%S}"
            raise UsageError(
                f"the grid changed at {at} (LIQ_GRID_S): do what came before (--until {at}) and after apart"
            )
    if is_set and settings.grid_s != grid.seconds:
        way = "" if time else ", or keep new rows on the other from now on with `liq ingest --new-grid`"
        raise UsageError(
            f"the rows of {lake.place} are kept one every {grid.seconds} s, and LIQ_GRID_S is {settings.grid_s}: unset it to "
            f"go on as before{way}"
        )
    return grid


def _of(lake: Lake) -> list[Grid]:
    """Return the grids of a lake, oldest first; the first holds for whatever came before it, too."""
    stored = row_settings.stored(lake.connection, GRID)
    ends = [each.at for each in stored[1:]]
    begins = [None, *ends]
    return [
        Grid(int(each.value), since, until) for each, since, until in zip(stored, begins, [*ends, None], strict=False)
    ]


def _lies_off(lake: Lake, grid_s: int) -> bool:
    """Tell whether one of some rows of a lake lies on no bucket of a grid."""
    some = " UNION ALL ".join(
        f"(SELECT ts_arrival FROM {table} WHERE ts_arrival IS NOT NULL LIMIT {LOOKED_AT})" for table in ON_GRID
    )
    query = f"SELECT count(*) > 0 FROM ({some}) WHERE epoch_us(ts_arrival) % {grid_s * 1_000_000} <> 0"
    return bool((lake.connection.execute(query).fetchone() or [False])[0])


def _note(lake: Lake, name: str, value: str) -> str:
    """Write down a value that is not the last one; return what it was, empty where it is the same or the first."""
    before = row_settings.stored(lake.connection, name)
    if before and before[-1].value == value:
        return ""
    row_settings.store(lake, name, value)
    return before[-1].value if before else ""


@cache
def parsers() -> str:
    """Return what tells these parsers from others: a digest of the code that decides what rows a frame gives."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for text in _sources(files("pipelines").joinpath(package)):
            digest.update(text)
    return digest.hexdigest()[:12]


def _sources(folder: Traversable) -> list[bytes]:
    found = []
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        if each.is_dir():
            found += _sources(each)
        elif each.name.endswith((".py", ".csv")):
            found.append(each.read_bytes())
    return found


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
