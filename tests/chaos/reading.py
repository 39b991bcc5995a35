"""A second, tiny reading of liquidation frames, which shares nothing with the parsers: whose position, of what, how much."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

OPPOSITE = {"buy": "short", "sell": "long"}


class Read(NamedTuple):
    """A liquidation: `ts` UTC ms, `side` of the position, quantity and price as sent; `occurrence` among identical ones of
    its frame, from 0."""

    venue: str
    symbol: str
    ts: int
    side: str
    qty: float
    price: float
    occurrence: int = 0


def read(venue: str, payload: bytes) -> list[Read]:
    """Return the liquidations of a frame; none where it is not whole."""
    try:
        message = json.loads(payload)
    except ValueError:
        return []
    seen: Counter[Read] = Counter()
    found = []
    for one in {"binance": _binance, "bybit": _bybit, "okx": _okx}[venue](message):
        found.append(one._replace(occurrence=seen[one]))
        seen[one] += 1
    return found


def _binance(message: Any) -> Iterator[Read]:
    o = message.get("data", message)["o"]
    qty, price = float(o.get("z") or 0) or float(o["q"]), float(o.get("ap") or 0) or float(o["p"])
    yield Read("binance", o["s"], int(o["T"]), OPPOSITE[o["S"].lower()], qty, price)


def _bybit(message: Any) -> Iterator[Read]:
    for item in message["data"]:
        side = {"Buy": "long", "Sell": "short"}[item["S"]]
        yield Read("bybit", item["s"], int(item["T"]), side, float(item["v"]), float(item["p"]))


def _okx(message: Any) -> Iterator[Read]:
    for item in message["data"]:
        for one in item["details"]:
            side = one["posSide"] if one["posSide"] in ("long", "short") else OPPOSITE[one["side"]]
            yield Read("okx", item["instId"], int(one["ts"]), side, float(one["sz"]), float(one["bkPx"]))
