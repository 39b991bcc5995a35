"""Crypto.com: what is listed, pushed and answered. Facts: exchanges/crypto-com.md."""

import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson

from collectors.history.endpoint import LENGTHS_MS
from collectors.simulator.bars import bars
from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Answer
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query, by_symbol
from collectors.venues.cryptocom.history import LENGTHS
from collectors.venues.cryptocom.simulator.server import CryptocomLimits, answered, refusal

HOUR_MS, HOURS = 3_600_000, 8
API = "/exchange/v1/public"


def contract(traded: Traded) -> Contract | None:
    """Return the contract: what others settle in USDT, in USD; None of others."""
    if traded.quote != "USDT":
        return None
    end, step = f"{traded.expiry:%y%m%d}" if traded.expiry else "PERP", 0.0001 if traded.coin.price > 100 else 1.0
    return traded.contract("cryptocom", "derivatives", f"{traded.coin.name}USD-{end}", Shows(), 1.0, step=step)


def _index(each: Contract) -> str:
    return f"{each.coin.name}USD-INDEX"


def channels(own: Sequence[Contract]) -> set[str]:
    """Return the channels that there are."""
    return {f"{kind}.{each.symbol}" for each in own for kind in ("mark", "funding")} | {
        f"index.{_index(e)}" for e in own
    }


def state_frames(market: Market, own: Sequence[Contract], heard: Collection[str], now: int) -> Iterator[Pushed]:
    """Yield mark, index and the running rate of each contract that somebody listens to."""
    for each in own:
        quote = market.quotes[each]
        values = [("mark", each.symbol, quote.mark), ("index", _index(each), quote.index)]
        values += [("funding", each.symbol, quote.funding / HOURS)] if each.interval_ms else []
        for kind, name, value in values:
            if (topic := f"{kind}.{name}") in heard:
                yield Pushed(topic, kind, _push(kind, name, value, now))


def _push(kind: str, name: str, value: float, now: int) -> bytes:
    data = [{"v": f"{value:.12f}", "t": now}]
    result = {"channel": kind, "subscription": f"{kind}.{name}", "instrument_name": name, "data": data}
    return orjson.dumps({"id": -1, "method": "subscribe", "code": 0, "result": result})


def endpoints(market: Market, own: Sequence[Contract], limits: CryptocomLimits) -> Endpoints:
    """Return its REST: instruments, tickers, settled funding, candles."""
    symbols = by_symbol(own, "cryptocom")

    def settled(query: Query) -> Answer:
        each = symbols.get(query.get("instrument_name", ""))
        since, until = int(query.get("start_ts", 0)), min(int(query.get("end_ts", market.now)), market.now)
        paid = market.history.settlements(each, since, until + HOURS * HOUR_MS) if each else []
        rows = [(one.ts - hour * HOUR_MS, one.rate / HOURS) for one in paid for hour in range(HOURS)]
        return answered([{"v": f"{v:.12f}", "t": t} for t, v in sorted(rows, reverse=True) if since <= t <= until])

    def tickers(_: Query) -> Answer:
        return answered([_ticker(market, each) for each in own])

    def candles(query: Query) -> Answer:
        each, length = symbols[query["instrument_name"]], next(k for k, v in LENGTHS.items() if v == query["timeframe"])
        found = bars(
            market, each, LENGTHS_MS[length], int(query["start_ts"]), int(query["end_ts"]), int(query.get("count", 25))
        )
        return answered([
            {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": f"{bar.volume:.4f}", "t": bar.start}
            for bar in found
        ])  # fmt: skip

    paths = {
        f"{API}/get-instruments": lambda _: answered([_instrument(each) for each in own]),
        f"{API}/get-tickers": tickers,
        f"{API}/get-valuations": settled,
        f"{API}/get-candlestick": candles,
    }
    window = Window(limits.requests, limits.window_s)
    return Endpoints(paths, window, time.monotonic, refusal("http_429"), refusal("http_500"))


def _ticker(market: Market, each: Contract) -> dict[str, Any]:
    quote = market.quotes[each]
    return {"i": each.symbol, "a": f"{quote.last:.10f}", "oi": each.qty_text(quote.open_interest), "t": market.now}


def _instrument(each: Contract) -> dict[str, Any]:
    return {
        "symbol": each.symbol, "inst_type": "FUTURE" if each.expiry_ms else "PERPETUAL_SWAP",
        "underlying_symbol": _index(each), "qty_tick_size": str(each.step),
    }  # fmt: skip
