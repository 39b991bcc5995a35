"""What is known after a day by the documented identities, in plain Python: no module of ours, no table, no SQL.

Rows are `liq parse`'s, as dicts, times UTC microseconds, and with them when, by what session and on what channel their
frame arrived. Of one liquidation, settlement, candle or ratio that is told twice the first stays (warehouse/tables); of
running state the last value of a minute, by the exchange's clock and by ours.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any, Protocol

Row = dict[str, Any]
Rows = list[Row]
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LENGTHS = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": HOUR, "1d": DAY}
SETTLES = 30 * SECOND
DEAD = "dead letter: "
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = ("ts", "ts_event", "next_funding_ts", "listed_ts", "expiry_ts")
COMPLETED = ("interval_hours", "mark_price", "rate_type")
SEEN = ("venue", "symbol", "order_side", "position_side", "ts_event", "qty_raw", "price_raw", "order_price")


class Frame(Protocol):
    """What is told beside a frame's bytes."""

    @property
    def venue(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def transport(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def recv_ns(self) -> int: ...
    @property
    def session(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def seq(self) -> int: ...


class Facts:
    """All of it. `frames`: as they arrived; `rows`: what `liq parse` says of them, `remarks`: of those without rows;
    `events`: what collectors told."""

    def __init__(self, frames: Sequence[Frame], rows: Iterable[Row], remarks: Rows, events: Rows) -> None:
        self.frames = frames
        self.remarks = remarks
        self.events = events
        self.repeated: Counter[str] = Counter()
        self._rows: dict[str, Rows] = defaultdict(list)
        for row in rows:
            self._rows[row["table"]].append(_traced(row, frames[row["frame"]]))

    @cached_property
    def liquidations(self) -> Rows:
        """Each once: told again it is the same, twice in one frame it is two."""
        inside: Counter[tuple[Any, ...]] = Counter()
        for row in self._rows["liquidations"]:
            seen = tuple(row[name] for name in SEEN)
            row["identity"] = (*seen, inside[row["frame"], seen])
            inside[row["frame"], seen] += 1
        return self._once("liquidations", lambda row: row["identity"])

    @cached_property
    def settlements(self) -> Rows:
        """The oldest of an answer has no interval of its own, and its contract's only if that was listed here by then.

        Of one settlement the first row stays, but that a later one may say the interval, or the mark price, that it lacks.
        """
        listed, oldest = dict[tuple[str, str], int](), dict[tuple[int, str], int]()
        for row in self._rows["instruments"]:
            listed.setdefault((row["venue"], row["symbol"]), row["recv"])
        for row in self._rows["funding_settlements"]:
            answer = (row["frame"], row["symbol"])
            oldest[answer] = min(row["ts_event"], oldest.get(answer, row["ts_event"]))
        for row in self._rows["funding_settlements"]:
            first = row["channel"] != "funding-rate" and row["ts_event"] == oldest[row["frame"], row["symbol"]]
            if first and row["ts_event"] < listed.get((row["venue"], row["symbol"]), 0):
                row["interval_hours"] = None
        rows = sorted(self._rows["funding_settlements"], key=lambda row: sum(row[name] is None for name in COMPLETED))
        return _first(rows, lambda row: (row["venue"], row["symbol"], row["ts_event"]), self.repeated)

    @cached_property
    def funding_rates(self) -> Rows:
        return list(_on_grid(self._rows["funding_rates"]))

    @cached_property
    def marks(self) -> Rows:
        return list(_on_grid(self._rows["mark_prices"]))

    @cached_property
    def open_interest(self) -> Rows:
        """Values of now on the grid, and each bar of a venue's history."""
        bars = [row for row in self._rows["open_interest"] if row["period"]]
        bars = _first(bars, lambda row: (row["venue"], row["symbol"], row["period"], row["ts_event"]), self.repeated)
        return [*_on_grid(row for row in self._rows["open_interest"] if not row["period"]), *bars]

    @cached_property
    def klines(self) -> Rows:
        """A candle as it first stood while it ran, and closed."""
        names = ("venue", "symbol", "interval", "price_kind", "ts_event", "closed")
        for row in self._rows["klines"]:
            if row["closed"] is None:
                row["closed"] = row["ts_event"] + LENGTHS[row["interval"]] + SETTLES <= row["recv"]
        return self._once("klines", lambda row: tuple(row[name] for name in names))

    @cached_property
    def ratios(self) -> Rows:
        names = ("venue", "symbol", "kind", "period", "ts_event", "closed")
        for row in self._rows["long_short_ratios"]:
            if row["kind"] == "taker":
                row["closed"] = row["ts_event"] + LENGTHS[row["period"]] + SETTLES <= row["recv"]
        return self._once("long_short_ratios", lambda row: tuple(row[name] for name in names))

    @cached_property
    def dead(self) -> list[tuple[int, str]]:
        """Each frame, or item of a frame, that should have become a row and could not: the frame's place and why."""
        told = [(row["frame"], row["remark"]) for row in self.remarks]
        return [(place, why.removeprefix(DEAD)) for place, why in told if why.startswith(DEAD)]

    @cached_property
    def empty(self) -> set[int]:
        """Places of the frames known to carry nothing."""
        return {row["frame"] for row in self.remarks if not row["remark"].startswith((DEAD, "nothing new"))}

    def of(self, table: str) -> Rows:
        """Every row of a table as parsed, repeated ones too."""
        return self._rows[table]

    def _once(self, table: str, key: Callable[[Row], object]) -> Rows:
        return _first(self._rows[table], key, self.repeated)


def _first(rows: Iterable[Row], key: Callable[[Row], object], repeated: Counter[str]) -> Rows:
    found: dict[object, Row] = {}
    for row in rows:
        if found.setdefault(key(row), row) is not row:
            repeated[row["table"]] += 1
    return list(found.values())


def _traced(row: Row, frame: Frame) -> Row:
    for name in TIMES:
        if row.get(name) is not None:
            row[name] = micros(row[name])
    row["recv"] = frame.recv_ns // 1000
    row["channel"], row["session"], row["seq"] = frame.channel, frame.session, frame.seq
    row["source"] = frame.source
    return row


def _on_grid(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the last value of each minute of arrival and, of those, of each minute of the exchange's clock."""
    arrived: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        arrived[row["venue"], row["channel"], row["symbol"], row["recv"] // MINUTE] = row
    last: dict[tuple[Any, ...], Row] = {}
    for row in sorted(arrived.values(), key=lambda row: int(row["ts_event"])):
        told = row.get("mark_price") is None, row.get("index_price") is None
        row["ts"] = row["ts_event"] // MINUTE * MINUTE
        last[row["venue"], row["symbol"], row["ts"], row["recv"] // MINUTE, told] = row
    yield from last.values()


@cache
def micros(text: str) -> int:
    """Return a time as text, UTC, as microseconds."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
