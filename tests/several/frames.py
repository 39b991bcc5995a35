"""Frames whose rows depend on all that ingests share: contracts, state that sessions hold, keys that come twice."""

import random
from collections.abc import Iterator

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION, REFERENCE, TICKER
from tests.pipelines.venue_frames import (
    START_MS,
    Session,
    binance_liquidation,
    bybit_liquidation,
    bybit_ticker,
    okx_liquidation,
)

SYMBOLS = tuple(f"COIN{n}USDT" for n in range(24))
SWAPS = tuple(f"COIN{n}-USDT-SWAP" for n in range(6))


def frames(seed: int = 1) -> Iterator[RawFrame]:
    """Yield frames without an end: liquidations of three venues, tickers that say what changed, lists of contracts."""
    rng = random.Random(seed)
    tickers, feed = Session("bybit", "linear-1-aaaa"), Session("bybit", "linear-2-bbbb")
    binance, okx, rest = Session("binance", "um-1-aaaa"), Session("okx", "public-1-aaaa"), Session("okx", "rest-1-aaaa")
    for number, symbol in enumerate(SYMBOLS):
        full = {"fundingRate": "0.0001", "nextFundingTime": str(START_MS), "openInterest": "2000", "markPrice": "1000"}
        told = bybit_ticker(
            START_MS, "snapshot", number, symbol, **full, openInterestValue="2000000", indexPrice="1001"
        )
        yield tickers.frame("tickers", symbol, told, START_MS, TICKER)
    number = 0
    while True:
        number += 1
        at = START_MS + number * 10
        symbol = rng.choice(SYMBOLS)
        if number % 400 == 1:
            yield rest.frame("instruments", "*", _listed(number), at, REFERENCE, transport="rest")
        if number % 3 == 0:
            field, unit = rng.choice((("markPrice", 1e-3), ("openInterest", 1e-3), ("fundingRate", 1e-8)))
            changed = {field: f"{rng.randrange(1, 10**6) * unit:.8f}"}
            told = bybit_ticker(at, "delta", 100 + number, symbol, **changed)
            yield tickers.frame("tickers", symbol, told, at, TICKER)
        elif number % 10 == 1:
            told = binance_liquidation(at, rng.choice(("BUY", "SELL")), f"{number}", "1800", symbol)
            yield binance.frame("forceOrder", "*", told, at, LIQUIDATION)
        elif number % 10 == 5:
            told = okx_liquidation(at, rng.choice(SWAPS), "sell", f"{number}", "100")
            yield okx.frame("liquidation-orders", "*", told, at, LIQUIDATION)
        else:
            told = bybit_liquidation(at, (rng.choice(("Buy", "Sell")), f"{number}", "100"), symbol=symbol)
            yield feed.frame("allLiquidation", symbol, told, at, LIQUIDATION)


def _listed(number: int) -> dict[str, object]:
    """Return a list of contracts whose size another list changes: each row shows which list was known."""
    common = {
        "instType": "SWAP", "settleCcy": "USDT", "ctMult": "1", "ctType": "linear", "state": "live", "expTime": "",
        "listTime": "1600000000000", "baseCcy": "", "quoteCcy": "", "ruleType": "normal",
    }  # fmt: skip
    data = [
        {"instId": name, "uly": name[:-5], "instFamily": name[:-5], "ctVal": f"{0.01 * (number // 400 + 1):.2f}",
         "ctValCcy": name.partition("-")[0], **common}
        for name in SWAPS
    ]  # fmt: skip
    return {"code": "0", "msg": "", "data": data}
