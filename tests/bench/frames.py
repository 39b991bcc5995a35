"""Frames for benchmarks, in the shapes the venues send; every one differs."""

import json
import random
from collections.abc import Iterator

from collectors.simulator import bybit_frames
from collectors.simulator.market import Market
from collectors.simulator.script import Phases

SINCE_MS = 1_790_000_000_000
SYMBOLS = 40
TICKER_COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "PEPE", "BNB", "ADA")


def received_ns(number: int) -> int:
    """Return when frame `number` is said to have come, UTC nanoseconds; later than any time inside it."""
    return (SINCE_MS + number * 1_000 + 60_000) * 1_000_000


def bybit_liquidations(count: int) -> Iterator[bytes]:
    """Yield `allLiquidation` frames of one item, which is what most hold."""
    for n in range(count):
        at, symbol, side = SINCE_MS + n // 20, f"COIN{n % SYMBOLS}USDT", "Buy" if n % 3 else "Sell"
        yield (
            f'{{"topic":"allLiquidation.{symbol}","type":"snapshot","ts":{at + 7},"data":[{{"T":{at},"s":"{symbol}",'
            f'"S":"{side}","v":"{_qty(n)}","p":"{_price(n)}"}}]}}'
        ).encode()


def binance_liquidations(count: int) -> Iterator[bytes]:
    """Yield `forceOrder` frames in the combined form, which tardis-dev needs."""
    for n in range(count):
        at, symbol, side, qty = SINCE_MS + n // 20, f"COIN{n % SYMBOLS}USDT", "BUY" if n % 3 else "SELL", _qty(n)
        yield (
            f'{{"stream":"{symbol.lower()}@forceOrder","data":{{"e":"forceOrder","E":{at + 7},"o":{{"s":"{symbol}",'
            f'"S":"{side}","o":"LIMIT","f":"IOC","q":"{qty}","p":"{_price(n + 99)}","ap":"{_price(n)}","X":"FILLED",'
            f'"l":"{qty}","z":"{qty}","T":{at},"ps":"{symbol}","st":1}}}}}}'
        ).encode()


def okx_liquidations(count: int) -> Iterator[bytes]:
    """Yield `liquidation-orders` frames of one instrument with one detail."""
    for n in range(count):
        at, family = SINCE_MS + n // 20, f"COIN{n % SYMBOLS}-USDT"
        side, position = ("buy", "short") if n % 3 else ("sell", "long")
        yield (
            f'{{"arg":{{"channel":"liquidation-orders","instType":"SWAP"}},"data":[{{"details":[{{"bkLoss":"0",'
            f'"bkPx":"{_price(n)}","ccy":"","posSide":"{position}","side":"{side}","sz":"{_qty(n)}","ts":"{at}"}}],'
            f'"instFamily":"{family}","instId":"{family}-SWAP","instType":"SWAP","uly":"{family}"}}]}}'
        ).encode()


def bybit_tickers(count: int) -> Iterator[bytes]:
    """Yield `tickers` frames of the simulated market: a snapshot of each contract, then every 100 ms what changed."""
    market = Market(7, TICKER_COINS, Phases(), SINCE_MS)
    contracts = [contract for contract in market.contracts if contract.venue == "bybit"]
    shown: dict[str, dict[str, str]] = {}
    made = 0
    while made < count:
        market.advance(market.now + 100)
        for contract in contracts:
            fields = bybit_frames.ticker(contract, market.quotes[contract], market.history, market.now, True)
            before = shown.get(contract.symbol)
            data = fields if before is None else {k: v for k, v in fields.items() if before.get(k) != v}
            shown[contract.symbol] = fields
            if made < count and data:
                made += 1
                kind = "snapshot" if before is None else "delta"
                yield json.dumps(
                    {"topic": f"tickers.{contract.symbol}", "type": kind, "data": {"symbol": contract.symbol, **data},
                     "cs": 10**10 + made, "ts": market.now}, separators=(",", ":"),
                ).encode()  # fmt: skip


def binance_marks(count: int, symbols: int) -> Iterator[bytes]:
    """Yield `!markPrice@arr` frames of so many symbols."""
    rng = random.Random(7)
    for n in range(count):
        at = SINCE_MS + n * 1000
        yield json.dumps([
            {"e": "markPriceUpdate", "E": at, "s": f"COIN{k}USDT", "p": _eight(rng), "ap": _eight(rng), "P": _eight(rng),
             "i": _eight(rng), "r": f"{rng.uniform(-1e-3, 1e-3):.8f}", "T": SINCE_MS + 28_800_000, "st": 1}
            for k in range(symbols)
        ], separators=(",", ":")).encode()  # fmt: skip


def _eight(rng: random.Random) -> str:
    return f"{rng.uniform(1, 60_000):.8f}"


def _qty(n: int) -> str:
    return f"{n % 977 / 1000 + 0.001:.3f}"


def _price(n: int) -> str:
    return f"{58_000 + n % 8191 / 10:.1f}"
