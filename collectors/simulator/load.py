"""Liquidation frames at a set rate, without a feed's throttle: for measuring what reads them."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator

from collectors.simulator.contracts import Contract
from collectors.simulator.host import Client, Host, framed
from collectors.simulator.truth import Truth

TICK_S = 0.005
FULL_BYTES = 1 << 20
MOST_A_TICK = 5000
MOST_TOPICS = 100
_BYBIT = (
    b'{"topic":"allLiquidation.%b","type":"snapshot","ts":%d,"data":[{"T":%d,"s":"%b","S":"%b","v":"%b","p":"%b"}]}'
)
_BINANCE = (
    b'{"e":"forceOrder","E":%d,"o":{"s":"%b","S":"%b","o":"LIMIT","f":"IOC","q":"%b","p":"%b","ap":"%b","X":"FILLED",'
    b'"l":"%b","z":"%b","T":%d,"ps":"%b","st":1}}'
)
_OKX = (
    b'{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0","bkPx":"%b","ccy":"",'
    b'"posSide":"%b","side":"%b","sz":"%b","ts":"%d"}],"instFamily":"%b","instId":"%b","instType":"SWAP","uly":"%b"}]}'
)
Frames = Iterator[tuple[str, bytes]]


def bybit_frames(contracts: list[Contract], now: Callable[[], int]) -> Frames:
    """Yield (topic, frame) for ever; every liquidation differs in size or time."""
    turn = itertools.cycle([(c, c.symbol.encode(), c.price_text(c.coin.price).encode()) for c in contracts])
    for number in itertools.count(1):
        contract, symbol, price = next(turn)
        ts, side = now(), b"Buy" if number & 1 else b"Sell"
        payload = _BYBIT % (symbol, ts, ts, symbol, side, _qty(contract, number), price)
        yield f"{contract.market}/allLiquidation.{contract.symbol}", framed(payload)


def binance_frames(contracts: list[Contract], now: Callable[[], int]) -> Frames:
    """Yield (stream, frame) of the all-market stream for ever, in the raw form."""
    turn = itertools.cycle([(c, c.symbol.encode(), c.price_text(c.coin.price).encode()) for c in contracts])
    for number in itertools.count(1):
        contract, symbol, price = next(turn)
        ts, side, qty = now(), b"SELL" if number & 1 else b"BUY", _qty(contract, number)
        yield (
            "!forceOrder@arr",
            framed(_BINANCE % (ts, symbol, side, qty, price, price, qty, qty, ts, contract.pair.encode())),
        )


def okx_frames(contracts: list[Contract], now: Callable[[], int]) -> Frames:
    """Yield (topic, frame) for ever, of perpetual swaps."""
    swaps = [c for c in contracts if c.market == "SWAP"]
    turn = itertools.cycle([(c, c.symbol.encode(), c.price_text(c.coin.price).encode()) for c in swaps])
    for number in itertools.count(1):
        contract, symbol, price = next(turn)
        sides = (b"long", b"sell") if number & 1 else (b"short", b"buy")
        family = contract.index.encode()
        yield (
            "liquidation-orders:SWAP",
            framed(_OKX % (price, *sides, _qty(contract, number), now(), family, symbol, family)),
        )


FRAMES = {"binance": binance_frames, "bybit": bybit_frames, "okx": okx_frames}


def flood(host: Host, frames: Frames, count: int) -> int:
    """Write `count` frames of topics that somebody listens to at once, to each who does; return how many were written."""
    heard = (listened for topic, frame in itertools.islice(frames, count * MOST_TOPICS)
             if (listened := [(client, frame) for client in host.listeners(topic)]))  # fmt: skip
    return sum(client.write(frame) for found in itertools.islice(heard, count) for client, frame in found)


class Load:
    """Writes up to `rate` frames a second to each socket that listens; a socket with a full buffer is left out."""

    def __init__(self, venue: str, host: Host, frames: Frames, rate: float, truth: Truth) -> None:
        self._venue = venue
        self._host = host
        self._frames = frames
        self._rate = rate
        self._truth = truth

    async def run(self) -> None:
        """Send until cancelled; starts to count time when somebody listens."""
        last = time.perf_counter()
        owed = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            owed = min(owed + (now - last) * self._rate, max(1.0, self._rate / 5))
            last = now
            count = min(int(owed), MOST_A_TICK)
            if count and any(map(self._room, self._host.clients)):
                owed -= count
                self._send(count)

    def _send(self, count: int) -> None:
        batches: dict[Client, list[bytes]] = {}
        for topic, frame in itertools.islice(self._frames, count):
            for client in self._host.topics.get(topic, ()):
                batches.setdefault(client, []).append(frame)
        for client, frames in batches.items():
            if self._room(client) and client.write(b"".join(frames)):
                self._truth.load[self._venue] += len(frames)

    @staticmethod
    def _room(client: Client) -> bool:
        return client.connection.transport.get_write_buffer_size() < FULL_BYTES


def _qty(contract: Contract, number: int) -> bytes:
    return contract.qty_text((1 + number % 100_000) * contract.step).encode()
