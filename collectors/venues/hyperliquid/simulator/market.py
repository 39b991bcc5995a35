"""Hyperliquid: what is listed and answered. Facts: exchanges/hyperliquid.md §3, §4."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from collectors.simulator.budgets import Window
from collectors.simulator.contracts import Contract, Shows, Traded
from collectors.simulator.faults import Kind
from collectors.simulator.host import Answer, json_answer
from collectors.simulator.market import Market
from collectors.simulator.plain import by_symbol
from collectors.venues.hyperliquid.simulator.accounts import Accounts

HOUR_MS, HOURS, MOST = 3_600_000, 8, 500
LATE_MS, CANDLES, CYCLE_MS = 48, 5000, HOURS * HOUR_MS
LENGTHS_MS = {
    "1m": 60_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": HOUR_MS,
    "4h": 4 * HOUR_MS,
    "1d": 24 * HOUR_MS,
}


class HyperliquidLimits(msgspec.Struct, frozen=True):
    """`weight` in `window_s`: of POST requests of one address, `cost` each, `account_cost` of those of an account."""

    weight: int = 1200
    window_s: float = 60.0
    cost: int = 20
    account_cost: int = 2


def contract(traded: Traded) -> Contract | None:
    """Return the contract, a perpetual settled in USDC; a thousand of a cheap coin are one. None of others."""
    if traded.quote != "USDT" or traded.expiry:
        return None
    name = f"k{traded.coin.name}" if traded.coin.scale > 1 else traded.coin.name
    return traded.per_unit("hyperliquid", "perps", name, Shows())


def answers(
    market: Market, own: Sequence[Contract], accounts: Accounts, limits: HyperliquidLimits
) -> Callable[[str, dict[str, str]], Answer]:
    """Return what answers POST requests to /info (contracts, their state, settled funding, an account), and the leaderboard."""
    symbols, window = by_symbol(own, "hyperliquid"), Window(limits.weight, limits.window_s)
    unknown = json_answer("Failed to deserialize the JSON body into the target type", 422)

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path == "/Mainnet/leaderboard":
            return json_answer(accounts.leaderboard())
        try:
            asked = dict(orjson.loads(query.get("body", "")))
        except (orjson.JSONDecodeError, TypeError, ValueError):
            return unknown
        is_account = asked.get("type") == "clearinghouseState"
        if not window.take(time.monotonic(), limits.account_cost if is_account else limits.cost):
            return refusal("http_429")
        if is_account:
            return json_answer(accounts.state(str(asked.get("user", "")).lower()))
        kind, meta = asked.get("type"), {"universe": [_asset(each) for each in own]}
        if path != "/info":
            return json_answer("Not Found", 404)
        if kind == "meta":
            return json_answer(meta)
        if kind == "metaAndAssetCtxs":
            return json_answer([meta, [_context(market, each) for each in own]])
        if kind == "fundingHistory" and asked.get("coin") in symbols:
            until = int(asked.get("endTime", market.now))
            return json_answer(_settled(market, symbols[asked["coin"]], int(asked.get("startTime", 0)), until))
        if kind == "candleSnapshot" and (each := symbols.get(asked["req"]["coin"])):
            return json_answer(_candles(market, each, asked["req"]))
        return unknown

    return answer


def _candles(market: Market, each: Contract, asked: dict[str, Any]) -> list[dict[str, Any]]:
    width, now = LENGTHS_MS[asked["interval"]], market.now
    first, last = max(int(asked["startTime"]), now - CANDLES * width), min(int(asked["endTime"]), now)
    starts = range(first + -first % width, last + 1, width)
    return [_candle(market, each, asked["interval"], start, width) for start in starts]


def _candle(market: Market, each: Contract, length: str, start: int, width: int) -> dict[str, Any]:
    candle = market.history.candle(each, "trade", start, width, market.now)
    prices = {name: each.price_text(price, 10) for name, price in zip("ohlc", candle[:4], strict=True)}
    told = {"t": start, "T": start + width - 1, "s": each.symbol, "i": length, "n": 1}
    return told | prices | {"v": f"{candle.coins / each.scale:.6f}"}


def _settled(market: Market, each: Contract, since: int, until: int) -> list[dict[str, Any]]:
    """Return the rates of full hours: of the eight before each settlement its own, since the last of them the running one."""
    first = since // CYCLE_MS * CYCLE_MS
    paid = market.history.settlements(each, first, market.now)
    rows = [(one.ts - hour * HOUR_MS, one.rate / HOURS) for one in paid for hour in range(HOURS)]
    last = max((at for at, _ in rows), default=first)
    rows += [(at, market.quotes[each].funding / HOURS) for at in range(last + HOUR_MS, market.now, HOUR_MS)]
    kept = sorted((at, rate) for at, rate in rows if since <= at + LATE_MS <= min(until, market.now))[:MOST]
    return [
        {"coin": each.symbol, "fundingRate": f"{rate:.10f}", "premium": "0.0", "time": at + LATE_MS}
        for at, rate in kept
    ]


def _asset(each: Contract) -> dict[str, Any]:
    return {"name": each.symbol, "szDecimals": 4, "maxLeverage": 40}


def _context(market: Market, each: Contract) -> dict[str, Any]:
    quote = market.quotes[each]
    mark, index = each.price_text(quote.mark, 10), each.price_text(quote.index, 10)
    return {
        "funding": f"{quote.funding / HOURS:.10f}", "openInterest": each.qty_text(quote.open_interest / each.scale),
        "prevDayPx": mark, "dayNtlVlm": "0.0", "premium": "0.0", "oraclePx": index, "markPx": mark, "midPx": None,
    }  # fmt: skip


def refusal(kind: Kind) -> Answer:
    """Return Hyperliquid's answer over a limit, of a blocked address, or when it is down."""
    answers = {"http_429": Answer(429, b"null"), "http_403": Answer(403, b"<html><title>403 Forbidden</title></html>")}
    return answers.get(kind) or Answer(500, b"null")
