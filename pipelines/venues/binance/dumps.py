"""Binance's public dump files (data.binance.vision, futures/um and futures/cm): CSV, with or without a header line.

Seen in files, by third parties (binance/binance-public-data issues 259, 337, 484, 498; exchanges/binance.md §2, §4):
- liquidationSnapshot (COIN-M 2023-06-25 to 2024-10-14, USD-M to 2024-03-31) has every row twice, and otherwise never two in
  a second: it is the stream with its cap, so rows of equal identity are one liquidation, and completeness is the stream's.
- metrics has 5-minute rows, some missing, some repeated; COIN-M's have open interest in contracts and its value in coins,
  and mostly empty ratios. Which end of the five minutes the time names is not said; it is taken as the history's.
- fundingRate has times some milliseconds late, as the REST history has.
- klines, markPriceKlines, indexPriceKlines and premiumIndexKlines have the cells of the REST answer; newer files have a header.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

from collectors.envelope import RawFrame
from pipelines.facts import FundingSettlement, Kline, LongShortRatio, OpenInterest, Row
from pipelines.venues.binance.history import PriceKind, bar_length
from pipelines.venues.binance.streams import Order, liquidation
from pipelines.venues.binance.symbols import is_coin_margined, symbol_form
from pipelines.venues.symbols import DOLLARS
from pipelines.venues.wire import (
    BAD,
    BAR_SETTLES_MS,
    MINUTE_MS,
    Held,
    Parser,
    each,
    followed,
    horizon_ms,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    positive,
    rejected,
    symbol_of,
)  # fmt: skip

Cells = dict[str, str]
Layout = tuple[str, ...]

METRICS: Layout = (
    "create_time", "symbol", "sum_open_interest", "sum_open_interest_value", "count_toptrader_long_short_ratio",
    "sum_toptrader_long_short_ratio", "count_long_short_ratio", "sum_taker_long_short_vol_ratio",
)  # fmt: skip
FUNDING: Layout = ("calc_time", "funding_interval_hours", "last_funding_rate")
LIQUIDATIONS: Layout = (
    "time", "side", "order_type", "time_in_force", "original_quantity", "price", "average_price", "order_status",
    "last_fill_quantity", "accumulated_fill_quantity",
)  # fmt: skip
KLINES: Layout = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count", "taker_buy_volume",
    "taker_buy_quote_volume", "ignore",
)  # fmt: skip
RENAMED = {"last_filled_quantity": "last_fill_quantity", "accumulated_filled_quantity": "accumulated_fill_quantity"}
DUMPS = {"metrics": METRICS, "fundingRate": FUNDING, "liquidationSnapshot": LIQUIDATIONS, "klines": KLINES}
ROWS = {
    "metrics": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,[^,]+(,[\d.]*){6}"),
    "fundingRate": re.compile(r"\d{13},\d{1,2},-?\d*\.\d+(e-\d+)?", re.IGNORECASE),
    "klines": re.compile(r"\d{13}(,-?[\d.]+){5},\d{13}(,[\d.]+){5}"),
    "liquidationSnapshot": re.compile(r"\d{13},([^,]+,)?(BUY|SELL),[^,]*,[^,]*(,[\d.]*){3},[^,]*(,[\d.]*){2}"),
}
"""How a line of each kind looks, for a file without header line."""
PERIOD = "5m"
RATIOS: tuple[tuple[Literal["global_accounts", "top_accounts", "top_positions", "taker"], str], ...] = (
    ("global_accounts", "count_long_short_ratio"), ("top_accounts", "count_toptrader_long_short_ratio"),
    ("top_positions", "sum_toptrader_long_short_ratio"), ("taker", "sum_taker_long_short_vol_ratio"),
)  # fmt: skip


def kind_of(line: str) -> str | None:
    """Return the kind of dump of which a line is the first, header or not; None for none."""
    names = {RENAMED.get(name.strip(), name.strip()) for name in line.split(",")}
    found = (kind for kind, layout in DUMPS.items() if names.issuperset(layout) or ROWS[kind].fullmatch(line))
    return next(found, None)


def metrics(frame: RawFrame, held: Held) -> list[Row]:
    """Return open interest and ratios of every five minutes; an empty cell gives no row."""
    horizon = horizon_ms(frame)

    def read(cells: Cells) -> Iterator[Row]:
        symbol, time = cells["symbol"] or symbol_of(frame), moment(_time(cells["create_time"]), horizon)
        if cells["sum_open_interest"]:
            yield _open_interest(symbol, time, cells)
        for kind, name in RATIOS:
            if cells[name]:
                yield LongShortRatio(symbol, time, kind, PERIOD, not_negative(cells[name], name))

    return _rows(frame, METRICS, read)


def _open_interest(symbol: str, time: int, cells: Cells) -> OpenInterest:
    amount = not_negative(cells["sum_open_interest"], "sum_open_interest")
    value = maybe(cells["sum_open_interest_value"])
    if is_coin_margined(symbol):
        return OpenInterest(symbol, time, amount, "contract", "undocumented", "inverse", value, None, PERIOD)
    form = symbol_form(symbol)
    usd = value if form and form.quote in DOLLARS else None
    return OpenInterest(symbol, time, amount, "base", "undocumented", "linear", None, usd, PERIOD)


def settlements(frame: RawFrame, held: Held) -> list[Row]:
    """Return settled rates of the record's symbol; the time is brought to the whole minute it was meant for."""
    horizon = horizon_ms(frame)

    def read(cells: Cells) -> Iterator[Row]:
        time = (moment(cells["calc_time"], horizon) + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
        interval = positive(cells["funding_interval_hours"], "funding_interval_hours")
        yield FundingSettlement(symbol_of(frame), time, number(cells["last_funding_rate"]), interval)

    return _rows(frame, FUNDING, read)


def liquidations(frame: RawFrame, held: Held) -> list[Row]:
    """Return the liquidations of the record's symbol, each once, with the identity the stream gave them."""
    horizon, seen = horizon_ms(frame), set[str]()

    def read(cells: Cells) -> Iterator[Row]:
        side = cells["side"]
        if side not in ("BUY", "SELL"):
            raise ValueError(f"side is {side!r}, not BUY or SELL")
        symbol = cells.get("symbol") or symbol_of(frame)
        if symbol_form(symbol) is None:
            raise ValueError(f"of the symbol {symbol!r} it cannot be told whether its quantity is coins or contracts")
        order = Order(
            s=symbol, S="BUY" if side == "BUY" else "SELL",
            q=cells["original_quantity"], p=cells["price"], ap=cells["average_price"],
            X=cells["order_status"] or None, z=cells["accumulated_fill_quantity"], T=int(cells["time"]),
        )  # fmt: skip
        found = liquidation(order, None, horizon)
        if found.identity not in seen:
            seen.add(found.identity)
            yield found

    return _rows(frame, LIQUIDATIONS, read)


def klines(kind: PriceKind) -> Parser:
    """Return the parser of candles of the record's symbol. Volume is coins and quote_volume the quote; on contracts of the coin
    it is contracts and coins."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon = horizon_ms(frame)
        return followed(
            _rows(frame, KLINES, lambda cells: (_kline(symbol_of(frame), kind, cells, frame.at_ns, horizon),))
        )

    return parse


def _kline(symbol: str, kind: PriceKind, cells: Cells, at_ns: int, horizon: int) -> Kline:
    opened, closes = moment(cells["open_time"], horizon), int(cells["close_time"])
    row = Kline(
        symbol, opened, bar_length(closes + 1 - opened), kind,
        number(cells["open"]), number(cells["high"]), number(cells["low"]), number(cells["close"]),
        closed=closes + BAR_SETTLES_MS < at_ns // 1_000_000 if at_ns else None,
    )  # fmt: skip
    if kind == "trade":
        inverse = is_coin_margined(symbol)
        volume, second = not_negative(cells["volume"], "volume"), not_negative(cells["quote_volume"], "quote_volume")
        row.volume, row.volume_unit, row.trades = volume, "contract" if inverse else "base", int(cells["count"])
        row.volume_base, row.volume_quote = (second, None) if inverse else (volume, second)
        row.taker_buy_volume = number(cells["taker_buy_quote_volume" if inverse else "taker_buy_volume"])
    return row


def _rows(frame: RawFrame, layout: Layout, read: Callable[[Cells], Iterable[Row]]) -> list[Row]:
    lines = [line for line in frame.payload.decode(errors="surrogateescape").splitlines() if line]
    if not lines:
        return nothing("an empty file")
    try:
        first = _split(lines[0])
        names = _names(first, layout)
    except BAD as error:
        return rejected(error)
    data = lines[1:] if _is_header(first) else lines
    return (
        each(data, lambda line: read(_cells(names, _split(line))), "rows") if data else nothing("a header without rows")
    )


def _split(line: str) -> list[str]:
    """Return the cells of a line. Raises ValueError where it is no CSV or not UTF-8."""
    if not line.isascii():
        line.encode(errors="surrogateescape").decode()
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader((line,)))
    except csv.Error as error:
        raise ValueError(f"not CSV: {error}") from None


def _is_header(cells: Sequence[str]) -> bool:
    return not cells[0][:1].isdigit()


def _names(first: Sequence[str], layout: Layout) -> Sequence[str]:
    """Return what each column is called: by the header line, or by the layout, which may have the symbol behind the time."""
    if not _is_header(first):
        wider = len(first) == len(layout) + 1 and "symbol" not in layout
        return (layout[0], "symbol", *layout[1:]) if wider else layout
    names = [RENAMED.get(name.strip(), name.strip()) for name in first]
    if missing := [name for name in layout if name not in names]:
        raise ValueError(f"the header lacks {', '.join(missing)}")
    return names


def _cells(names: Sequence[str], cells: Sequence[str]) -> Cells:
    if len(cells) != len(names):
        raise ValueError(f"{len(cells)} columns where {len(names)} are documented")
    return {name: cell.strip() for name, cell in zip(names, cells, strict=True)}


def _time(text: str) -> int:
    if text.isdecimal():
        return int(text)
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()) * 1000
