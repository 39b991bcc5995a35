"""Deribit: what is listed, pushed and answered. Facts: exchanges/deribit.md §2 to §4."""

import random
import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson

from collectors.history.endpoint import LENGTHS_MS
from collectors.simulator.bars import bars
from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market
from collectors.simulator.plain import Endpoints, Pushed, Query, by_symbol
from collectors.venues.deribit.history import CHART, LENGTHS
from collectors.venues.deribit.simulator.server import DeribitLimits, refusal

SHOWS = Shows("fill", twins=True)
BY_THE_MAKER, OTHERS = 0.3, 0.3
"""How many liquidations are flagged as the maker's, and how many trades without a flag come beside them."""
KEPT, MOST = 5000, 1000
HOUR_MS, HOURS = 3_600_000, 8
API = "/api/v2/public"
OPPOSITE = {"buy": "sell", "sell": "buy"}


def contract(traded: Traded) -> Contract | None:
    """Return the contract: inverse ones of a coin, linear ones in USDC where others have USDT; None of others."""
    coin = traded.coin
    end = f"{traded.expiry:%-d%b%y}".upper() if traded.expiry else "PERPETUAL"
    if traded.inverse:
        return traded.contract(
            "deribit", "futures", f"{coin.name}-{end}", SHOWS, 1.0, step=10.0 if coin.name == "BTC" else 1.0
        )
    if traded.quote != "USDT" or traded.expiry:
        return None
    step = 0.0001 if coin.price > 100 else 1.0
    return traded.contract("deribit", "futures", f"{coin.name}_USDC-{end}", SHOWS, 1.0, step=step)


class Trades:
    """Writes liquidations as trades with a flag, of the taker or the maker, others beside them, and keeps the latest.

    `late`: share of the flags that are not pushed, but in what is kept.
    """

    def __init__(self, seed: int, late: float = 0.0) -> None:
        self._late = late
        self._random = random.Random(f"{seed}/deribit")
        self._seq: dict[str, int] = defaultdict(int)
        self.kept: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=KEPT))

    def frames(self, happened: Sequence[Liquidation], _now: int) -> Iterator[Pushed]:
        """Yield a frame a liquidation, now and then with a trade before it that is none."""
        for one in happened:
            others = [self._trade(one, one.order_side)] if self._random.random() < OTHERS else []
            is_maker = self._random.random() < BY_THE_MAKER
            direction = OPPOSITE[one.order_side] if is_maker else one.order_side
            flagged = self._trade(one, direction, "M" if is_maker else "T")
            channel = f"trades.{one.contract.symbol}.100ms"
            if self._random.random() < self._late:
                flagged = {name: value for name, value in flagged.items() if name != "liquidation"}
            yield Pushed(channel, "trades", pushed(channel, [*others, flagged]), (one,))

    def _trade(self, one: Liquidation, direction: str, flag: str = "") -> dict[str, Any]:
        name, price = one.contract.symbol, float(one.fill)
        self._seq[name] += 1
        told = {
            "trade_seq": self._seq[name], "trade_id": f"{name}-{self._seq[name]}", "timestamp": one.ts, "price": price,
            "tick_direction": 0, "instrument_name": name, "index_price": price, "mark_price": float(one.mark),
            "direction": direction, "amount": float(one.qty), **({"liquidation": flag} if flag else {}),
        }  # fmt: skip
        self.kept[name].append(told)
        return told


def pushed(channel: str, data: object) -> bytes:
    """Return a frame of a channel."""
    return orjson.dumps({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}})


def ticker_frames(market: Market, own: Sequence[Contract], heard: Collection[str], now: int) -> Iterator[Pushed]:
    """Yield a ticker of each instrument that somebody listens to."""
    for each in own:
        if (channel := f"ticker.{each.symbol}.agg2") in heard:
            yield Pushed(channel, "ticker", pushed(channel, _ticker(market, each, now)))


def _ticker(market: Market, each: Contract, now: int) -> dict[str, Any]:
    quote = market.quotes[each]
    told = {
        "timestamp": now, "state": "open", "instrument_name": each.symbol, "mark_price": quote.mark,
        "index_price": quote.index, "last_price": quote.last,
        "open_interest": quote.open_interest * (quote.mark if each.inverse else 1.0),
    }  # fmt: skip
    return told | ({"current_funding": quote.funding, "funding_8h": quote.funding} if each.interval_ms else {})


def endpoints(market: Market, own: Sequence[Contract], limits: DeribitLimits) -> Endpoints:
    """Return the REST of the main host: instruments, settled funding, candles."""
    symbols = by_symbol(own, "deribit")

    def settled(query: Query) -> Answer:
        each = symbols.get(query.get("instrument_name", ""))
        since, until = int(query.get("start_timestamp", 0)), int(query.get("end_timestamp", 0))
        paid = market.history.settlements(each, since, until + HOURS * HOUR_MS) if each else []
        rows = [
            {"timestamp": at, "interest_1h": one.rate / HOURS, "interest_8h": one.rate, "index_price": 1.0,
             "prev_index_price": 1.0}
            for one in paid for hour in range(HOURS) if since <= (at := one.ts - hour * HOUR_MS) <= min(until, market.now)
        ]  # fmt: skip
        return answered(sorted(rows, key=lambda row: row["timestamp"]))

    def chart(query: Query) -> Answer:
        each, length = (
            symbols[query["instrument_name"]],
            next(k for k, v in LENGTHS.items() if v == query["resolution"]),
        )
        found = bars(market, each, LENGTHS_MS[length], int(query["start_timestamp"]), int(query["end_timestamp"]), 5000)
        prices = {name: [float(getattr(bar, name)) for bar in found] for name in ("open", "high", "low", "close")}
        volume = [round(bar.volume, 8) for bar in found]
        cost = [round(bar.volume * float(bar.close), 4) for bar in found]
        told = {
            "ticks": [bar.start for bar in found],
            "status": "ok" if found else "no_data",
            "volume": volume,
            "cost": cost,
        }
        return answered(prices | told)

    listed = answered([_instrument(each) for each in own])
    paths = {
        f"{API}/get_instruments": lambda _: listed,
        f"{API}/get_funding_rate_history": settled,
        f"{API}/{CHART}": chart,
    }
    return Endpoints(paths, Window(limits.requests, limits.window_s), time.monotonic, refusal("http_429"), _unknown())


def past_endpoints(trades: Trades, limits: DeribitLimits) -> Endpoints:
    """Return the REST of the history host: trades with their flags, newest first."""

    def last(query: Query) -> Answer:
        since, until = int(query.get("start_timestamp", 0)), int(query.get("end_timestamp", 1 << 60))
        kept = reversed(trades.kept[query.get("instrument_name", "")])
        found = [trade for trade in kept if since <= trade["timestamp"] <= until]
        most = min(int(query.get("count", 10)), MOST)
        return answered({"trades": found[:most], "has_more": len(found) > most})

    paths = {f"{API}/get_last_trades_by_instrument": last}
    return Endpoints(paths, Window(limits.requests, limits.window_s), time.monotonic, refusal("http_429"), _unknown())


def answered(result: object) -> Answer:
    """Return an answer with a result."""
    return json_answer({"jsonrpc": "2.0", "result": result, "usIn": 0, "usOut": 0, "usDiff": 0, "testnet": False})


def _unknown() -> Answer:
    return json_answer({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}}, 400)


def _instrument(each: Contract) -> dict[str, Any]:
    return {
        "instrument_name": each.symbol, "kind": "future", "instrument_type": "reversed" if each.inverse else "linear",
        "contract_size": each.step, "tick_size": each.tick, "base_currency": each.coin.name,
        "quote_currency": "USD" if each.inverse else "USDC",
        "settlement_currency": each.coin.name if each.inverse else "USDC", "is_active": True, "creation_timestamp": 0,
        "settlement_period": "month" if each.expiry_ms else "perpetual",
        "expiration_timestamp": each.expiry_ms or 32_503_708_800_000,
    }  # fmt: skip
