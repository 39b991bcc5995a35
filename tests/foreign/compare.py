"""What a foreign client made of each frame beside our rows of the same frame, value by value."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from collectors.simulator.contracts import Contract
from collectors.simulator.truth import Shown
from pipelines.columns.contracts.instruments import Instruments
from tests.foreign.live import Heard, Run
from tests.foreign.ours import Frame, Rows, rows_of
from tests.foreign.sent import MARK, NEXT, RATE, items, named, rates

POSITIONS = {"sell": "long", "buy": "short"}
RELATIVE = 1e-9
Row = dict[str, Any]
Reader = Callable[[Sequence[Frame], Instruments], dict[str, Rows]]


class Pair(NamedTuple):
    """One value: ours and theirs. `row`: our whole row; `sent`: what the venue sent of it, read without our parsers, in
    the frame `heard`; `contract` as the simulator has it; `nth`: which liquidation of the frame; `first`: whether the frame
    is the first with liquidations of its connection."""

    client: str
    venue: str
    field: str
    ours: Any
    theirs: Any
    row: Row
    sent: Row
    contract: Contract | None
    heard: Heard
    nth: int = 0
    first: bool = False

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
    """One client's values beside ours, the liquidations that were in the frames it received, by venue, and the rates and
    prices in them that we read otherwise than they were sent."""

    pairs: list[Pair]
    received: dict[str, list[Row]]
    wrong: list[str]


def join(run: Run, client: str, read: Reader = rows_of) -> Joined:
    """Join what a client said to our rows (`read`) of the frames it heard, each connection's frames in their order."""
    heard = run.heard[client]
    frames = [
        Frame(n, each.venue, f"{each.venue}-{each.connection}", each.frame.encode(), each.channel)
        for n, each in enumerate(heard, 1)
        if each.frame
    ]
    rows = read(frames, run.book)
    pairs: list[Pair] = []
    connections = set[str]()
    for n, each in enumerate(heard, 1):
        if sent := items(each.frame):
            first = each.connection not in connections
            connections.add(each.connection)
            pairs += _liquidations(run, client, each, rows["liquidations"].get(n, []), sent, first)
    pairs += list(_rates(run, client, rows))
    received: dict[str, list[Row]] = {}
    for found in rows["liquidations"].values():
        for row in found:
            received.setdefault(row["venue"], []).append(row)
    return Joined(pairs, received, list(_wrong_rates(run, client, rows)))


def _liquidations(run: Run, client: str, heard: Heard, rows: list[Row], sent: list[Row], first: bool) -> Iterator[Pair]:
    said = [each for each in heard.said if each["kind"] == "liquidation"]
    for nth, (row, each) in enumerate(_matched(rows, said)):
        found = row or each or {}

        def pair(field: str, ours: Any, theirs: Any, row: Row = row or {}, nth: int = nth, found: Row = found) -> Pair:
            contract = run.contracts.get((heard.venue, found["symbol"]))
            item = sent[nth] if nth < len(sent) else {}
            return Pair(client, heard.venue, field, ours, theirs, row, item, contract, heard, nth, first)

        yield pair("liquidation", "read" if row else "left out", "read" if each else "left out")
        if not each or not row:
            continue
        yield pair("symbol", row["symbol"], each["symbol"])
        yield pair("position side", row["position_side"], POSITIONS.get(str(each["side"])))
        yield pair("price of a coin", row["price"], each["price"])
        yield pair("coins", row["qty_base"], each["amount"])
        yield pair("time", ms(row["ts_event"]), each["timestamp"])
        if "usd" in each:
            yield pair("USD", row["notional_usd"], each["usd"])


def _matched(rows: list[Row], said: list[Row]) -> list[tuple[Row | None, Row | None]]:
    """Pair by place where both read as many, else by symbol and time; what only one of them reads stands alone."""
    if len(rows) == len(said):
        return list(zip(rows, said, strict=True))
    left = list(said)
    found: list[tuple[Row | None, Row | None]] = []
    for row in rows:
        fits = [each for each in left if (each["symbol"], each["timestamp"]) == (row["symbol"], ms(row["ts_event"]))]
        found.append((row, fits[0] if fits else None))
        left = [each for each in left if not fits or each is not fits[0]]
    return found + [(None, each) for each in left]


def _rates(run: Run, client: str, rows: dict[str, Rows]) -> Iterator[Pair]:
    """Yield funding rates; where a message changes none, a client that repeats its last is held to our last."""
    last: dict[tuple[str, str], Row] = {}
    for n, each in enumerate(run.heard[client], 1):
        news = {row["symbol"]: row for row in rows["funding_rates"].get(n, [])}
        marks = {row["symbol"]: row for row in rows["mark_prices"].get(n, [])}
        last |= {(each.venue, symbol): row for symbol, row in news.items()}
        told = [said for said in each.said if said["kind"] == "ticker"]
        sent = rates(each.frame) if told else {}
        for said in told:
            symbol = said["symbol"]
            row = last.get((each.venue, symbol), {"symbol": symbol, "venue": each.venue})
            due = row.get("next_funding_ts")
            found = [
                ("funding rate", row.get("funding_rate"), said.get("funding_rate"), row),
                ("next funding", due and ms(due), said.get("next_funding_ms"), row),
            ]
            if symbol in news:
                found.append(("time of the rate", ms(row["ts_event"]), said.get("timestamp"), row))
            if (mark := marks.get(symbol, {}).get("mark_price")) is not None and said.get("mark_price") is not None:
                found.append(("mark price of a coin", mark, said["mark_price"], marks[symbol]))
            for field, ours, theirs, of in found:
                if ours is not None or theirs is not None:
                    contract = run.contracts.get((each.venue, symbol))
                    yield Pair(client, each.venue, field, ours, theirs, of, sent.get(symbol, {}), contract, each)


def _wrong_rates(run: Run, client: str, rows: dict[str, Rows]) -> Iterator[str]:
    """Yield the funding rates and mark prices that are not what their frame holds; where it holds none they are not held
    against it. A client that agrees with us in an error proves nothing."""
    for n, each in enumerate(run.heard[client], 1):
        news, marks = rows["funding_rates"].get(n, []), rows["mark_prices"].get(n, [])
        sent = rates(each.frame) if news or marks else {}
        for row in news:
            due = row["next_funding_ts"] and ms(row["next_funding_ts"])
            item = sent.get(row["symbol"], {})
            for name, ours, names in (("funding rate", row["funding_rate"], RATE), ("next funding", due, NEXT)):
                if (told := named(item, names)) is not None and not same(told, ours):
                    yield f"{row['symbol']} {name}: {ours}, sent {told}"
        for row in marks:
            contract, told = run.contracts.get((each.venue, row["symbol"])), named(sent.get(row["symbol"], {}), MARK)
            if contract and told is not None and not same(told, (row["mark_price"] or 0.0) * contract.scale):
                yield f"{row['symbol']} mark price of a coin: {row['mark_price']}, sent {told}"


def ms(when: datetime) -> int:
    """Return a UTC time as milliseconds."""
    return round(when.replace(tzinfo=UTC).timestamp() * 1000)


def not_received(run: Run, shown: Sequence[Shown], rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Compare what the market showed with our rows of what arrived: what is missing, and what we read otherwise.

    A liquidation is known by symbol, time, position side and quantity as sent; all else must then be the market's.
    """
    sent, read = _by_key(
        ((s.symbol, s.ts, s.position_side, float(s.qty_raw)), _as_shown(s, run.contracts[s.venue, s.symbol]))
        for s in shown
    ), _by_key(
        ((r["symbol"], ms(r["ts_event"]), r["position_side"], r["qty_raw"]), tuple(r[name] for name in FIELDS)) for r in rows
    )  # fmt: skip
    missing = [str(key) for key in sent for _ in range(max(0, len(sent[key]) - len(read.get(key, []))))]
    wrong = [
        f"{key}: {found}"
        for key, found in read.items()
        if len(found) > len(sent.get(key, []))
        or not all(map(_equal, sorted(found, key=str), sorted(sent[key], key=str)))
    ]
    return missing, wrong


FIELDS = ("order_side", "contract", "base", "quote", "settle", "price_raw", "price", "qty_base", "notional_usd")


def _as_shown(shown: Shown, contract: Contract) -> tuple[Any, ...]:
    """What `FIELDS` must be."""
    price = float(shown.price)
    return (
        shown.order_side, "inverse" if contract.inverse else "linear", contract.coin.name, contract.quote, contract.settle,
        price, price / contract.scale, shown.qty_base, shown.usd,
    )  # fmt: skip


def _by_key(found: Iterable[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
    amounts: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for key, values in found:
        amounts.setdefault(key, []).append(values)
    return amounts


def _equal(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(map(same, one, other))


def received_of(run: Run, joined: Joined, venue: str) -> tuple[int, int, list[str], list[str]]:
    """Return how many liquidations of a venue the market showed and how many the client was sent, and `not_received`."""
    shown = [one for one in run.shown if one.venue == venue]
    rows = joined.received.get(venue, [])
    return len(shown), len(rows), *not_received(run, shown, rows)
