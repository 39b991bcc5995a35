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
            return json_answer(_settled(market, symbols[asked["coin"]], int(asked.get("startTime", 0))))
        return unknown

    return answer


def _settled(market: Market, each: Contract, since: int) -> list[dict[str, Any]]:
    paid = market.history.settlements(each, since, market.now + HOURS * HOUR_MS)
    rows = [(one.ts - hour * HOUR_MS, one.rate / HOURS) for one in paid for hour in range(HOURS)]
    kept = sorted((at, rate) for at, rate in rows if since <= at <= market.now)[:MOST]
    return [
        {"coin": each.symbol, "fundingRate": f"{rate:.10f}", "premium": "0.0", "time": at + 48} for at, rate in kept
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
