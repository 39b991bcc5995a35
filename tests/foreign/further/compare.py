"""What a foreign client made of a further venue's frames beside our rows of them, value by value."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from collectors.simulator.contracts import Contract
from tests.foreign.compare import POSITIONS, Reader, Row, ms, same
from tests.foreign.further.clients import Source
from tests.foreign.further.sent import Sent, bitmex_orders, items
from tests.foreign.live import Heard, Run
from tests.foreign.ours import Frame, rows_of

READ, REPORTED, LEFT_OUT = "read", "kept apart", "left out"
TABLES = ("liquidations", "liquidation_reports")
KEPT_APART = ("gateio", "bitfinex")
"""The venues of which the second table has liquidations; others have what is none in it, such as deleveragings."""
BY_REPORT = ("gateio",)
"""The venues whose answers to a question are kept apart, as the feed has the same liquidations."""


class Pair(NamedTuple):
    """One value: ours and theirs, of what was `sent` of that `contract`."""

    client: str
    venue: str
    field: str
    ours: Any
    theirs: Any
    sent: Sent
    contract: Contract

    @property
    def differs(self) -> bool:
        """Whether the two are not the same; numbers to nine digits."""
        return not same(self.ours, self.theirs)


class Group(NamedTuple):
    """What is looked at together: a frame, and what a client said of it, or of the orders that it ends."""

    sent: list[Sent]
    rows: list[Row]
    said: list[Row]


class Joined(NamedTuple):
    """The values side by side, all that was sent, our rows, and what is wrong in them or in theirs that was never sent."""

    pairs: list[Pair]
    sent: list[Sent]
    rows: list[Row]
    wrong: list[str]


def join(run: Run, source: Source, read: Reader = rows_of) -> Joined:
    """Join what a client read of a venue to our rows (`read`) of the same frames, and to what was sent."""
    heard = [each for each in run.heard[source.client] if each.venue == source.venue and each.frame]
    frames = [
        Frame(n, each.venue, each.connection, each.frame.encode(), each.channel) for n, each in enumerate(heard, 1)
    ]
    tables = read(frames, run.book)
    rows: dict[int, list[Row]] = {}
    for table in TABLES:
        for n, found in tables[table].items():
            if table == TABLES[0] or source.venue in KEPT_APART:
                rows.setdefault(n, []).extend(row | {"table": table} for row in found)
    joined = Joined([], [], [], [])
    for group in _groups(source.venue, heard, rows):
        joined.sent.extend(group.sent)
        joined.rows.extend(group.rows)
        _compare(run, source, group, joined)
    return joined


def _groups(venue: str, heard: list[Heard], rows: dict[int, list[Row]]) -> Iterator[Group]:
    if venue == "bitmex":
        orders, said = bitmex_orders(each.frame for each in heard), [one for each in heard for one in each.said]
        for n in sorted(orders.keys() | rows.keys()):
            ids = {order.item["orderID"] for order in orders.get(n, ())}
            yield Group(orders.get(n, []), rows.get(n, []), [one for one in said if one.get("id") in ids])
        return
    for n, each in enumerate(heard, 1):
        sent, found = items(venue, each.frame), rows.get(n, [])
        if each.symbol is not None:  # asked for one contract, of which the venue may send others
            sent = [one for one in sent if one.symbol == each.symbol]
            found = [row for row in found if row["symbol"] == each.symbol]
        said = [one for one in each.said if one["kind"] == "liquidation"]
        if sent or found or said:
            yield Group(sent, found, said)


def _compare(run: Run, source: Source, group: Group, into: Joined) -> None:
    rows, said = list(group.rows), [one for one in group.said if one["kind"] == "liquidation"]
    for sent in group.sent:
        contract = run.contracts[source.venue, sent.symbol]
        row = _taken(rows, [_of_row(sent, each) for each in rows])
        one = _taken(said, [_of_said(sent, each) for each in said])
        into.wrong.extend(_wrong(sent, row, contract))
        into.pairs.extend(Pair(*source[:2], *values, sent, contract) for values in _values(sent, row, one))
    into.wrong.extend(f"a row of what was not sent: {row['symbol']} {row['ts_event']}" for row in rows)
    into.wrong.extend(f"{source.client} says what was not sent: {one}" for one in said)


def _taken(found: list[Row], scores: list[int]) -> Row | None:
    """Take what fits best out of the list; None where nothing does."""
    best = max(scores, default=0)
    return found.pop(scores.index(best)) if best else None


def _of_row(sent: Sent, row: Row) -> int:
    """Return how well a row of ours fits: 0 not at all."""
    when = sent.ts is None or ms(row["ts_event"]) == sent.ts
    table = TABLES[not sent.counts or row["venue"] in BY_REPORT]
    if row["symbol"] != sent.symbol or not when or row["table"] != table:
        return 0
    return 1 + same(row["qty_raw"], _raw(sent)) + same(row["price_raw"], sent.price)


def _raw(sent: Sent) -> float:
    """The quantity that we take: HTX sends coins beside contracts where it can."""
    return float(sent.item.get("amount", sent.units))


def _of_said(sent: Sent, said: Row) -> int:
    """Return how well what a client says fits; by the id where the venue sends no time."""
    if said.get("id") != sent.item["orderID"] if sent.ts is None else said["timestamp"] != sent.ts:
        return 0
    return 1 + same(said["amount"], sent.units) + same(said["price"], sent.price)


def _values(sent: Sent, row: Row | None, said: Row | None) -> Iterator[tuple[str, Any, Any]]:
    if row is None and said is None:
        return
    yield "liquidation", (READ if sent.counts else REPORTED) if row else LEFT_OUT, READ if said else LEFT_OUT
    if row is None or said is None:
        return
    yield "symbol", row["symbol"], said["symbol"]
    yield "position side", row["position_side"], POSITIONS.get(str(said["side"]))
    yield "price of a coin", row["price"], said["price"]
    yield "coins", row["qty_base"], said["base"] if "base" in said else said["amount"]
    if sent.ts is not None:
        yield "time", ms(row["ts_event"]), said["timestamp"]
    if "usd" in said:
        yield "USD", row["notional_usd"], said["usd"]


def _wrong(sent: Sent, row: Row | None, contract: Contract) -> Iterator[str]:
    """Yield what a row of ours has that is not what was sent; a client that agrees with us in an error proves nothing."""
    if row is None:
        yield f"{sent.symbol} {sent.ts} left out"
        return
    for name, right in expected(sent, contract).items():
        if not same(row[name], right):
            yield f"{sent.symbol} {sent.ts} {name}: {row[name]}, sent {right}"


def expected(sent: Sent, contract: Contract) -> Row:
    """Return what a row must have of what was sent."""
    price = sent.price / contract.scale
    coins = contract.coins(sent.units, price)
    return {
        "position_side": sent.position, "order_side": "sell" if sent.position == "long" else "buy", "price_raw": sent.price,
        "price": price, "qty_raw": _raw(sent), "qty_base": coins, "notional_usd": coins * price,
        "base": contract.coin.name, "contract": "inverse" if contract.inverse else "linear",
    }  # fmt: skip


Key = tuple[str, int | None, str, str]
"""Symbol, time, side of the position, quantity."""


def lost(run: Run, source: Source, sent: Sequence[Sent]) -> tuple[list[Key], list[Key]]:
    """Return which of the liquidations that the market showed are not in the frames, and which are there and were not shown.

    BitMEX sends no time, and Gate's answers only whole seconds.
    """

    def key(symbol: str, ts: int | None, position: str, units: float) -> Key:
        when = None if source.venue == "bitmex" or ts is None else ts // 1000 if source.venue == "gateio" else ts
        return symbol, when, position, f"{units:.9g}"

    shown = [
        key(one.symbol, one.ts, one.position_side, float(one.qty_raw)) for one in run.shown if one.venue == source.venue
    ]
    found = [key(one.symbol, one.ts, one.position, one.units) for one in sent if one.counts]
    return _without(shown, found), _without(found, shown)


def _without(some: list[Key], others: list[Key]) -> list[Key]:
    left = list(others)
    missing: list[Key] = []
    for each in some:
        if each in left:
            left.remove(each)
        else:
            missing.append(each)
    return missing
