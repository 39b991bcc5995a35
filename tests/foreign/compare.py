"""What a foreign client made of each frame beside our rows of the same frame, value by value."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from collectors.simulator.truth import Shown
from tests.foreign.live import Heard, Run
from tests.foreign.ours import Frame, Rows, rows_of

POSITIONS = {"sell": "long", "buy": "short"}
RELATIVE = 1e-9
Row = dict[str, Any]


class Pair(NamedTuple):
    """One value: ours and theirs. `row`: our whole row; `heard`: the frame it came in; `nth`: which of its liquidations."""

    client: str
    venue: str
    field: str
    ours: Any
    theirs: Any
    row: Row
    heard: Heard
    nth: int = 0

    @property
    def differs(self) -> bool:
        """Whether the two are not the same; numbers to nine digits."""
        return not same(self.ours, self.theirs)


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal: whole numbers (times) exactly, others to nine digits."""
    if isinstance(one, int | float) and isinstance(other, int | float) and float in (type(one), type(other)):
        return math.isclose(one, other, rel_tol=RELATIVE)
    return bool(one == other)


class Joined(NamedTuple):
    """One client's values beside ours, and the liquidations that were in the frames it received, by venue."""

    pairs: list[Pair]
    received: dict[str, list[Row]]


def join(run: Run, client: str) -> Joined:
    """Join what a client said to our rows of the frames it heard, each connection's frames in their order."""
    heard = run.heard[client]
    frames = [
        Frame(n, each.venue, f"{each.venue}-{each.connection}", each.frame.encode(), each.channel)
        for n, each in enumerate(heard, 1)
        if each.frame
    ]
    rows = rows_of(frames, run.book)
    pairs = [
        pair for n, each in enumerate(heard, 1) for pair in _liquidations(client, each, rows["liquidations"].get(n, []))
    ]
    pairs += list(_rates(client, heard, rows))
    received: dict[str, list[Row]] = {}
    for found in rows["liquidations"].values():
        for row in found:
            received.setdefault(row["venue"], []).append(row)
    return Joined(pairs, received)


def _liquidations(client: str, heard: Heard, rows: list[Row]) -> Iterator[Pair]:
    said = [each for each in heard.said if each["kind"] == "liquidation"]
    for nth, (row, each) in enumerate(_matched(rows, said)):

        def pair(field: str, ours: Any, theirs: Any, row: Row = row, nth: int = nth) -> Pair:
            return Pair(client, heard.venue, field, ours, theirs, row, heard, nth)

        yield pair("liquidation", "read", "read" if each else "left out")
        if not each:
            continue
        yield pair("symbol", row["symbol"], each["symbol"])
        yield pair("position side", row["position_side"], POSITIONS.get(str(each["side"])))
        yield pair("price of a coin", row["price"], each["price"])
        yield pair("coins", row["qty_base"], each["amount"])
        yield pair("time", ms(row["ts_event"]), each["timestamp"])
        if "usd" in each:
            yield pair("USD", row["notional_usd"], each["usd"])


def _matched(rows: list[Row], said: list[Row]) -> list[tuple[Row, Row | None]]:
    """Pair by place where both read as many, else by symbol and time. Raises ValueError for one that we do not have."""
    if len(rows) == len(said):
        return list(zip(rows, said, strict=True))
    left = list(said)
    found: list[tuple[Row, Row | None]] = []
    for row in rows:
        fits = [each for each in left if (each["symbol"], each["timestamp"]) == (row["symbol"], ms(row["ts_event"]))]
        found.append((row, fits[0] if fits else None))
        left = [each for each in left if not fits or each is not fits[0]]
    if left:
        raise ValueError(f"liquidations that we do not read: {left}")
    return found


def _rates(client: str, heard: Sequence[Heard], rows: dict[str, Rows]) -> Iterator[Pair]:
    """Yield funding rates; where a message changes none, a client that repeats its last is held to our last."""
    last: dict[tuple[str, str], Row] = {}
    for n, each in enumerate(heard, 1):
        news = {row["symbol"]: row for row in rows["funding_rates"].get(n, [])}
        marks = {row["symbol"]: row for row in rows["mark_prices"].get(n, [])}
        last |= {(each.venue, symbol): row for symbol, row in news.items()}
        for said in each.said:
            if said["kind"] != "ticker":
                continue
            row = last.get((each.venue, said["symbol"]), {"symbol": said["symbol"], "venue": each.venue})
            due = row.get("next_funding_ts")

            def pair(field: str, ours: Any, theirs: Any, row: Row = row, each: Heard = each) -> Pair:
                return Pair(client, each.venue, field, ours, theirs, row, each)

            yield pair("funding rate", row.get("funding_rate"), said.get("funding_rate"))
            yield pair("next funding", due and ms(due), said.get("next_funding_ms"))
            if said["symbol"] in news:
                yield pair("time of the rate", ms(row["ts_event"]), said.get("timestamp"))
            if (
                (mark := marks.get(said["symbol"]))
                and mark["mark_price"] is not None
                and said.get("mark_price") is not None
            ):
                yield Pair(
                    client, each.venue, "mark price of a coin", mark["mark_price"], said["mark_price"], mark, each
                )


def ms(when: datetime) -> int:
    """Return a UTC time as milliseconds."""
    return round(when.replace(tzinfo=UTC).timestamp() * 1000)


def not_received(shown: Sequence[Shown], rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Compare what the market showed with our rows of what arrived: what is missing, and what we read otherwise.

    A liquidation is known by symbol, time, position side and quantity as sent; its coins and USD must then be the market's.
    """
    sent, read = _by_key(
        ((s.symbol, s.ts, s.position_side, float(s.qty_raw)), s.qty_base, s.usd) for s in shown
    ), _by_key(
        ((r["symbol"], ms(r["ts_event"]), r["position_side"], r["qty_raw"]), r["qty_base"], r["notional_usd"]) for r in rows
    )  # fmt: skip
    missing = [str(key) for key in sent for _ in range(max(0, len(sent[key]) - len(read.get(key, []))))]
    wrong = [
        f"{key}: {found}"
        for key, found in read.items()
        if len(found) > len(sent.get(key, [])) or not all(map(_equal, sorted(found), sorted(sent[key])))
    ]
    return missing, wrong


def _by_key(found: Iterable[tuple[tuple[Any, ...], float, float]]) -> dict[tuple[Any, ...], list[tuple[float, float]]]:
    amounts: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for key, coins, usd in found:
        amounts.setdefault(key, []).append((coins, usd))
    return amounts


def _equal(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(map(same, one, other))


def received_of(run: Run, joined: Joined, venue: str) -> tuple[int, int, list[str], list[str]]:
    """Return how many liquidations of a venue the market showed and how many the client was sent, and `not_received`."""
    shown = [one for one in run.shown if one.venue == venue]
    rows = joined.received.get(venue, [])
    return len(shown), len(rows), *not_received(shown, rows)
