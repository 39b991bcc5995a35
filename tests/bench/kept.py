"""Lakes that are kept between runs, in the user's cache, and made anew where what makes them has changed.

They are in `~/.cache/liquidation-warehouse/bench/ROWS` (`XDG_CACHE_HOME`), or in the folder that `LIQ_BENCH_WORLD` names; there
they are taken as they are. Deleting the folder costs only the time to make them again.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import state, synthetic, year
from tests.foreign import install
from tests.pipelines.serve.page import market
from warehouse import lake, schema
from warehouse.rollups import KINDS
from warehouse.statements import rollup
from warehouse.tables import TABLES

WORLD = os.environ.get("LIQ_BENCH_WORLD")
MAKERS = (state, synthetic, year, market)


def kept(name: str, make: Callable[[Path], object]) -> Path:
    """Return the world of a lake, made by `make` unless it is there already; its views are today's. Print what it takes."""
    home = Path(WORLD) if WORLD else install.cache() / "bench" / str(year.ROWS)
    home.mkdir(parents=True, exist_ok=True)
    world, note = home / name, home / f"{name}.json"
    with (home / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if lake.exists(world) and (WORLD or _noted(note) == _digest()):
            schema.create_or_migrate(world)
            _show(world, "kept")
        else:
            assert not WORLD or not world.exists(), f"{world} has no lake, but is there"
            began = time.monotonic()
            _make(make, world)
            note.write_text(json.dumps({"made_by": _digest()}))
            _show(world, f"made in {time.monotonic() - began:,.0f} s")
    return world


@contextmanager
def copied(world: Path) -> Iterator[Path]:
    """Give a copy of a world's lake to write to, as long as the block lasts: its Parquet files are the same ones, linked."""
    copy = world.with_name(f"{world.name}.run")
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(mode=0o700)
    shutil.copytree(lake.folder(world) / "files", lake.folder(copy) / "files", copy_function=_link)
    for each in lake.folder(world).iterdir():
        if each.is_file():
            shutil.copy(each, lake.folder(copy))
    schema.create_or_migrate(copy)
    try:
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _link(source: str, target: str) -> None:
    """Link what is never changed; manifests grow."""
    (os.link if source.endswith(".parquet") else shutil.copy)(source, target)


def _make(make: Callable[[Path], object], world: Path) -> None:
    """Make it beside, so that one whose making was interrupted is never taken for a lake."""
    part = world.with_name(f"{world.name}.part")
    for old in (part, world):
        shutil.rmtree(old, ignore_errors=True)
    make(part)
    part.rename(world)
    schema.create_or_migrate(world)  # notes where it is now


def _digest() -> str:
    """Return a digest of what decides which rows a lake has, and how they lie there."""
    layout = [
        (
            table.name,
            [(column.name, column.type) for column in table.columns],
            table.partition,
            table.sort,
            table.zstd_joined,
        )
        for table in TABLES.values()
    ]
    bars = [rollup(bars.table).body for kind in KINDS.values() for bars in kind.bars]
    found = hashlib.sha256(repr((layout, bars)).encode())
    for module in MAKERS:
        found.update(Path(str(module.__file__)).read_bytes())
    return found.hexdigest()[:16]


def _noted(note: Path) -> str:
    try:
        return str(json.loads(note.read_text())["made_by"])
    except (OSError, ValueError, KeyError):
        return ""


def _show(world: Path, what: str) -> None:
    size = sum(each.stat().st_size for each in lake.folder(world).rglob("*") if each.is_file())
    hours = (time.time() - lake.folder(world).stat().st_ctime) / 3600
    print(f"lake {world}: {what}, {size / 1e9:,.1f} GB, {hours:,.1f} hours old")
