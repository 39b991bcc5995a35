"""BitMEX: what is listed, how orders come and go, and its REST answers. Facts: exchanges/bitmex.md §2 to §4.

Quanto contracts are not simulated: their dollars need two prices.
"""

import math
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query
from collectors.venues.bitmex.simulator.server import TABLE, BitmexLimits, refusal

SHOWS = Shows("bankruptcy")
COINS = {"BTC": "XBT"}
WORTH_USD = 0.05
LIVES_MS = 400
"""How long an order is open, half of it as it was inserted."""
ENLARGED, FILLED = 0.2, 0.3
"""How many orders are inserted with less than they come to, and how many are filled in part before they are over."""
DAYS_MS = 20 * 86_400_000


def contract(traded: Traded) -> Contract | None:
    """Return the contract: a perpetual in USDT, or BTC's in the coin; None of others."""
    coin, name = traded.coin, COINS.get(traded.coin.name, traded.coin.name)
    if traded.expiry or traded.quote not in ("USDT", "USD"):
        return None
    if traded.inverse:
        return traded.contract("bitmex", "contracts", "XBTUSD", SHOWS, 1.0, step=100.0) if name == "XBT" else None
    size = 1e-6 if name == "XBT" else 10.0 ** round(math.log10(WORTH_USD / coin.price))
    return traded.contract("bitmex", "contracts", f"{name}USDT", SHOWS, size, step=10.0)


class Open(NamedTuple):
    """An order in the table: what it is of, what is left, and when it changes and is over (UTC ms)."""

    one: Liquidation
    leaves: float
    changes_ms: int
    over_ms: int


class Orders:
    """The table of open orders: each is inserted, perhaps enlarged or filled in part, and deleted."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/bitmex")
        self._open: dict[str, Open] = {}

    @property
    def pending(self) -> int:
        """Orders that are not over yet."""
        return len(self._open)

    def frames(self, happened: Sequence[Liquidation], now: int) -> Iterator[Pushed]:
        """Yield an insert for each liquidation, and the changes that are due."""
        for one in happened:
            yield self._insert(one, now)
        for id, order in list(self._open.items()):
            if now >= order.changes_ms and order.leaves < float(order.one.qty):
                yield self._altered(id, order, float(order.one.qty))
            if now >= order.over_ms:
                if self._random.random() < FILLED:
                    yield self._altered(id, order, float(order.one.qty) / 2)
                del self._open[id]
                yield _change("delete", [{"orderID": id, "symbol": order.one.contract.symbol}], (order.one,))

    def _insert(self, one: Liquidation, now: int) -> Pushed:
        id, quantity = str(uuid.UUID(int=self._random.getrandbits(128))), float(one.qty)
        step = one.contract.step
        begun = max(step, quantity // 2 // step * step) if self._random.random() < ENLARGED else quantity
        self._open[id] = Open(one, begun, now + LIVES_MS // 2, now + LIVES_MS)
        return _change("insert", [_row(id, self._open[id])])

    def _altered(self, id: str, order: Open, leaves: float) -> Pushed:
        self._open[id] = order._replace(leaves=leaves)
        return _change("update", [{"orderID": id, "symbol": order.one.contract.symbol, "leavesQty": leaves}])

    def greet(self, client: Client, symbol: str = "") -> int:
        """Send a newcomer the image of the table, or of one symbol's orders; return to how many it went."""
        rows = [_row(id, order) for id, order in self._open.items() if symbol in ("", order.one.contract.symbol)]
        return int(client.send(orjson.dumps({"table": TABLE, "action": "partial", "keys": ["orderID"], "data": rows})))


def _row(id: str, order: Open) -> dict[str, Any]:
    side = "Sell" if order.one.position == "long" else "Buy"
    symbol, price = order.one.contract.symbol, float(order.one.bankruptcy)
    return {"orderID": id, "symbol": symbol, "side": side, "price": price, "leavesQty": order.leaves}


def _change(action: str, rows: list[dict[str, Any]], shows: Sequence[Liquidation] = ()) -> Pushed:
    return Pushed(
        f"{TABLE}:{rows[0]['symbol']}", TABLE, orjson.dumps({"table": TABLE, "action": action, "data": rows}), shows
    )


def endpoints(market: Market, own: Sequence[Contract], limits: BitmexLimits) -> Endpoints:
    """Return its REST: contracts with their state, settled funding of all."""

    def settled(query: Query) -> Answer:
        paid = [
            (one.ts, {"timestamp": _iso(one.ts), "symbol": each.symbol, "fundingInterval": _interval(each),
                      "fundingRate": one.rate, "fundingRateDaily": one.rate * 3})
            for each in own if query.get("symbol", each.symbol) == each.symbol
            for one in market.history.settlements(each, *_bounds(query, market.now))
        ]  # fmt: skip
        paid.sort(key=lambda row: row[0], reverse=query.get("reverse") == "true")
        return json_answer([row for _, row in paid[: min(int(query.get("count", 100)), 500)]])

    paths = {
        "/api/v1/instrument/active": lambda _: json_answer([_instrument(market, each) for each in own]),
        "/api/v1/funding": settled,
    }
    unknown = json_answer({"error": {"message": "Not Found", "name": "HTTPError"}}, 404)
    return Endpoints(paths, Window(limits.requests, limits.window_s), time.monotonic, refusal("http_429"), unknown)


def _bounds(query: Query, now: int) -> tuple[int, int]:
    since, until = (
        round(datetime.fromisoformat(query[name]).timestamp() * 1000) if name in query else otherwise
        for name, otherwise in (("startTime", now - DAYS_MS), ("endTime", now))
    )
    return since, min(until, now)


def _instrument(market: Market, each: Contract) -> dict[str, Any]:
    quote = market.quotes[each]
    return {
        "symbol": each.symbol, "typ": "FFWCSX", "state": "Open", "underlying": COINS.get(each.coin.name, each.coin.name),
        "rootSymbol": COINS.get(each.coin.name, each.coin.name), "tickSize": each.tick,
        "quoteCurrency": each.quote, "settlCurrency": "XBt" if each.inverse else "USDt", "isQuanto": False,
        "isInverse": each.inverse, "underlyingToPositionMultiplier": None if each.inverse else 1 / each.size,
        "listing": "2016-05-04T12:00:00.000Z", "expiry": None, "fundingInterval": _interval(each),
        "fundingRate": quote.funding, "fundingTimestamp": _iso(quote.next_funding_ms), "markPrice": quote.mark,
        "indicativeSettlePrice": quote.index, "timestamp": _iso(market.now),
        "openInterest": round(each.units(quote.open_interest * quote.mark, quote.mark)),
    }  # fmt: skip


def _interval(each: Contract) -> str:
    return f"2000-01-01T{each.coin.interval_hours:02}:00:00.000Z"


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"
