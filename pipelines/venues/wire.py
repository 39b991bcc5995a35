"""From the text exchanges send to numbers and times that can be trusted, and lists of which one item may be bad."""

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import Annotated, Any, TypeVar

import msgspec

from collectors.envelope import RawFrame
from collectors.printable import printable
from collectors.topics import MAX_FRAME_BYTES
from pipelines.facts import Kline, Liquidation, Nothing, Rejected, Row
from pipelines.venues.bounds import EARLIEST_MS, LATE_MS, Bound, beyond, implausible

DAY_MS = 86_400_000
LATEST_MS = 4_102_444_800_000  # 2100-01-01
MINUTE_MS = 60_000
MOST_REJECTED = 1_000  # items of a frame that are named one by one
LARGE, MOST_VALUES = 1024 * 1024, 300_000
"""Bytes of a frame from which on its values are counted, and how many it may have: the longest lists have some 70,000."""
LONGEST_REASON, LONGEST_QUOTE = 300, 40  # characters
BAR_SETTLES_MS = 30_000
"""So long after its end a bar may still be on its way as it ran: an answer takes time, and clocks differ."""

Held = dict[tuple[str, str], Any]
Parser = Callable[[RawFrame, Held], list[Row]]
Text = str | int | float
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

BAD = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding a frame may raise."""

Item = TypeVar("Item")


def horizon_ms(frame: RawFrame) -> int:
    """Return the latest event time `frame` may carry: a day after it came; 2100 where that is not known."""
    return frame.at_ns // 1_000_000 + LATE_MS if frame.at_ns else LATEST_MS


def too_much(payload: bytes) -> str:
    """Return why a frame is too much to be decoded, nothing where it is not. Of CSV, which is read line by line, none is."""
    if len(payload) < LARGE or payload.lstrip()[:1] not in (b"[", b"{"):
        return ""
    if len(payload) > MAX_FRAME_BYTES:
        return f"a frame of {len(payload):,} bytes, more than {MAX_FRAME_BYTES:,}"
    values = payload.count(b",") + 1
    return f"a frame of {values:,} values, more than {MOST_VALUES:,}" if values > MOST_VALUES else ""


def moment(value: str | int, horizon: int) -> int:
    """Return a time in UTC milliseconds. Raises ValueError for seconds, microseconds, cut digits or the future."""
    ms = int(value)
    if EARLIEST_MS <= ms <= horizon:
        return ms
    raise ValueError(_untimely(ms, horizon))


def _untimely(ms: int, horizon: int) -> str:
    if horizon < ms < 100 * LATEST_MS:
        return f"time stamp {ms} is more than a day after the frame was received"
    return f"time stamp {ms} is not in milliseconds since 1970" if ms else "time stamp is 0"


def later(value: str | int | None) -> int | None:
    """Return a time that may lie ahead (next funding, expiry); None where it is empty, zero or impossible."""
    if not value:
        return None
    ms = int(value)
    return ms if EARLIEST_MS <= ms < LATEST_MS else None


def number(value: Text) -> float:
    """Return a finite number from the exchange's text. Raises ValueError, naming the text."""
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if isfinite(found):
        return found
    raise ValueError(f"{shown(value)} is not a number")


def maybe(value: Text | None) -> float | None:
    """Return a finite number, None where the exchange sent nothing or an empty text."""
    return None if value is None or value == "" else number(value)


def positive(value: Text, name: str) -> float:
    """Return a number above zero. Raises ValueError with the field's name."""
    found = number(value)
    if found > 0:
        return found
    raise ValueError(f"{name} is {shown(value)}, not above zero")


def not_negative(value: Text, name: str) -> float:
    """Return a number of zero or more. Raises ValueError with the field's name."""
    found = number(value)
    if found >= 0:
        return found
    raise ValueError(f"{name} is {shown(value)}, below zero")


def bounded(value: Text, bound: Bound) -> float:
    """Return a number within its bound. Raises ValueError, naming both."""
    found = number(value)
    if bound.least <= found <= bound.most:
        return found
    if found <= 0 <= bound.least:
        return positive(value, bound.name) if bound.least else not_negative(value, bound.name)
    raise ValueError(beyond(bound.name, shown(value), bound))


def shown(value: Text) -> str:
    """Return what was sent as a message quotes it."""
    return repr(value) if not isinstance(value, str) or len(value) <= LONGEST_QUOTE else f"{value[:LONGEST_QUOTE]!r}…"


def reason(error: BaseException) -> str:
    """Return why a frame or item was rejected, in words."""
    return printable(_reason(error), LONGEST_REASON)


def _reason(error: BaseException) -> str:
    if isinstance(error, msgspec.ValidationError):
        return f"not as documented: {error}"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: {error.reason} at byte {error.start}"
    if isinstance(error, msgspec.MsgspecError | UnicodeError):
        return f"broken JSON: {error}"
    return "broken JSON: nested too deep" if isinstance(error, RecursionError) else str(error)


def rejected(error: BaseException) -> list[Row]:
    """Return the whole frame as one rejection."""
    return [Rejected(reason(error))]


def nothing(why: str) -> list[Row]:
    """Return the whole frame as known to carry nothing."""
    return [Nothing(printable(why, LONGEST_REASON))]


def plausible(rows: Iterable[Row]) -> list[Row]:
    """Return the rows. Raises ValueError where one says what cannot be; of liquidations their parsers ask that themselves."""
    found = list(rows)
    for row in found:
        if type(row) is not Liquidation and (why := implausible(row)):
            raise ValueError(why)
    return found


def each(items: Sequence[Item], read: Callable[[Item], Iterable[Row]], path: str = "data") -> list[Row]:
    """Return the rows of every item; one that cannot be read, or says what cannot be, is rejected by its place, others stay."""
    rows: list[Row] = []
    bad = 0
    for index, item in enumerate(items):
        try:
            rows.extend(plausible(read(item)))
        except BAD as error:
            bad += 1
            if bad <= MOST_REJECTED:
                rows.append(Rejected(reason(error), f"{path}[{index}]"))
    if bad > MOST_REJECTED:
        rows.append(Rejected(f"{bad - MOST_REJECTED:,} items more cannot be read", path))
    return rows or nothing("an empty list")


def each_raw(
    items: Sequence[msgspec.Raw], decode: Callable[[msgspec.Raw], Item], read: Callable[[Item], Iterable[Row]],
    path: str = "data",
) -> list[Row]:  # fmt: skip
    """Decode and read every item on its own, so that one of wrong types leaves the others."""
    return each(items, lambda item: read(decode(item)), path)


def numbered(rows: list[Row]) -> list[Row]:
    """Count liquidations inside a frame that are the same in all that makes their key, in place."""
    seen: dict[tuple[object, ...], int] = {}
    for row in rows:
        if isinstance(row, Liquidation):
            key = (row.symbol, row.contract, row.order_side, row.position_side, row.ts_event, row.qty, row.price,
                   row.price_kind, row.order_price, row.id)  # fmt: skip
            row.occurrence = seen.get(key, 0)
            seen[key] = row.occurrence + 1
    return rows


def followed(rows: list[Row]) -> list[Row]:
    """Say of the bars of an answer, in place, that they are closed where a newer one is there: then they are for sure."""
    newest = max((row.ts_event for row in rows if isinstance(row, Kline)), default=0)
    for row in rows:
        if isinstance(row, Kline) and row.ts_event < newest:
            row.closed = True
    return rows


def parameter(frame: RawFrame) -> str | None:
    """Return what a channel carries behind `@`: the period or interval that the answer does not repeat."""
    return frame.channel.partition("@")[2] or None


def symbol_of(frame: RawFrame) -> str:
    """Return the symbol a request was for. Raises ValueError where the answer does not name it and the record neither."""
    if frame.symbol in ("", "*"):
        raise ValueError("the answer does not name its symbol, and the record is of no one symbol")
    return frame.symbol
