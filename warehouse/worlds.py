"""Which world (data folder) a command uses.

LIQ_DATA names it. Without LIQ_DATA, commands that bring data in (`liq up`, collect, backfill, import, ingest, broker, `flows
serve`, restore of a backup) use data/live, and `liq demo` uses data/demo. All other commands use data/live, or data/demo if
there is no data/live but a demo ran; a line on standard error then says which.
"""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIVE, DEMO = Path("data/live"), Path("data/demo")
_PARTS = ("lake", "kafka", "spool", "up.json")
_GIVEN = ("LIQ_DATA", "LIQ_CATALOGUE")

_told: Path | None = None


def reading_world() -> tuple[Path, str]:
    """Return the absolute folder of the world to read, and a note if the user may have meant another one."""
    if any(map(os.environ.get, _GIVEN)):
        return Path(os.environ.get("LIQ_DATA") or LIVE).expanduser().absolute(), ""
    if not _is_one(DEMO):
        return LIVE.absolute(), ""
    if _is_one(LIVE):
        return LIVE.absolute(), f"reading {LIVE}, not the demo's: LIQ_DATA={DEMO} reads that"
    return DEMO.absolute(), f"reading {DEMO}, as there is no {LIVE} yet; LIQ_DATA chooses another"


def told_world() -> Path:
    """Return the world to use, and set LIQ_DATA to it; a note goes to standard error.

    A command calls it before it reads its settings; `apart` undoes the choice when the command has ended.
    """
    global _told
    world, note = reading_world()
    if note:
        print(f"liq: {note}", file=sys.stderr)
        os.environ["LIQ_DATA"] = str(world)
        _told = world
    return world


@contextmanager
def apart() -> Iterator[None]:
    """Undo the choice of a world at the end of the block."""
    global _told
    before = os.environ.get("LIQ_DATA")
    try:
        yield
    finally:
        _told = None
        if before is None:
            os.environ.pop("LIQ_DATA", None)
        else:
            os.environ["LIQ_DATA"] = before


def named(text: str) -> str:
    """Return a text with the commands in it (`liq …`) as they are to be typed to reach the world that was told."""
    if _told is None or _told == LIVE.absolute():
        return text
    return text.replace("`liq ", f"`{setting(_told)} liq ")


def setting(world: Path) -> str:
    """Return LIQ_DATA=… as a shell takes it, relative where the world is below the folder one is in."""
    here, world = Path.cwd(), world.absolute()
    return f"LIQ_DATA={shlex.quote(str(world.relative_to(here) if world.is_relative_to(here) else world))}"


def _is_one(world: Path) -> bool:
    return any((world / part).exists() for part in _PARTS)
