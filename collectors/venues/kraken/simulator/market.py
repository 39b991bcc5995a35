"""Kraken Futures: what is listed, and what its feeds push. Facts: exchanges/kraken-futures.md §2 to §4."""

import random
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from collectors.history.endpoint import LENGTHS_MS
from collectors.simulator.bars import bars
from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Answer, Client, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query, by_symbol
from collectors.venues.kraken.simulator.server import KrakenLimits, refusal

SHOWS = Shows("fill", twins=True)
COINS = {"BTC": "XBT"}
KEPT, AT_ONCE = 5000, 100
"""Trades of a product that can be asked for, and how many of them an answer or a snapshot has."""
EVER_MS = 1 << 42
RATES_MS = 100 * 86_400_000
BARS = 2000
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

    def last(self, product: str, before: int = EVER_MS) -> list[dict[str, Any]]:
        """Return the last hundred trades of a product before a time (UTC ms), newest first."""
        return [one for one in reversed(self._last[product]) if one["time"] < before][:AT_ONCE]

    def greet(self, client: Client, topic: str) -> int:
        """Send a newcomer the last trades of a product; return to how many it went."""
        feed, _, product = topic.partition(":")
        if feed != "trade":
            return 0
        told = {"feed": "trade_snapshot", "product_id": product, "trades": self.last(product)}
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


def endpoints(market: Market, own: Sequence[Contract], trades: Trades, limits: KrakenLimits) -> Endpoints:
    """Return its REST: the list of contracts, a product's trades and settled funding, candles."""
    symbols = by_symbol(own, "kraken")

    def traded(query: Query) -> Answer:
        before = round(datetime.fromisoformat(query["lastTime"]).timestamp() * 1000) if "lastTime" in query else EVER_MS
        return json_answer(
            {"result": "success", "history": [_old(one) for one in trades.last(query["symbol"], before)]}
        )

    def settled(query: Query) -> Answer:
        each = symbols.get(query.get("symbol", ""))
        paid = market.history.settlements(each, market.now - RATES_MS, market.now) if each else []
        rates = [{"timestamp": iso(one.ts), "fundingRate": 0.0, "relativeFundingRate": one.rate} for one in paid]
        return json_answer({"result": "success", "rates": rates})

    listed = json_answer({"result": "success", "instruments": [_instrument(each) for each in own]})
    window = Window(limits.requests, limits.window_s)
    unknown = json_answer({"result": "error", "error": "notFound"}, 404)
    paths: dict[str, Callable[[Query], Answer]] = {
        "/derivatives/api/v3/instruments": lambda _: listed,
        "/derivatives/api/v3/history": traded,
        "/derivatives/api/v4/historicalfundingrates": settled,
        **{
            f"/api/charts/v1/trade/{each.symbol}/{length}": partial(_candles, market, each, width)
            for each in own for length, width in LENGTHS_MS.items()
        },
    }  # fmt: skip
    return Endpoints(paths, window, time.monotonic, refusal("http_429"), unknown)


def _old(trade: dict[str, Any]) -> dict[str, Any]:
    same = {name: trade[name] for name in ("price", "side", "type", "uid")}
    return {"time": iso(trade["time"]), "trade_id": trade["seq"], "size": trade["qty"], **same}


def _candles(market: Market, each: Contract, width: int, query: Query) -> Answer:
    found = bars(market, each, width, int(query["from"]) * 1000, int(query["to"]) * 1000, BARS)
    told = [{**bar._asdict(), "time": bar.start, "volume": f"{bar.volume:.4f}"} for bar in found]
    for one in told:
        del one["start"]
    return json_answer({"candles": told, "more_candles": False})


def iso(ms: int) -> str:
    """Return a time in UTC milliseconds as REST writes it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"


def _instrument(each: Contract) -> dict[str, Any]:
    kind = "futures_inverse" if each.inverse else "flexible_futures"
    told = {"symbol": each.symbol, "type": kind, "contractSize": 1, "tradeable": True, "quote": "USD"}
    if each.expiry_ms:
        told["lastTradingTime"] = time.strftime(DATE, time.gmtime(each.expiry_ms // 1000))
    return told
