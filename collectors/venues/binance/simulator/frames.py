"""Binance futures: the payloads of its streams. Facts: exchanges/binance.md §2, §3, §5; shapes of October 2026."""

from typing import Any, Literal

from collectors.simulator.candles import Kind
from collectors.simulator.contracts import Contract
from collectors.simulator.history import MINUTE_MS, History
from collectors.simulator.liquidation import Liquidation
from collectors.simulator.market import Quote

UM, CM = 1, 2


def force_order(liquidation: Liquidation, event_ms: int) -> dict[str, Any]:
    """Return the event: `S` is the order's side, `p` its limit, `ap` where it filled, `l` the last fill only."""
    contract, qty = liquidation.contract, liquidation.qty
    last = contract.qty_text(float(qty) / 3) if float(qty) > 2 * contract.step else qty
    return {
        "e": "forceOrder", "E": event_ms,
        "o": {
            "s": contract.symbol, "S": liquidation.order_side.upper(), "o": "LIMIT", "f": "IOC", "q": qty,
            "p": liquidation.bankruptcy, "ap": liquidation.fill, "X": "FILLED", "l": last, "z": qty,
            "T": liquidation.ts, "ps": contract.pair, "st": universe(contract),
        },
    }  # fmt: skip


def mark_price(contract: Contract, quote: Quote, event_ms: int) -> dict[str, Any]:
    """Return one symbol's mark price; a delivery contract has no rate: "" on CM, zeros on UM, T 0."""
    rate = f"{quote.funding:.8f}" if contract.interval_ms or not contract.inverse else ""
    mark, index = contract.price_text(quote.mark, 8), contract.price_text(quote.index, 8)
    return {
        "e": "markPriceUpdate", "E": event_ms, "s": contract.symbol, "p": mark, "ap": mark, "P": index, "i": index,
        "r": rate, "T": quote.next_funding_ms, "st": universe(contract),
    }  # fmt: skip


def kline(contract: Contract, history: History, opened: int, now: int) -> dict[str, Any]:
    """Return the one-minute candle that opened at `opened`; `x` says whether it is over."""
    o, h, low, c, volume, closes, quote, trades, buys, quote_buys, _ = kline_row(
        contract, history, opened, MINUTE_MS, now, "trade"
    )[1:]
    k = {
        "t": opened, "T": closes, "s": contract.symbol, "i": "1m", "f": 1, "L": trades, "o": o, "c": c, "h": h,
        "l": low, "v": volume, "n": trades, "x": now > closes, "q": quote, "V": buys, "Q": quote_buys, "B": "0",
    }  # fmt: skip
    return {"e": "kline", "E": now, "s": contract.symbol, "k": k}


def kline_row(
    contract: Contract, history: History, opened: int, width: int, now: int, kind: Kind | Literal["premium"]
) -> list[Any]:
    """Return a kline as REST has it. Volumes: UM base then quote, CM contracts then base; "0" but for `kind` trade."""
    if kind == "premium":
        prices = [f"{premium:.8f}" for premium in history.premiums(contract, opened, width, now)]
        return [opened, *prices, "0", opened + width - 1, "0", 1, "0", "0", "0"]
    candle = history.candle(contract, kind, opened, width, now)
    prices = [contract.price_text(price, None if kind == "trade" else 8) for price in candle[:4]]
    volume = base = bought = bought_base = "0"
    coins = candle.coins
    usd = coins * candle.close
    trades = int(usd / 900) + 1
    if kind == "trade":
        buys = history.taker_buy_share(candle)
        units = contract.units(usd, candle.close)
        volume, bought = contract.qty_text(units), contract.qty_text(units * buys)
        second = usd if not contract.inverse else coins
        base, bought_base = f"{second:.8f}", f"{second * buys:.8f}"
    return [opened, *prices, volume, opened + width - 1, base, trades, bought, bought_base, "0"]


def universe(contract: Contract) -> int:
    """Return `st`: 1 for USD-M, 2 for COIN-M."""
    return UM if contract.market == "um" else CM
