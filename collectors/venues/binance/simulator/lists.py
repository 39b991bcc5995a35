"""Binance's lists of instruments: exchangeInfo and fundingInfo. Facts: exchanges/binance.md §3, §8."""

import math
from collections.abc import Iterable
from typing import Any

from collectors.simulator.contracts import PERPETUAL_DELIVERY_MS, Contract

ONBOARDED_MS = 1569398400000
ORDER_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
TIME_IN_FORCE = ["GTC", "IOC", "FOK", "GTX"]


def exchange_info(contracts: Iterable[Contract], universe: str, now: int) -> dict[str, Any]:
    """Return the answer of /fapi/v1/exchangeInfo (`universe` um) or /dapi/v1/exchangeInfo (cm)."""
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    ]
    head: dict[str, Any] = {"timezone": "UTC", "serverTime": now}
    if universe == "um":
        assets = [{"asset": name, "marginAvailable": True, "autoAssetExchange": "-10000"} for name in ("USDT", "USDC")]
        head |= {"futuresType": "U_MARGINED", "rateLimits": limits, "exchangeFilters": [], "assets": assets}
    else:
        head |= {"rateLimits": limits, "exchangeFilters": []}
    return head | {"symbols": [_symbol(contract) for contract in contracts]}


def funding_info(contracts: Iterable[Contract]) -> list[dict[str, Any]]:
    """Return only the symbols whose interval is not eight hours, as Binance lists only adjusted ones."""
    return [
        {"symbol": c.symbol, "adjustedFundingRateCap": "0.02000000", "adjustedFundingRateFloor": "-0.02000000",
         "fundingIntervalHours": c.coin.interval_hours, "disclaimer": False, "updateTime": ONBOARDED_MS}
        for c in contracts if c.interval_ms and c.coin.interval_hours != 8
    ]  # fmt: skip


def _symbol(contract: Contract) -> dict[str, Any]:
    status = (
        {"contractStatus": "TRADING", "contractSize": int(contract.size)} if contract.inverse else {"status": "TRADING"}
    )
    price_digits, qty_digits = (max(0, round(-math.log10(step))) for step in (contract.tick, contract.step))
    return {
        "symbol": contract.symbol, "pair": contract.pair,
        "contractType": "CURRENT_QUARTER" if contract.expiry_ms else "PERPETUAL",
        "deliveryDate": contract.expiry_ms or PERPETUAL_DELIVERY_MS, "onboardDate": ONBOARDED_MS, **status,
        "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000", "baseAsset": contract.unit,
        "quoteAsset": contract.quote, "marginAsset": contract.settle, "pricePrecision": price_digits,
        "quantityPrecision": qty_digits, "baseAssetPrecision": 8, "quotePrecision": 8, "underlyingType": "COIN",
        "underlyingSubType": [], "triggerProtect": "0.0500", "liquidationFee": "0.012500", "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000, "filters": _filters(contract, price_digits, qty_digits),
        "orderTypes": ORDER_TYPES, "timeInForce": TIME_IN_FORCE,
    }  # fmt: skip


def _filters(contract: Contract, price_digits: int, qty_digits: int) -> list[dict[str, Any]]:
    tick, step = f"{contract.tick:.{price_digits}f}", f"{contract.step:.{qty_digits}f}"
    price = contract.coin.price * contract.scale
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": contract.price_text(price * 20), "tickSize": tick},
        {"filterType": "LOT_SIZE", "stepSize": step, "maxQty": "1000000", "minQty": step},
        {"filterType": "MARKET_LOT_SIZE", "stepSize": step, "maxQty": "60000", "minQty": step},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
        *([] if contract.inverse else [{"filterType": "MIN_NOTIONAL", "notional": "5"}]),
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
    ]  # fmt: skip
