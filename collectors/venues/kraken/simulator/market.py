"""Kraken Futures: what is listed, and what its feeds push. Facts: exchanges/kraken-futures.md §2 to §4."""

import random
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson

from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Client, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed
from collectors.venues.kraken.simulator.server import KrakenLimits, refusal

SHOWS = Shows("fill", twins=True)
COINS = {"BTC": "XBT"}
KEPT = 100
DATE = "%Y-%m-%dT%H:%M:%S.000Z"


def contract(traded: Traded) -> Contract | None:
    """Return the contract: what others settle in USDT in USD, and the inverse ones; None of others."""
    if traded.quote == "USDC":
        return None
    coin = traded.coin
    name = f"{COINS.get(coin.name, coin.name)}USD"
    end = f"_{traded.expiry:%y%m%d}" if traded.expiry else ""
    letter = "F" if traded.expiry else "P"
    if traded.inverse:
        return traded.contract("kraken", "futures", f"{letter}I_{name}{end}", SHOWS, 1.0, step=1.0)
    step = 0.0001 if coin.price > 100 else 1.0
    return traded.contract("kraken", "futures", f"{letter}F_{name}{end}", SHOWS, 1.0, step=step)


class Trades:
    """Writes liquidations as trades with a flag, others beside them, and to a newcomer a product's last hundred."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/kraken")
        self._last: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=KEPT))
        self._seq: dict[str, int] = defaultdict(int)

    def frames(self, happened: Sequence[Liquidation], _now: int) -> Iterator[Pushed]:
        """Yield a frame a trade: before each liquidation now and then one that is none."""
        for one in happened:
            if self._random.random() < 0.3:
                yield Pushed(f"trade:{one.contract.symbol}", "trade", orjson.dumps(self._trade(one, "fill")))
            trade = self._trade(one, "liquidation")
            yield Pushed(f"trade:{one.contract.symbol}", "trade", orjson.dumps(trade), (one,))

    def _trade(self, one: Liquidation, kind: str) -> dict[str, Any]:
        product = one.contract.symbol
        self._seq[product] += 1
        told = {
            "feed": "trade", "product_id": product, "uid": str(uuid.UUID(int=self._random.getrandbits(128))),
            "side": one.order_side, "type": kind, "seq": self._seq[product], "time": one.ts, "qty": float(one.qty),
            "price": float(one.fill),
        }  # fmt: skip
        self._last[product].append(told)
        return told

    def greet(self, client: Client, topic: str) -> int:
        """Send a newcomer the last trades of a product; return to how many it went."""
        feed, _, product = topic.partition(":")
        if feed != "trade":
            return 0
        told = {"feed": "trade_snapshot", "product_id": product, "trades": list(self._last[product])[::-1]}
        return int(client.send(orjson.dumps(told)))


def ticker_frames(market: Market, own: Sequence[Contract], heard: Collection[str], now: int) -> Iterator[Pushed]:
    """Yield a ticker of each product that somebody listens to."""
    for each in own:
        if (topic := f"ticker:{each.symbol}") in heard:
            yield Pushed(topic, "ticker", orjson.dumps(_ticker(market, each, now)))


def _ticker(market: Market, each: Contract, now: int) -> dict[str, Any]:
    quote = market.quotes[each]
    interest = quote.open_interest * quote.mark if each.inverse else quote.open_interest
    told = {
        "time": now, "feed": "ticker", "product_id": each.symbol, "suspended": False, "markPrice": quote.mark,
        "index": quote.index, "last": quote.last, "openInterest": interest, "maturityTime": each.expiry_ms,
    }  # fmt: skip
    if not each.interval_ms:
        return told
    absolute = quote.funding / quote.mark if each.inverse else quote.funding * quote.mark
    return told | {
        "funding_rate": absolute, "relative_funding_rate": quote.funding, "next_funding_rate_time": quote.next_funding_ms,
    }  # fmt: skip


def endpoints(own: Sequence[Contract], limits: KrakenLimits) -> Endpoints:
    """Return its REST: the list of contracts."""
    listed = json_answer({"result": "success", "instruments": [_instrument(each) for each in own]})
    window = Window(limits.requests, limits.window_s)
    unknown = json_answer({"result": "error", "error": "notFound"}, 404)
    paths = {"/derivatives/api/v3/instruments": lambda _: listed}
    return Endpoints(paths, window, time.monotonic, refusal("http_429"), unknown)


def _instrument(each: Contract) -> dict[str, Any]:
    kind = "futures_inverse" if each.inverse else "flexible_futures"
    told = {"symbol": each.symbol, "type": kind, "contractSize": 1, "tradeable": True, "quote": "USD"}
    if each.expiry_ms:
        told["lastTradingTime"] = time.strftime(DATE, time.gmtime(each.expiry_ms // 1000))
    return told
