"""What a file is: a venue's own dump by its name, a table of an archive by its header, a person's own by a map of columns, or a
recording of frames, whichever venue knows most of its first lines."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import NotADumpError
from pipelines.files.found import Found, Piece
from pipelines.files.parts import first_line, pieces
from pipelines.reading.recorded import NOT_TOLD, Options, channel_by_name, frames
from pipelines.venues import VENUES, Venue
from pipelines.venues.tables import ARCHIVED, OWN, SUMS

LOOKED_AT = 200  # first frames of a recording
ORDER_LIMIT = (
    "prices are the orders' limits, so what was heard live too is not known as the same; import what was not heard"
)


class Asked(NamedTuple):
    """What a person said: the venue, and for a table of their own the columns by our names, what side and quantity are; for
    sums the coin and the length of a period."""

    venue: str | None = None
    columns: dict[str, str] | None = None
    side_of: str = "order"
    unit: str = ""
    symbol: str = ""
    period: str = ""

    @property
    def of_sums(self) -> str:
        """What stands behind the channel's `@`: unit and period."""
        return f"{self.unit},{self.period}".rstrip(",")

    def lacks(self, path: Path, names: Sequence[str]) -> None:
        """Raise NotADumpError where one of these was not said."""
        if missing := [f"--{name}" for name in names if not getattr(self, name)]:
            raise NotADumpError(f"{path}: the file does not say it: give {', '.join(missing)}")


def recognise(path: Path, asked: Asked) -> Found:
    """Return what a file is. Raises NotADumpError with why it is none."""
    for venue in VENUES.values():
        if (why := venue.left_out(path)) and asked.venue in (None, venue.name):
            raise NotADumpError(f"{path}: {why}")
        if (named := venue.named_file(str(path))) is not None and asked.venue in (None, venue.name):
            return Found(path, venue.name, f"{venue.name}: {named.channel.removeprefix('dump_')} of {named.symbol}",
                         partial(_table, path, named.channel, named.symbol, None))  # fmt: skip
    head = first_line(path)
    names = [name.strip() for name in head.split(",")]
    for channel, layout in ARCHIVED.items():
        if set(layout) <= set(names):
            return _archived(path, channel, names)
    if asked.columns is not None:
        return _own(path, asked, names)
    return _recording(path, asked) or _refuse(path, names)


def _table(
    path: Path, channel: str, symbol: str, header: Callable[[str], str] | None, told: Callable[[str], object]
) -> Iterator[Piece]:
    keep = (lambda line: line) if header is None and not first_line(path)[:1].isdigit() else header
    yield from (Piece(payload, channel, symbol, "rest") for payload in pieces(path, keep, told))


def _archived(path: Path, channel: str, names: Sequence[str]) -> Found:
    exchange = _second_line(path)[names.index("exchange")]
    venue = next((each for each in VENUES.values() if exchange in each.archives), None)
    if venue is None:
        known = ", ".join(name for each in VENUES.values() for name in each.archives)
        raise NotADumpError(f"{path}: of {exchange}, which is none of {known}")
    what = f"an archive's {channel.removeprefix('archive_')} of {exchange}"
    warning = ORDER_LIMIT if channel == "archive_liquidations" and venue.price_kind == "order_limit" else ""
    return Found(path, venue.name, what, partial(_table, path, channel, "*", lambda line: line), warning)


def _second_line(path: Path) -> list[str]:
    rows = pieces(path, lambda line: line, lambda _: None)
    lines = next(rows, b"").decode(errors="replace").splitlines()
    if len(lines) < 2:
        raise NotADumpError(f"{path}: a header without rows")
    return lines[1].split(",")


def _own(path: Path, asked: Asked, names: list[str]) -> Found:
    if asked.venue is None:
        raise NotADumpError(f"{path}: say with --venue whose liquidations these are: {', '.join(VENUES)}")
    columns = asked.columns or {}
    if missing := [name for name in columns.values() if name not in names]:
        raise NotADumpError(f"{path}: the header lacks {', '.join(missing)}; it has {', '.join(names)}")
    ours = {theirs: name for name, theirs in columns.items()}
    header = ",".join(ours.get(name, f"their {name}" if name in columns else name) for name in names)
    if set(columns) == set(SUMS):
        asked.lacks(path, ("symbol", "unit"))
        channel, what = f"own_sums@{asked.of_sums}", f"sums of liquidations of {asked.symbol} in {asked.unit}"
        return Found(path, asked.venue, what, partial(_table, path, channel, asked.symbol, lambda _: header))
    channel = f"own_liquidations@{asked.side_of}" + (f",{asked.unit}" if asked.unit else "")
    what = f"a table of liquidations of {asked.venue} ({', '.join(f'{ours[name]}: {name}' for name in ours)})"
    return Found(path, asked.venue, what, partial(_table, path, channel, "*", lambda _: header))


def _recording(path: Path, asked: Asked) -> Found | None:
    """Return a recording of the venue that knows most of the first frames; None where none knows any."""
    wanted = [VENUES[asked.venue]] if asked.venue else list(VENUES.values())
    known = [(list(islice(_frames(path, venue, asked, lambda _: None), LOOKED_AT)), venue) for venue in wanted]
    found, venue = max(known, key=lambda pair: len(pair[0]))
    if not found:
        return None
    names = sorted({piece.channel.partition("@")[0] for piece in found})
    for name in names:
        asked.lacks(path, venue.to_be_said.get(name, ()))
    what = f"answers of {names[0].replace('_', ' ')}" if names[0] in venue.to_be_said else f"frames of {venue.name}"
    return Found(path, venue.name, what, partial(_frames, path, venue, asked))


def _frames(path: Path, venue: Venue, asked: Asked, told: Callable[[str], object]) -> Iterator[Piece]:
    """Yield the frames of a recording, with what was said of them; what is none is told of, with its line."""
    channel = channel_by_name(venue, str(path))
    try:
        with path.open("rb") as file:
            for frame in frames(Options(venue, str(path), channel, "*" if channel is None else "?"), file):
                if frame.channel.startswith("?"):
                    told(f"{path}:{frame.seq}: {frame.channel[1:] or 'no frame of ' + venue.name}")
                elif frame.channel in venue.to_be_said:
                    channel = f"{frame.channel}@{asked.of_sums}" if asked.of_sums else frame.channel
                    symbol = (asked.symbol or "*") if frame.symbol == NOT_TOLD else frame.symbol
                    yield Piece(frame.payload, channel, symbol, frame.transport, frame.seq)
                else:
                    yield Piece(frame.payload, frame.channel, frame.symbol, frame.transport, frame.seq)
    except OSError as error:
        raise NotADumpError(f"{path}: {error.strerror}") from None


def _refuse(path: Path, names: Sequence[str]) -> Found:
    hint = ""
    if len(names) >= len(OWN):
        hint = f"; for a table of liquidations say which column is which: --columns {','.join(f'{n}=…' for n in OWN)}"
    raise NotADumpError(
        f"{path}: not known: no venue's file, no archive's table, no frames of {', '.join(VENUES)}{hint}"
    )
