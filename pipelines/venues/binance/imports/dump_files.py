"""Binance's public dump files on disk: which they are, what they hold, in pieces that fit a Kafka record.

Layout of data.binance.vision: futures/{um,cm}/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-10-01.zip, and the like. Only the
file's name counts: it names the symbol, which the rows of two of the three kinds do not.
"""

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from collectors.topics import FUNDING, KLINE, LIQUIDATION, OPEN_INTEREST
from pipelines.errors import NotADumpError
from pipelines.venues.venue import Named

CANDLES = ("klines", "markPriceKlines", "indexPriceKlines", "premiumIndexKlines")
TOPICS = {
    "metrics": OPEN_INTEREST, "fundingRate": FUNDING, "liquidationSnapshot": LIQUIDATION, **dict.fromkeys(CANDLES, KLINE),
}  # fmt: skip
INTERVALS = "1m|3m|5m|15m|30m|1h|2h|4h|6h|8h|12h|1d|3d|1w|1mo"
KINDS = "metrics|fundingRate|liquidationSnapshot"
NAME = re.compile(rf"(?P<symbol>[^-/|]+)-(?P<kind>{KINDS}|{INTERVALS})-\d{{4}}-\d\d(-\d\d)?\.(zip|csv)")
"""Candles are named for their interval; of which price they are, the folder says, and without one they are of trades."""
OTHERS = re.compile(
    r"[^-/|]+-(aggTrades|trades|bookTicker|bookDepth|BVOLIndex|EOHSummary)-\d{4}-\d\d(-\d\d)?\.(zip|csv)"
)
SPOT = "spot"
CHECKSUM = ".CHECKSUM"
PART_BYTES = 4 * 1024 * 1024
MOST_BYTES = 1024**3
MIB = 1024**2


class Dump(NamedTuple):
    """A dump file of one kind (of TOPICS) and one symbol."""

    path: Path
    kind: str
    symbol: str

    @property
    def channel(self) -> str:
        """The channel its frames get."""
        return f"dump_{self.kind}"

    @property
    def topic(self) -> str:
        """The Kafka topic of what it mainly carries."""
        return TOPICS[self.kind]

    def parts(self) -> tuple[Iterable[bytes], str]:
        """Return the frames' bytes and the file's SHA-256. Raises NotADumpError where it is damaged."""
        text, digest = read(self)
        return parts(text), digest


def dump_of(path: Path) -> Dump | None:
    """Return what a file is by its name, None where it is none of the kinds."""
    named = NAME.fullmatch(path.name)
    if named is None or SPOT in path.parts:
        return None
    kind = named["kind"]
    if kind not in TOPICS:
        kind = next((name for name in CANDLES if name in path.parts), "klines")
    return Dump(path, kind, named["symbol"])


def left_out(path: Path) -> str:
    """Return why a published file is not imported, nothing where it is none or is imported."""
    if SPOT in path.parts and NAME.fullmatch(path.name):
        return "of the spot market; the warehouse has derivatives"
    other = OTHERS.fullmatch(path.name)
    return f"{other[1]}: the warehouse keeps no trades, quotes, depth or indices" if other else ""


def named_file(name: str) -> Named | None:
    """Return channel and symbol of a dump file by its name, None where it is none."""
    dump = dump_of(Path(name))
    return Named(dump.channel, dump.symbol) if dump else None


def dumps_in(paths: Iterable[Path]) -> tuple[list[Dump], int]:
    """Return the dumps that are named or lie in the folders named, in order, and how many other files lie there.

    Raises NotADumpError for a path that does not exist, and for a file that is named and is none.
    """
    found: dict[Path, Dump] = {}
    others = 0
    for path in paths:
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.is_file() and not each.name.endswith(CHECKSUM))
            of_kind = [dump for each in files if (dump := dump_of(each))]
            others += len(files) - len(of_kind)
        elif not path.exists():
            raise NotADumpError(f"{path}: there is no such file or folder")
        elif dump := dump_of(path):
            of_kind = [dump]
        else:
            kinds = ", ".join(TOPICS)
            raise NotADumpError(
                left_out(path)
                or f"{path}: a dump is called SYMBOL-KIND-DATE.zip or .csv, where KIND is one of {kinds}, or an interval"
            )
        found |= {dump.path.resolve(): dump for dump in of_kind}
    return list(found.values()), others


def read(dump: Dump) -> tuple[bytes, str]:
    """Return the CSV in a file and the file's SHA-256. Raises NotADumpError where it is damaged or not as its name says."""
    try:
        data = dump.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        _check(dump.path, digest)
        return (_unzipped(dump.path) if dump.path.suffix == ".zip" else data), digest
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise NotADumpError(f"{dump.path}: {error}") from None


def parts(text: bytes, most: int = PART_BYTES) -> Iterator[bytes]:
    """Cut CSV at line ends into pieces of about `most` bytes; a header line is repeated on each. Mostly there is one."""
    if len(text) <= most:
        yield text
        return
    head = text[: text.find(b"\n") + 1]
    header, start = (b"", 0) if head[:1].isdigit() else (head, len(head))
    while start < len(text):
        cut = text.find(b"\n", start + most)
        end = len(text) if cut < 0 else cut + 1
        yield header + text[start:end]
        start = end


def _check(path: Path, digest: str) -> None:
    """Compare with the published checksum where that file lies beside it."""
    beside = path.with_name(path.name + CHECKSUM)
    if beside.is_file() and (said := beside.read_text().split()[:1]) != [digest]:
        raise NotADumpError(f"{path}: its SHA-256 is {digest}, {beside.name} says {said[0] if said else 'nothing'}")


def _unzipped(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        inside = [entry for entry in archive.infolist() if entry.filename.endswith(".csv")]
        if len(inside) != 1:
            raise NotADumpError(f"{path}: {len(inside)} CSV files inside, wanted one")
        if inside[0].file_size > MOST_BYTES:
            raise NotADumpError(f"{path}: {inside[0].file_size // MIB:,} MiB inside, more than {MOST_BYTES // MIB:,}")
        return archive.read(inside[0])
