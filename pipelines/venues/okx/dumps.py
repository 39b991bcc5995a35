"""OKX's public files: candles of contracts, `BTC-USDT-SWAP-candlesticks-2026-03.zip`, CSV with a header, times in milliseconds.

Seen in what several programs read of them, in 2024 to 2026; OKX documents only that there are such files, of one minute.
What the time of a line of its fundingrates files is, its settlement or another, their readers dispute: these are left out.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from collectors.envelope import RawFrame
from pipelines.facts import Kline, Row
from pipelines.venues.okx.symbols import contract_of
from pipelines.venues.tables import Cells, rows_of
from pipelines.venues.venue import Named
from pipelines.venues.wire import MINUTE_MS, Held, followed, horizon_ms, maybe, moment, not_negative, nothing, number

CANDLES = ("instrument_name", "open", "high", "low", "close", "vol", "vol_ccy", "vol_quote", "open_time", "confirm")
NAME = re.compile(r"(?P<symbol>[A-Z0-9_-]+?)-candlesticks-\d{4}-\d\d(-\d\d)?\.(zip|csv|csv\.gz)")
OTHERS = re.compile(r"[A-Za-z0-9_-]+?-(trades|aggtrades|fundingrates|orderbook)-\d{4}-\d\d(-\d\d)?\.(zip|csv|csv\.gz)")
WHY = {
    "fundingrates": "whether its times are those of the settlements is disputed; ask with liq backfill --what funding"
}
LENGTHS = {MINUTE_MS: "1m", 5 * MINUTE_MS: "5m", 15 * MINUTE_MS: "15m", 60 * MINUTE_MS: "1h", 1440 * MINUTE_MS: "1d"}


def named_file(name: str) -> Named | None:
    """Return channel and symbol of a file of candles by its name, None where it is none."""
    named = NAME.fullmatch(Path(name).name)
    return Named("dump_candlesticks", named["symbol"]) if named else None


def left_out(path: Path) -> str:
    """Return why a published file is not imported, nothing where it is none or is imported."""
    found = OTHERS.fullmatch(path.name)
    return f"{found[1]}: {WHY.get(found[1], 'the warehouse keeps no trades or depth')}" if found else ""


def candles(frame: RawFrame, held: Held) -> list[Row]:
    """Return candles of trades: vol is contracts, vol_ccy coins, vol_quote the quote. They are as long as they are apart."""
    horizon = horizon_ms(frame)

    def read(cells: Cells) -> Iterator[Row]:
        symbol = cells["instrument_name"]
        if contract_of(symbol) is None:
            yield from nothing(f"{symbol} is no contract: its candles are not kept")
            return
        yield Kline(
            symbol, moment(cells["open_time"], horizon), "1m", "trade",
            number(cells["open"]), number(cells["high"]), number(cells["low"]), number(cells["close"]),
            not_negative(cells["vol"], "vol"), "contract", maybe(cells["vol_ccy"]), maybe(cells["vol_quote"]),
            closed=cells["confirm"] == "1" if cells["confirm"] else None,
        )  # fmt: skip

    rows = followed(rows_of(frame, CANDLES, read))
    times = sorted({row.ts_event for row in rows if isinstance(row, Kline)})
    step = min((after - before for before, after in pairwise(times)), default=MINUTE_MS)
    for row in rows:
        if isinstance(row, Kline):
            row.interval = LENGTHS.get(step, f"{step // MINUTE_MS}m")
    return rows
