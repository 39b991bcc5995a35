"""Bybit's public files of candles, `kline_for_metatrader4`: `BTCUSDT_1_2024-01-01_2024-01-31.csv.gz`, CSV without a header.

A line is `2024.01.01 03:00,open,high,low,close,volume`. Its clock is UTC+3: so say a page on the files, and somebody who
compared their prices with another venue's.
"""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collectors.envelope import RawFrame
from pipelines.facts import Kline, Row
from pipelines.venues.bybit.symbols import is_inverse
from pipelines.venues.venue import Named
from pipelines.venues.wire import (  # fmt: skip
    BAD,
    Held,
    each,
    followed,
    horizon_ms,
    moment,
    not_negative,
    nothing,
    number,
    parameter,
    rejected,
    symbol_of,
)

AHEAD = timedelta(hours=3)
LENGTHS = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h"}
NAME = re.compile(
    rf"(?P<symbol>[A-Z0-9-]+)_(?P<length>{'|'.join(LENGTHS)})_\d{{4}}-\d\d-\d\d_\d{{4}}-\d\d-\d\d\.csv(\.gz)?"
)
TRADES = re.compile(r"[A-Z0-9-]+\d{4}-\d\d-\d\d\.csv\.gz")
COLUMNS = 6


def named_file(name: str) -> Named | None:
    """Return channel and symbol of a file of candles by its name, None where it is none."""
    named = NAME.fullmatch(Path(name).name)
    return Named(f"dump_kline@{named['length']}", named["symbol"]) if named else None


def left_out(path: Path) -> str:
    """Return why a published file is not imported, nothing where it is none or is imported."""
    return "trades: the warehouse keeps no trades" if TRADES.fullmatch(path.name) else ""


def candles(frame: RawFrame, held: Held) -> list[Row]:
    """Return candles of trades of the record's symbol."""
    horizon = horizon_ms(frame)
    try:
        lines = [line for line in csv.reader(frame.payload.decode("utf-8-sig").splitlines()) if line]
    except (csv.Error, *BAD) as error:
        return rejected(ValueError(f"not CSV: {error}"))

    def read(line: list[str]) -> Iterator[Row]:
        if len(line) != COLUMNS:
            raise ValueError(f"{len(line)} columns where {COLUMNS} are known")
        symbol = symbol_of(frame)
        local = datetime.strptime(line[0].strip(), "%Y.%m.%d %H:%M").replace(tzinfo=UTC)
        volume = not_negative(line[5], "volume")
        inverse = is_inverse(symbol)
        yield Kline(
            symbol, moment(round((local - AHEAD).timestamp() * 1000), horizon), LENGTHS[parameter(frame) or "1"], "trade",
            number(line[1]), number(line[2]), number(line[3]), number(line[4]), volume, "usd" if inverse else "base",
            None if inverse else volume,
        )  # fmt: skip

    return followed(each(lines, read, "rows")) if lines else nothing("an empty file")
