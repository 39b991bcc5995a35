"""Tables that people have of a venue's data, as CSV with a header: what each column means is the same for every venue.

archive_liquidations, archive_derivative_ticker: of an archive of many venues; times are microseconds, a liquidation's side is
that of the order (buy: a short was closed), its price and amount are as the venue sent them.
own_sums: a person's own sums per period, longs and shorts liquidated, of the coin that the record is of; the channel's
parameter says their unit and the period: own_sums@usd,1h.
own_liquidations: a person's own columns, which the header calls by our names (time, symbol, side, qty, price); the channel's
parameter says what the side is of (order or position), and in which unit the quantity is: own_liquidations@order,base.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

from collectors.envelope import RawFrame
from pipelines.facts import (
    AggregatedLiquidations,
    FundingRate,
    Liquidation,
    MarkPrice,
    OpenInterest,
    Position,
    Rejected,
    Row,
    Side,
    SumUnit,
    Unit,
)
from pipelines.venues.bounds import PRICE, QUANTITY, is_symbol, wrong_symbol
from pipelines.venues.wire import (  # fmt: skip
    BAD,
    Held,
    Parser,
    bounded,
    each,
    horizon_ms,
    later,
    maybe,
    moment,
    not_negative,
    nothing,
    number,
    numbered,
    parameter,
    rejected,
    symbol_of,
)

if TYPE_CHECKING:
    from pipelines.venues.venue import Venue

Cells = dict[str, str]
ARCHIVED = {
    "archive_liquidations": ("exchange", "symbol", "timestamp", "local_timestamp", "id", "side", "price", "amount"),
    "archive_derivative_ticker": (
        "exchange", "symbol", "timestamp", "local_timestamp", "funding_timestamp", "funding_rate", "predicted_funding_rate",
        "open_interest", "last_price", "index_price", "mark_price",
    ),
}  # fmt: skip
OWN = ("time", "symbol", "side", "qty", "price")
SUMS = ("time", "long", "short")
SIDES: dict[str, tuple[Side, Position]] = {
    "order buy": ("buy", "short"), "order sell": ("sell", "long"),
    "position long": ("sell", "long"), "position short": ("buy", "short"),
    "position buy": ("sell", "long"), "position sell": ("buy", "short"),
}  # fmt: skip
SECONDS, MICROSECONDS, NANOSECONDS = 10**11, 10**14, 10**17
"""Numbers below the first are seconds, from the second on microseconds, from the third on nanoseconds; others milliseconds."""
DIGITS = re.compile(r"\d+(\.\d+)?")


def time_ms(text: str) -> int:
    """Return a time in UTC milliseconds, of a number in any usual unit or of a date; one without a zone is UTC."""
    if DIGITS.fullmatch(text):
        value = float(text) if "." in text else int(text)
        if value < SECONDS:
            return round(value * 1000)
        return int(value // (10**6 if value >= NANOSECONDS else 1000 if value >= MICROSECONDS else 1))
    found = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def _liquidation(
    venue: "Venue", cells: Cells, sides: tuple[Side, Position], unit: Unit, kind: str, horizon: int
) -> Row:
    """Return the liquidation of a line; `cells` by the names of OWN."""
    symbol, time = cells["symbol"], moment(time_ms(cells["time"]), horizon)
    if not is_symbol(symbol):
        raise ValueError(wrong_symbol(symbol))
    form = venue.symbol_form(symbol)
    price = bounded(cells["price"], PRICE) if cells["price"] else None
    return Liquidation(
        symbol, time, *sides, price, kind, bounded(cells["qty"], QUANTITY), unit, form.contract if form else None,
        "undocumented", "|".join((symbol, *sides, cells["qty"], cells["price"], str(time))),
    )  # fmt: skip


def _sides(of: str, said: str) -> tuple[Side, Position]:
    if (found := SIDES.get(f"{of} {said.strip().lower()}")) is None:
        raise ValueError(f"side is {said!r}; of the {of} it is {'buy or sell' if of == 'order' else 'long or short'}")
    return found


def _unit(venue: "Venue", symbol: str) -> Unit:
    form = venue.symbol_form(symbol)
    if form is None or form.contract is None:
        raise ValueError(f"of the symbol {symbol!r} it cannot be told in what its quantity is")
    return venue.units[form.contract]


def archived_liquidations(venue: "Venue") -> Parser:
    """Return the parser of an archive's liquidations of this venue."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon = horizon_ms(frame)

        def read(cells: Cells) -> Iterator[Row]:
            own = {"time": cells["timestamp"], "qty": cells["amount"]} | {
                name: cells[name] for name in ("symbol", "price")
            }
            sides = _sides("order", cells["side"])
            yield _liquidation(venue, own, sides, _unit(venue, cells["symbol"]), venue.price_kind, horizon)

        return _liquidations(rows_of(frame, ARCHIVED["archive_liquidations"], read))

    return parse


def archived_tickers(venue: "Venue") -> Parser:
    """Return the parser of an archive's tickers of this venue: funding, open interest, mark and index price; empty: none."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon = horizon_ms(frame)

        def read(cells: Cells) -> Iterator[Row]:
            symbol, time = cells["symbol"], moment(time_ms(cells["timestamp"]), horizon)
            if cells["funding_rate"]:
                due = time_ms(cells["funding_timestamp"]) if cells["funding_timestamp"] else None
                yield FundingRate(symbol, time, number(cells["funding_rate"]), later(due))
            if cells["open_interest"]:
                unit, form = _unit(venue, symbol), venue.symbol_form(symbol)
                amount = not_negative(cells["open_interest"], "open_interest")
                yield OpenInterest(symbol, time, amount, unit, venue.oi_sides, form.contract if form else None)
            mark, index = maybe(cells["mark_price"]) or None, maybe(cells["index_price"]) or None
            if mark or index:
                yield MarkPrice(symbol, time, mark, index)

        return rows_of(frame, ARCHIVED["archive_derivative_ticker"], read)

    return parse


def own_liquidations(venue: "Venue") -> Parser:
    """Return the parser of a person's own table of this venue's liquidations."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon = horizon_ms(frame)
        of, _, unit = (parameter(frame) or "").partition(",")

        def read(cells: Cells) -> Iterator[Row]:
            own = cells | {"symbol": cells["symbol"] or symbol_of(frame)}
            known: Unit = unit if unit in get_args(Unit) else _unit(venue, own["symbol"])  # type: ignore[assignment]
            yield _liquidation(venue, own, _sides(of, own["side"]), known, "undocumented", horizon)

        return _liquidations(rows_of(frame, OWN, read))

    return parse


def own_sums(venue: "Venue") -> Parser:
    """Return the parser of a person's own table of sums per period of the coin that the record is of."""

    def parse(frame: RawFrame, held: Held) -> list[Row]:
        horizon = horizon_ms(frame)
        unit, _, period = (parameter(frame) or "").partition(",")
        of: SumUnit = "base" if unit == "base" else "usd"

        def read(cells: Cells) -> Iterator[Row]:
            at = moment(time_ms(cells["time"]), horizon)
            long, short = (not_negative(cells[name] or "0", name) for name in ("long", "short"))
            yield AggregatedLiquidations(symbol_of(frame), at, "own", period or "unknown", long, short, of)

        return rows_of(frame, SUMS, read)

    return parse


READERS: dict[str, Callable[["Venue"], Parser]] = {
    "archive_liquidations": archived_liquidations, "archive_derivative_ticker": archived_tickers,
    "own_liquidations": own_liquidations, "own_sums": own_sums,
}  # fmt: skip


def _liquidations(rows: list[Row]) -> list[Row]:
    found = [row for row in rows if isinstance(row, Liquidation)]
    numbered(found)  # type: ignore[arg-type]
    return rows


def rows_of(frame: RawFrame, layout: Iterable[str], read: Callable[[Cells], Iterable[Row]]) -> list[Row]:
    """Return the rows of a table with a header that has the columns `layout`; a bad line is rejected by its place."""
    try:
        lines = list(csv.reader(frame.payload.decode("utf-8-sig").splitlines()))
    except (csv.Error, *BAD) as error:
        return rejected(ValueError(f"not CSV: {error}"))
    lines = [line for line in lines if line]
    if not lines:
        return nothing("an empty file")
    names = [name.strip() for name in lines[0]]
    if missing := [name for name in layout if name not in names]:
        return [Rejected(f"the header lacks {', '.join(missing)}")]

    def cells(line: list[str]) -> Iterable[Row]:
        if len(line) != len(names):
            raise ValueError(f"{len(line)} columns where the header has {len(names)}")
        return read(dict(zip(names, map(str.strip, line), strict=True)))

    return each(lines[1:], cells, "rows") if len(lines) > 1 else nothing("a header without rows")
