"""Frames for benchmarks, in the shapes the venues send; every one differs."""

import json
import random
from collections.abc import Iterator

from collectors.simulator.listing import listed
from collectors.simulator.market import Market
from collectors.simulator.script import Phases
from collectors.venues.bybit.simulator import frames as bybit_frames

SINCE_MS = 1_790_000_000_000
SYMBOLS = 40
QUOTES = ("bid1Price", "bid1Size", "ask1Price", "ask1Size")
CHANGES = (
    ("price24hPcnt", "openInterest", "fundingRate", *QUOTES),
    ("price24hPcnt", *QUOTES),
    ("markPrice", "indexPrice", "openInterestValue", "bid1Price", "bid1Size"),
    ("bid1Price", "bid1Size"),
    ("bid1Price", "bid1Size"),
)
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
    """Yield `tickers` frames: a snapshot of each contract as the simulator gives it, then deltas.

    What a delta changes is one of `CHANGES` in turn: the five deltas among the recorded lines changed just these fields.
    """
    market = Market(7, listed(TICKER_COINS, SINCE_MS), Phases(), SINCE_MS)
    contracts = [contract for contract in market.contracts if contract.venue == "bybit" and contract.interval_ms]
    rng = random.Random(7)
    for n in range(count):
        contract, delta = contracts[n % len(contracts)], n // len(contracts)
        data = bybit_frames.ticker(contract, market.quotes[contract], market.history, market.now, True)
        if delta:
            names = CHANGES[(delta + n) % len(CHANGES)]
            data = {"symbol": contract.symbol} | {name: _changed(data[name], rng) for name in names}
        message = {"topic": f"tickers.{contract.symbol}", "type": "delta" if delta else "snapshot", "data": data,
                   "cs": 10**10 + n, "ts": SINCE_MS + n}  # fmt: skip
        yield json.dumps(message, separators=(",", ":")).encode()


def _changed(text: str, rng: random.Random) -> str:
    places = len(text.partition(".")[2])
    return f"{float(text) * rng.uniform(0.99, 1.01):.{places}f}"


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
