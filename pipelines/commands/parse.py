"""`liq parse`: recorded frames to rows as JSON lines; no broker and no warehouse needed."""

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, NamedTuple

import msgspec
import polars as pl
import typer
from rich.console import Console
from rich.progress import Progress

from collectors.envelope import RawFrame
from collectors.printable import UNPRINTABLE, printable
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import WITH_ROWS, Parsed, normalise, parse_frames
from pipelines.errors import UsageError
from pipelines.facts import FundingInterval, Instrument, Nothing, Rejected
from pipelines.reading.recorded import NOT_TOLD, Options, channel_by_name, frames, knows, with_interval
from pipelines.venues import VENUES, Held, Venue

BATCH = 5_000
NOT_HERE = ("ts_recv", "source", "kafka_topic", "kafka_partition", "kafka_offset")
TIME = "%Y-%m-%dT%H:%M:%S%.6fZ"

LoadInstruments = Callable[[], Instruments | None]


class _Answered(msgspec.Struct):
    serverTime: int = 0  # noqa: N815
    time: int = 0


def channels(venue: Venue) -> dict[str, list[str]]:
    """Return the channels whose frames give rows, by transport; a name ending in `*` is a prefix."""
    return {kind: sorted(name for transport, name in venue.parsers if transport == kind) for kind in ("ws", "rest")}


def channel_named(venue: Venue, text: str) -> str:
    """Return the channel for `kline@1`, `rest_kline` or a file's stem. Raises UsageError, listing the known ones."""
    name, at, parameter = text.partition("@")
    for spelling in (name, name.removeprefix("rest_"), name.removeprefix("um_"), name.removeprefix("cm_")):
        if knows(venue, spelling):
            return f"{spelling}{at}{parameter}"
    listed = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in channels(venue).items())
    raise UsageError(f"{venue.name} has no channel {text!r}. Known: {listed}")


class Report(NamedTuple):
    """A batch's output: rows as JSON lines, and what is to be said of frames without rows, both in the lines' order."""

    rows: list[bytes]
    remarks: list[str]
    dead: int


def report(batch: list[RawFrame], held: Held, instruments: Instruments) -> tuple[Report, Instruments]:
    """Read one batch; `held` is kept from batch to batch. Also returns the instruments it told of."""
    parsed = parse_frames(batch, held)
    tables, book = normalise(parsed, instruments, grid_s=0)
    rows: list[tuple[int, bytes]] = []
    for name, table in tables.items():
        if name != "dead_letters" and table.height:
            rows += _json_rows(name, table)
    rows.sort(key=lambda row: row[0])
    printed = {seq for seq, _ in rows}
    return Report([text for _, text in rows], _remarks(parsed, printed), len(parsed.rejected.rows)), book


def _json_rows(name: str, table: pl.DataFrame) -> list[tuple[int, bytes]]:
    times = [
        column for column, dtype in table.schema.items() if isinstance(dtype, pl.Datetime) and column not in NOT_HERE
    ]
    readable = table.with_columns(
        *(pl.col(column).dt.strftime(TIME) for column in times),
        *(pl.lit(None).alias(column) for column in NOT_HERE if column in table.columns),
    )
    return [(row["seq"], msgspec.json.encode({"table": name, **row})) for row in readable.iter_rows(named=True)]


def _remarks(parsed: Parsed, printed: set[int]) -> list[str]:
    """Say why a line gave no row, and name every item that became a dead letter."""
    remarks: list[tuple[int, str]] = []
    for kind in (Rejected, Nothing):
        facts = parsed.facts.get(kind)
        for row, position in zip(facts.rows, facts.frames, strict=True) if facts else ():
            seq = parsed.frames[position].seq
            if isinstance(row, Rejected):
                remarks.append((seq, f"dead letter: {row.item + ': ' if row.item else ''}{row.reason}"))
            elif isinstance(row, Nothing) and seq not in printed:
                remarks.append((seq, row.reason))
    for frame, outcome in zip(parsed.frames, parsed.outcomes, strict=True):
        if outcome == WITH_ROWS and frame.seq not in printed:
            remarks.append((frame.seq, "nothing new: the contracts are as already known, or not listed here"))
    name = parsed.frames[0].session if parsed.frames else ""
    return [f"{name}:{seq}: {text}" for seq, text in sorted(dict.fromkeys(remarks))]


def read_instruments(venue: Venue, paths: Iterable[Path]) -> Instruments:
    """Return what the venue's own instrument answers say, as of the time they name. Raises UsageError where none does."""
    book = Instruments()
    for path in paths:
        told = 0
        with _opened(str(path)) as source:
            for frame in frames(Options(venue, str(path)), source):
                contracts = _contracts(venue, frame)
                book, told = book.learn(venue.name, contracts), told + len(contracts)
        if not told:
            raise UsageError(
                f"{path}: no contracts of {venue.name}; wanted answers of {', '.join(venue.contract_lists)}"
            )
    return book


def _contracts(venue: Venue, frame: RawFrame) -> list[tuple[Instrument | FundingInterval, int]]:
    for channel in venue.contract_lists:
        versions = venue.parsers["rest", channel]
        found = [row for row in versions[-1][1](frame, {}) if isinstance(row, Instrument | FundingInterval)]
        if found:
            return [(row, _answered_us(frame.payload)) for row in found]
    return []


def _answered_us(payload: bytes) -> int:
    try:
        answered = msgspec.json.decode(payload, type=_Answered)
    except msgspec.MsgspecError:
        return 0
    return 1000 * (answered.serverTime or answered.time)


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def options_of(venue: str, file: str, channel: str | None, symbol: str | None) -> Options:
    """Return what was asked for; a file named rest_X.jsonl is of channel X. Raises UsageError, listing what is known."""
    if venue not in VENUES:
        raise UsageError(f"no venue {venue!r}. Known: {', '.join(VENUES)}")
    if symbol is not None and UNPRINTABLE.search(symbol):
        raise UsageError(f"--symbol {symbol!a} has characters that no symbol has")
    if channel is not None:
        channel = with_interval(VENUES[venue], channel_named(VENUES[venue], channel))
    else:
        channel = channel_by_name(VENUES[venue], file)
    return Options(VENUES[venue], file, channel, symbol or ("*" if channel is None else NOT_TOLD))


def run(options: Options, instruments: Instruments, out: BinaryIO, err: Callable[[str], object]) -> int:
    """Read the input to its end: rows to `out`, remarks to `err`. Returns the exit code: 1 where a frame is a dead letter."""
    held: Held = {}
    dead = 0
    with _opened(options.name) as source, _Progress(options.name) as advance:
        stream = frames(options, source)
        while batch := list(islice(stream, BATCH)):
            found, instruments = report(batch, held, instruments)
            out.writelines(row + b"\n" for row in found.rows)
            out.flush()
            for remark in found.remarks:
                err(remark)
            dead += found.dead
            advance(batch)
    return 1 if dead else 0


class _Progress:
    """A bar on standard error where that is a terminal and standard output is not."""

    def __init__(self, file: str) -> None:
        shown = file != "-" and sys.stderr.isatty() and not sys.stdout.isatty()
        self._bar = Progress(console=Console(stderr=True), transient=True, disable=not shown)
        self._task = self._bar.add_task(file, total=Path(file).stat().st_size if shown else None)

    def __enter__(self) -> Callable[[list[RawFrame]], None]:
        self._bar.start()
        return lambda batch: self._bar.advance(self._task, sum(len(frame.payload) + 1 for frame in batch))

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


FRAMES = (
    "Recorded frames as JSON: one per line, over several lines, in arrays, after a time stamp, or in a recorder's own columns; "
    "also in gzip or zip; - is standard input."
)


def command(load_instruments: LoadInstruments | None = None) -> Callable[..., None]:
    """Return the command `parse`; `load_instruments` gives the warehouse's book where there is one."""

    def parse(
        venue: Annotated[str, typer.Argument(help=f"One of: {', '.join(VENUES)}.")],
        file: Annotated[str, typer.Argument(help=FRAMES)] = "-",
        channel: Annotated[
            str | None,
            typer.Option(
                help="Channel of a REST answer, such as kline@1 or um_klines@1m; a file rest_X.jsonl has channel X."
            ),
        ] = None,
        symbol: Annotated[
            str | None,
            typer.Option(help="Symbol of the request, for answers that do not repeat it; if not given, rows have ?."),
        ] = None,
        instruments: Annotated[
            list[Path] | None,
            typer.Option(
                help="The venue's answer with its instruments, JSON lines; gives contract sizes without a warehouse."
            ),
        ] = None,
        format: Annotated[Literal["jsonl"], typer.Option(help="Form of the rows.")] = "jsonl",  # noqa: ARG001
        list_channels: Annotated[bool, typer.Option("--channels", help="List the venue's channels and stop.")] = False,
    ) -> None:
        """Parse recorded frames of a venue into the rows of the warehouse, one JSON object per line.

        Standard error names each line that gives no row, with the reason. Exit code 1: a line is a dead letter.
        """
        try:
            options = options_of(venue, file, channel, symbol)
            if list_channels:
                for kind, names in channels(options.venue).items():
                    typer.echo("\n".join(f"{kind}\t{name}" for name in names))
                return
            book = read_instruments(options.venue, instruments) if instruments else None
            if book is None and load_instruments is not None:
                book = load_instruments()
            code = run(
                options, book or Instruments(), sys.stdout.buffer, lambda text: typer.echo(printable(text), err=True)
            )
        except UsageError as error:
            typer.echo(printable(f"liq parse: {error}", 5000), err=True)
            raise typer.Exit(2) from None
        if code:
            raise typer.Exit(code)

    return parse
