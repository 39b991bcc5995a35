"""What a further venue sent, read from the frame without our parsers: the liquidations as they are there."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

Item = dict[str, Any]
LONG = {"sell": "long", "buy": "short"}
OPPOSITE = {"sell": "buy", "buy": "sell"}


class Sent(NamedTuple):
    """A liquidation as sent. `ts` UTC ms, None where none is sent; `position` is the side that was liquidated; `price` and
    `units` as the venue counts them; `counts`: false of an execution that is part of another; `item`: all that was sent."""

    symbol: str
    ts: int | None
    position: str
    price: float
    units: float
    item: Item
    counts: bool = True


def bitmex_orders(frames: Iterable[str]) -> dict[int, list[Sent]]:
    """Return by number of a connection's frame, from 1, the orders that it ends: `inserted` is the first quantity, `units`
    the largest."""
    orders: dict[str, Item] = {}
    over: dict[int, list[Sent]] = {}
    for n, text in enumerate(frames, 1):
        message = json.loads(text)
        for change in message["data"] if message.get("table") == "liquidation" else ():
            order = orders.setdefault(change["orderID"], {"inserted": change.get("leavesQty"), "largest": 0.0} | change)
            order["largest"] = max(order["largest"], change.get("leavesQty") or 0.0)
            if message["action"] == "delete":
                position = LONG[order["side"].lower()]
                sent = Sent(order["symbol"], None, position, order["price"], order["largest"], order)
                over.setdefault(n, []).append(sent)
    return over


def _deribit(message: Any) -> list[Sent]:
    params = message.get("params") or {}
    is_trades = str(params.get("channel", "")).startswith("trades.")
    flagged = [each for each in params["data"] if "liquidation" in each] if is_trades else []
    return [
        Sent(each["instrument_name"], each["timestamp"],
             LONG[OPPOSITE[each["direction"]] if each["liquidation"] == "M" else each["direction"]],
             each["price"], each["amount"], each)
        for each in flagged
    ]  # fmt: skip


def _bitfinex(message: Any) -> list[Sent]:
    """Triggers and executions; a pushed frame has its rows second, an answer each row in a list of its own."""
    if not isinstance(message, list):
        return []
    pushed = message[1] if len(message) > 1 and isinstance(message[0], int) else [each[0] for each in message]
    rows = (
        [each for each in pushed if isinstance(each, list) and each[:1] == ["pos"]] if isinstance(pushed, list) else []
    )
    return [
        Sent(row[4], row[2], "long" if row[5] > 0 else "short", row[11], abs(row[5]), {"id": row[1], "entry": row[6]},
             row[8] == 0)
        for row in rows
    ]  # fmt: skip


def _kraken(message: Any) -> list[Sent]:
    if message.get("feed") != "trade" or message.get("type") != "liquidation":
        return []
    side = LONG[message["side"]]
    return [Sent(message["product_id"], message["time"], side, message["price"], message["qty"], message)]


def _htx(message: Any) -> list[Sent]:
    pushed = str(message.get("topic", "")).endswith(".liquidation_orders") and message.get("op") == "notify"
    found = message.get("data") or [] if pushed or "status" in message else []
    return [
        Sent(each["contract_code"], each["created_at"], LONG[each["direction"]], each["price"], each["volume"], each)
        for each in found
    ]  # fmt: skip


def _dydx(message: Any) -> list[Sent]:
    trades = (message.get("contents") or {}).get("trades") or []
    return [
        Sent(message["id"], round(datetime.fromisoformat(each["createdAt"]).timestamp() * 1000), LONG[each["side"].lower()],
             float(each["price"]), float(each["size"]), each)
        for each in trades if each["type"] == "LIQUIDATED"
    ]  # fmt: skip


def _lighter(message: Any) -> list[Sent]:
    found = message.get("liquidation_trades") or []
    return [
        Sent(str(each["market_id"]), each["timestamp"], "short" if each["is_maker_ask"] else "long", float(each["price"]),
             float(each["size"]), each)
        for each in found if each["type"] == "liquidation"
    ]  # fmt: skip


def _gateio(message: Any) -> list[Sent]:
    return [
        Sent(each["contract"], each["time"] * 1000, "long" if float(each["size"]) > 0 else "short", float(each["fill_price"]),
             abs(float(each["size"])) - float(each["left"]), each)
        for each in message
    ]  # fmt: skip


READERS: dict[str, Callable[[Any], list[Sent]]] = {
    "deribit": _deribit, "bitfinex": _bitfinex, "kraken": _kraken, "htx": _htx, "dydx": _dydx, "lighter": _lighter,
    "gateio": _gateio,
}  # fmt: skip


@lru_cache(maxsize=65536)
def items(venue: str, frame: str) -> list[Sent]:
    """Return a frame's liquidations in order; of BitMEX, whose orders take several frames, see `bitmex_orders`."""
    return READERS[venue](json.loads(frame)) if venue in READERS and frame else []


def came(venue: str, frames: Iterable[str]) -> list[Sent]:
    """Return the liquidations of all frames of a connection."""
    if venue == "bitmex":
        return [each for found in bitmex_orders(frames).values() for each in found]
    return [each for frame in frames for each in items(venue, frame)]
