"""dYdX v4: what is listed, pushed and answered. Facts: exchanges/dydx-v4.md §2 to §4."""

import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from collectors.history.endpoint import LENGTHS_MS
from collectors.simulator.bars import bars
from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Pushed, by_symbol
from collectors.venues.dydx.history import LENGTHS
from collectors.venues.dydx.simulator.server import ID, MARKETS, TRADES, DydxLimits, refusal

SHOWS = Shows("fill", twins=True)
KEPT, FIRST = 5000, 100
"""Trades of a market that can be asked for, and those that a subscription begins with."""
OTHERS = 0.3
HOUR_MS, HOURS = 3_600_000, 8
RATES_MS = 1000 * HOUR_MS
EVER_MS = 1 << 42


def contract(traded: Traded) -> Contract | None:
    """Return the market, a perpetual quoted in USD; None of others."""
    if traded.quote != "USDT" or traded.expiry:
        return None
    step = 0.0001 if traded.coin.price > 100 else 1.0
    return traded.contract("dydx", "markets", f"{traded.coin.name}-USD", SHOWS, 1.0, step=step)


class Trades:
    """Writes liquidations as trades with a type, others beside them, and keeps a market's last."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}/dydx")
        self.kept: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=KEPT))

    def frames(self, happened: Sequence[Liquidation], _now: int) -> Iterator[Pushed]:
        """Yield a frame a liquidation, now and then with a trade that is none."""
        for one in happened:
            others = [self._trade(one, "LIMIT")] if self._random.random() < OTHERS else []
            contents = {"trades": [*others, self._trade(one, "LIQUIDATED")]}
            market = one.contract.symbol
            yield Pushed(f"{TRADES}:{market}", TRADES, pushed(TRADES, market, contents), (one,))

    def _trade(self, one: Liquidation, kind: str) -> dict[str, Any]:
        told = {
            "id": f"{self._random.getrandbits(96):024x}", "size": one.qty, "price": one.fill, "type": kind,
            "side": one.order_side.upper(), "createdAt": iso(one.ts), "createdAtHeight": "1",
        }  # fmt: skip
        self.kept[one.contract.symbol].appendleft(told)
        return told


def pushed(channel: str, market: str, contents: object) -> bytes:
    """Return a frame of a channel."""
    told = {"type": "channel_data", "connection_id": ID, "message_id": 1, "channel": channel, "version": "2.1.0"}
    return orjson.dumps(told | ({"id": market} if market else {}) | {"contents": contents})


def market_frames(market: Market, own: Sequence[Contract]) -> Iterator[Pushed]:
    """Yield the oracle's prices, and the rates and open interest, of all markets."""
    oracle = {
        each.symbol: {"oraclePrice": _price(market, each), "effectiveAt": iso(market.now), "marketId": n}
        for n, each in enumerate(own)
    }
    trading = {each.symbol: {"id": str(n), **_trading(market, each)} for n, each in enumerate(own)}
    for contents in ({"oraclePrices": oracle}, {"trading": trading}):
        yield Pushed(MARKETS, MARKETS, pushed(MARKETS, "", contents))


def _price(market: Market, each: Contract) -> str:
    return each.price_text(market.quotes[each].index, 12)


def _trading(market: Market, each: Contract) -> dict[str, str]:
    quote = market.quotes[each]
    return {"openInterest": f"{quote.open_interest:.6f}", "nextFundingRate": f"{quote.funding / HOURS:.12f}"}


def markets(market: Market, own: Sequence[Contract]) -> dict[str, Any]:
    """Return the state of all markets, as REST and a subscription give it."""
    return {"markets": {each.symbol: _market(market, each, n) for n, each in enumerate(own)}}


def _market(market: Market, each: Contract, number: int) -> dict[str, Any]:
    return {
        "clobPairId": str(number), "ticker": each.symbol, "status": "ACTIVE", "marketType": "CROSS",
        "oraclePrice": _price(market, each), "stepSize": str(each.step), "tickSize": str(each.tick),
        "baseOpenInterest": "0", **_trading(market, each),
    }  # fmt: skip


def endpoints(
    market: Market, own: Sequence[Contract], trades: Trades, limits: DydxLimits
) -> Callable[[str, dict[str, str]], Answer]:
    """Return its REST: markets, a market's last trades, its settled funding, its candles."""
    symbols, window = by_symbol(own, "dydx"), Window(limits.requests, limits.window_s)

    def settled(each: Contract, until: int, limit: int) -> list[dict[str, str]]:
        last = min(until, market.now)
        paid = market.history.settlements(each, last - RATES_MS, min(last + HOURS * HOUR_MS, market.now))
        rows = [(one.ts - hour * HOUR_MS, one.rate / HOURS) for one in reversed(paid) for hour in range(HOURS)]
        rows = [(at, rate) for at, rate in rows if at <= last]
        return [
            {
                "ticker": each.symbol,
                "rate": f"{rate:.12f}",
                "price": "1",
                "effectiveAt": iso(at),
                "effectiveAtHeight": "1",
            }
            for at, rate in rows[:limit]
        ]

    def answer(path: str, query: dict[str, str]) -> Answer:
        if not window.take(time.monotonic()):
            return refusal("http_429")
        what, _, ticker = path.removeprefix("/v4/").rpartition("/")
        limit = int(query.get("limit", 100))
        if path == "/v4/perpetualMarkets":
            return json_answer(markets(market, own))
        if what == "trades/perpetualMarket" and ticker in symbols:
            until = iso(_ms(query.get("createdBeforeOrAt")))
            found = [one for one in trades.kept[ticker] if one["createdAt"] <= until]
            return json_answer({"trades": found[:limit]})
        if what == "historicalFunding" and ticker in symbols:
            until_ms = _ms(query.get("effectiveBeforeOrAt"))
            return json_answer({"historicalFunding": settled(symbols[ticker], until_ms, limit)})
        if what == "candles/perpetualMarkets" and ticker in symbols:
            return json_answer({"candles": _candles(market, symbols[ticker], query, limit)})
        return json_answer({"errors": [{"msg": "Not Found"}]}, 404)

    return answer


def _candles(market: Market, each: Contract, query: dict[str, str], limit: int) -> list[dict[str, Any]]:
    """Return candles from the first bound, which is in, to the second, which is not; the newest first."""
    length = next(ours for ours, name in LENGTHS.items() if name == query["resolution"])
    since, until = _ms(query.get("fromISO"), 0), _ms(query.get("toISO")) - 1
    return [
        {
            "startedAt": iso(bar.start), "ticker": each.symbol, "resolution": query["resolution"], "low": bar.low,
            "high": bar.high, "open": bar.open, "close": bar.close, "baseTokenVolume": f"{bar.volume:.4f}",
            "usdVolume": f"{bar.volume * float(bar.close):.4f}", "trades": 1, "startingOpenInterest": "1",
        }
        for bar in reversed(bars(market, each, LENGTHS_MS[length], since, until, limit))
    ]  # fmt: skip


def _ms(text: str | None, otherwise: int = EVER_MS) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000) if text else otherwise


def iso(ms: int) -> str:
    """Return a time in UTC milliseconds as the indexer writes it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"
