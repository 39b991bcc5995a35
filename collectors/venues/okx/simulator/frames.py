"""OKX v5: the data of its channels, which its REST answers share. Facts: exchanges/okx.md §2 to §5, §8."""

import math
from collections.abc import Sequence
from typing import Any

from collectors.simulator.candles import Kind
from collectors.simulator.contracts import Contract
from collectors.simulator.history import DAY_MS, History
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Market, Quote

LISTED_MS = 1611916828000


def liquidation_orders(liquidations: Sequence[Liquidation]) -> list[dict[str, Any]]:
    """Return `data`: an entry per instrument in order of first mention, each with its `details`."""
    entries: dict[str, dict[str, Any]] = {}
    for one in liquidations:
        contract = one.contract
        entry = entries.setdefault(contract.symbol, {
            "details": [], "instFamily": contract.index, "instId": contract.symbol, "instType": contract.market,
            "uly": contract.index,
        })  # fmt: skip
        entry["details"].append({
            "bkLoss": "0", "bkPx": one.mark, "ccy": "", "posSide": one.position, "side": one.order_side, "sz": one.qty,
            "ts": str(one.ts),
        })  # fmt: skip
    return list(entries.values())


def funding_rate(contract: Contract, market: Market) -> dict[str, str]:
    """Return the running estimate for `fundingTime`, and the last settled rate."""
    quote, now, interval = market.quotes[contract], market.now, contract.interval_ms
    settled = market.history.settlements(contract, now - 2 * interval, now)
    last = settled[-1].rate if settled else 0.0
    return {
        "formulaType": "withRate", "fundingRate": f"{quote.funding:.16f}", "fundingTime": str(quote.next_funding_ms),
        "impactValue": "20000.0000000000000000", "instId": contract.symbol, "instType": contract.market,
        "interestRate": "0.0001000000000000", "maxFundingRate": "0.02", "method": "current_period",
        "minFundingRate": "-0.02", "nextFundingRate": "", "nextFundingTime": str(quote.next_funding_ms + interval),
        "premium": f"{quote.premium:.16f}", "prevFundingTime": str(quote.next_funding_ms - interval),
        "settFundingRate": f"{last:.16f}", "settState": "settled", "ts": str(now),
    }  # fmt: skip


def open_interest(contract: Contract, quote: Quote, now: int) -> dict[str, str]:
    """Return open interest in contracts, coins and USD."""
    usd = quote.open_interest * quote.mark
    contracts = contract.units(usd, quote.mark)
    digits = 0 if contract.inverse else 10
    return {
        "instId": contract.symbol, "instType": contract.market, "oi": f"{contracts:.{digits}f}",
        "oiCcy": f"{quote.open_interest:.10f}", "oiUsd": f"{usd:.10f}", "ts": str(now),
    }  # fmt: skip


def mark_price(contract: Contract, quote: Quote, now: int) -> dict[str, str]:
    """Return the mark price."""
    return {
        "instId": contract.symbol, "instType": contract.market, "markPx": contract.price_text(quote.mark),
        "ts": str(now),
    }  # fmt: skip


def index_ticker(contract: Contract, quote: Quote, history: History, now: int) -> dict[str, str]:
    """Return the index of a contract's family; its instId is the index, not the contract."""
    price = contract.price_text
    day, _ = history.last_day(contract, "index", now)
    today, china = (history.price(contract.coin, now - (now + shift) % DAY_MS) for shift in (0, DAY_MS // 3))
    return {
        "instId": contract.index, "idxPx": price(quote.index), "high24h": price(max(day.high, quote.index)),
        "sodUtc0": price(today), "open24h": price(day.open), "low24h": price(min(day.low, quote.index)),
        "sodUtc8": price(china), "ts": str(now),
    }  # fmt: skip


def instrument(contract: Contract) -> dict[str, Any]:
    """Return an instrument; base and quote currency are empty for derivatives, as OKX sends them."""
    digits = max(0, round(-math.log10(contract.tick)))
    size = f"{contract.size:g}" if contract.size < 1e6 else f"{contract.size:.0f}"
    return {
        "alias": "quarter" if contract.expiry_ms else "", "auctionEndTime": "", "baseCcy": "", "category": "1",
        "contTdSwTime": "", "ctMult": "1", "ctType": "inverse" if contract.inverse else "linear", "ctVal": size,
        "ctValCcy": "USD" if contract.inverse else contract.coin.name,
        "expTime": str(contract.expiry_ms) if contract.expiry_ms else "", "futureSettlement": False, "groupId": "1",
        "instFamily": contract.index, "instId": contract.symbol, "instType": contract.market, "lever": "100",
        "listTime": str(LISTED_MS), "lotSz": contract.qty_text(contract.step), "maxIcebergSz": "100000000",
        "maxLmtAmt": "20000000", "maxLmtSz": "100000000", "maxMktAmt": "", "maxMktSz": "100000", "maxStopSz": "100000",
        "maxTriggerSz": "100000000", "maxTwapSz": "100000000", "minSz": contract.qty_text(contract.step), "optType": "",
        "openType": "", "preMktSwTime": "", "quoteCcy": "", "ruleType": "normal", "settleCcy": contract.settle,
        "state": "live", "stk": "", "tickSz": f"{contract.tick:.{digits}f}", "uly": contract.index,
    }  # fmt: skip


def candle(contract: Contract, market: Market, ts: int, width: int, kind: Kind) -> list[str]:
    """Return a candle: nine columns of a contract (`kind` trade), six of mark or index; the last is `confirm`."""
    found = market.history.candle(contract, kind, ts, width, market.now)
    prices = [contract.price_text(price) for price in found[:4]]
    confirm = "1" if ts + width <= market.now else "0"
    if kind != "trade":
        return [str(ts), *prices, confirm]
    coins, usd = found.coins, found.coins * found.close
    units = contract.qty_text(contract.units(usd, found.close))
    return [str(ts), *prices, units, f"{coins:.8f}", f"{usd:.8f}", confirm]
