"""`liq import FILE…`: what people have of the past, into Kafka; a venue's own files have commands beside it."""

import asyncio
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from collectors.kafka import KafkaSettings, connection
from collectors.printable import printable
from collectors.terminal import bar
from pipelines.commands.command_line import Group
from pipelines.errors import NotADumpError, UsageError
from pipelines.facts import Unit
from pipelines.files.bring import NAMED, Brought, bring
from pipelines.files.found import Found
from pipelines.files.parts import CHECKSUM
from pipelines.files.recognise import Asked, recognise
from pipelines.venues import VENUES
from pipelines.venues.tables import OWN, SUMS

ANY = "files"
SIDES = ("order", "position")
PERIOD = re.compile(r"[1-9]\d*[mhd]")
UNITS = tuple(unit for unit in Unit.__args__ if unit != "unknown")  # type: ignore[attr-defined]


class Either(Group):
    """A group whose first word may also be a file: then it is the command `files`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name before a file's."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [ANY, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=Either)


@app.callback()
def imports() -> None:
    """Put downloaded files of past data into Kafka; `liq ingest` stores them.

    Name files alone (liq import FILE…): each is recognised by its name or by what is in it. Or name the kind first.
    """


@app.command(ANY)
def files(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE", help="files, or folders with files; gzip and zip too")],
    venue: Annotated[str | None, typer.Option(metavar="VENUE", help=f"whose data it is: {', '.join(VENUES)}")] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="OURS=THEIRS,…",
            help=f"of a table of liquidations, which column is {', '.join(OWN)}; of sums, which is {', '.join(SUMS)}",
        ),
    ] = None,
    side_of: Annotated[
        str, typer.Option(help="what its side is of: order (buy closes a short), or position")
    ] = "order",
    unit: Annotated[
        str, typer.Option(help=f"what its quantities are in: {', '.join(UNITS)}; else what the venue sends")
    ] = "",
    symbol: Annotated[str, typer.Option(metavar="COIN", help="of sums: which coin they are of")] = "",
    period: Annotated[str, typer.Option(metavar="1h", help="of sums: the length of a period; else their spacing")] = "",
) -> None:
    """Import what you have: it is said of each file what it is, how many rows it has, and what was left out and why.

    Known are a venue's public dumps by their names, tables of an archive by their header (liquidations, derivative_ticker),
    recordings of frames in any framing that `liq parse` reads, and a table of your own by --venue and --columns:

    liq import mine.csv --venue bybit --columns time=ts,symbol=pair,side=side,qty=size,price=px --side-of position

    Sums per period that a vendor made (answers of CoinGlass and Coinalyze, or a table) are in no total; they lie in
    liquidations_aggregated, and liquidations_against_aggregated shows them beside ours:

    liq import coinglass.json --symbol BTC
    liq import sums.csv --venue aggregated --symbol BTC --unit usd --columns time=time,long=long_usd,short=short_usd

    Rows have source import. A file imported twice gives no row twice; a damaged one loses nothing but what is damaged.
    Exit code 1: a file is damaged or not known (the others are imported).
    """
    if venue is not None and venue not in VENUES:
        raise UsageError(f"no venue {venue!r}. Known: {', '.join(VENUES)}")
    if side_of not in SIDES or unit not in ("", *UNITS):
        raise UsageError(f"--side-of is one of {', '.join(SIDES)}, --unit one of {', '.join(UNITS)}")
    if period and not PERIOD.fullmatch(period):
        raise UsageError(f"--period is minutes, hours or days: 30m, 1h, 1d; not {period!r}")
    asked = Asked(venue, _columns(columns), side_of, unit, symbol.upper(), period)
    found, unknown = _found(paths, asked)
    for line in unknown:
        _say(f"not imported: {line}")
    damaged = bool(unknown)
    if found:
        damaged |= asyncio.run(_bring(found))
    raise typer.Exit(1 if damaged else 0)


async def _bring(found: Sequence[Found]) -> bool:
    damaged = False
    with bar("import", len(found)) as move:

        def told(file: Found, done: Brought | NotADumpError) -> None:
            nonlocal damaged
            move(advance=1, description=file.path.name)
            if isinstance(done, NotADumpError):
                damaged = True
                _say(f"not imported: {done}")
                return
            damaged |= bool(done.damaged)
            for line in _told(file, done):
                print(printable(line, 2000))
            for line in done.damaged[:NAMED]:
                _say(line)
            if len(done.damaged) > NAMED:
                _say(f"{file.path}: {len(done.damaged) - NAMED:,} more places that cannot be read")

        await bring(found, connection(KafkaSettings.load()), told)
    print("`liq ingest` commits what is in Kafka now")
    return damaged


def _told(file: Found, done: Brought) -> Iterator[str]:
    rows = ", ".join(f"{count:,} {_words(kind)}" for kind, count in sorted(done.rows.items())) or "no rows"
    yield f"{file.path.name}: {file.what}; {rows} in {done.frames:,} frames"
    for reason, count in done.left_out.most_common(NAMED):
        yield f"  left out: {count:,} times {reason}"
    if file.warning:
        yield f"  note: {file.warning}"


def _words(kind: str) -> str:
    """Return MarkPrice as mark prices."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
    return words if words.endswith(("interest", "s")) else f"{words}s"


def _columns(given: str | None) -> dict[str, str] | None:
    if given is None:
        return None
    pairs = [part.partition("=")[::2] for part in given.split(",") if part]
    columns = {ours.strip(): theirs.strip() for ours, theirs in pairs}
    if set(columns) not in (set(OWN), set(SUMS)) or not all(columns.values()):
        raise UsageError(f"--columns names all of {', '.join(OWN)}: {','.join(f'{name}=THEIRS' for name in OWN)}; or of sums "
                         f"{', '.join(SUMS)}")  # fmt: skip
    return columns


def _found(paths: Sequence[Path], asked: Asked) -> tuple[list[Found], list[str]]:
    found: dict[Path, Found] = {}
    unknown: list[str] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
        inside = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        for each in inside:
            if each.name.endswith(CHECKSUM):
                continue
            try:
                found[each.resolve()] = recognise(each, asked)
            except NotADumpError as error:
                unknown.append(str(error))
    return list(found.values()), unknown


def _say(line: str) -> None:
    print(printable(f"liq import: {line}", 2000), file=sys.stderr)


for _venue in VENUES.values():
    if _venue.imports:
        app.registered_commands += import_module(_venue.imports).app.registered_commands
