"""Bybit v5: the payloads of its topics and tickers. Facts: exchanges/bybit.md §2, §4, §10."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from collectors.simulator.contracts import Contract
from collectors.simulator.history import MINUTE_MS, History
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Quote


def all_liquidation(batch: Sequence[Liquidation], ts: int) -> dict[str, Any]:
    """Return one symbol's batch: `S` is the POSITION's side, `p` the bankruptcy price, inverse `v` in USD."""
    symbol = batch[0].contract.symbol
    items = [
        {"T": one.ts, "s": symbol, "S": "Buy" if one.position == "long" else "Sell", "v": one.qty, "p": one.bankruptcy}
        for one in batch
    ]
    return {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": ts, "data": items}


def ticker(contract: Contract, quote: Quote, history: History, now: int, iso_delivery: bool) -> dict[str, str]:
    """Return every field of a ticker; "" where it does not apply. Open interest counts both sides.

    `iso_delivery`: the stream gives deliveryTime as text of a date, REST as ms.
    """
    price = contract.price_text
    one_side = contract.units(quote.open_interest * quote.mark, quote.mark)
    value = quote.open_interest if contract.inverse else quote.open_interest * quote.mark
    digits = 0 if contract.inverse else 3
    return {
        "symbol": contract.symbol,
        "tickDirection": "PlusTick" if quote.trend >= 0 else "MinusTick",
        "lastPrice": price(quote.last), "markPrice": price(quote.mark), "indexPrice": price(quote.index),
        **_day(contract, quote, history, now),
        "openInterest": f"{2 * one_side:.{digits}f}", "openInterestValue": f"{2 * value:.2f}",
        "singleOpenInterest": f"{one_side:.{digits}f}", "singleOpenInterestValue": f"{value:.2f}",
        **(_funding(contract, quote) if contract.interval_ms else _delivery(contract, quote, iso_delivery)),
        "bid1Price": price(quote.last - contract.tick / contract.scale), "bid1Size": contract.qty_text(one_side / 5e4),
        "ask1Price": price(quote.last + contract.tick / contract.scale), "ask1Size": contract.qty_text(one_side / 4e4),
        "preOpenPrice": "", "preQty": "", "curPreListingPhase": "",
    }  # fmt: skip


def kline(contract: Contract, history: History, now: int) -> dict[str, Any]:
    """Return the one-minute candle of `now`; `confirm` says whether it is over. Volume: linear base, inverse USD."""
    start = (now - 1) // MINUTE_MS * MINUTE_MS
    found = history.candle(contract, "trade", start, MINUTE_MS, now)
    opened, high, low, close = (contract.price_text(price) for price in found[:4])
    coins, usd = found.coins, found.coins * found.close
    volume, turnover = (usd, coins) if contract.inverse else (coins / contract.size, usd)
    item = {
        "start": start, "end": start + MINUTE_MS - 1, "interval": "1", "open": opened, "close": close, "high": high,
        "low": low, "volume": contract.qty_text(volume), "turnover": f"{turnover:.8f}",
        "confirm": now >= start + MINUTE_MS, "timestamp": now,
    }  # fmt: skip
    return {"topic": f"kline.1.{contract.symbol}", "data": [item], "ts": now, "type": "snapshot"}


def _day(contract: Contract, quote: Quote, history: History, now: int) -> dict[str, str]:
    day, hour_ago = history.last_day(contract, "trade", now)
    before, coins, usd = day.open, day.coins, day.coins * quote.last
    volume, turnover = (usd, coins) if contract.inverse else (coins / contract.size, usd)
    return {
        "price24hPcnt": f"{quote.last / before - 1:.6f}", "prevPrice24h": contract.price_text(before),
        "highPrice24h": contract.price_text(max(day.high, quote.last)),
        "lowPrice24h": contract.price_text(min(day.low, quote.last)),
        "prevPrice1h": contract.price_text(hour_ago),
        "turnover24h": f"{turnover:.4f}", "volume24h": f"{volume:.4f}",
    }  # fmt: skip


def _funding(contract: Contract, quote: Quote) -> dict[str, str]:
    return {
        "fundingRate": f"{quote.funding:.8f}", "nextFundingTime": str(quote.next_funding_ms),
        "fundingIntervalHour": str(contract.coin.interval_hours), "fundingCap": "0.005",
    }  # fmt: skip


def _delivery(contract: Contract, quote: Quote, iso: bool) -> dict[str, str]:
    at = datetime.fromtimestamp(contract.expiry_ms / 1000, UTC)
    return {
        "deliveryTime": at.strftime("%Y-%m-%dT%H:%M:%SZ") if iso else str(contract.expiry_ms),
        "basisRate": f"{quote.premium:.8f}", "basis": contract.price_text(quote.mark - quote.index),
        "deliveryFeeRate": "0.0005", "predictedDeliveryPrice": "", "basisRateYear": "",
        "nextFundingTime": "", "fundingRate": "", "fundingIntervalHour": "", "fundingCap": "",
    }  # fmt: skip
