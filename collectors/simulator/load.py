"""Liquidation frames at a set rate, without a feed's throttle: for measuring what reads them."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from collectors.simulator.contracts import Contract
from collectors.simulator.host import Client, Host
from collectors.simulator.truth import Truth

TICK_S = 0.005
FULL_BYTES = 1 << 20
MOST_A_TICK = 5000
MOST_TOPICS = 100
Frames = Iterator[tuple[str, bytes]]
"""Topics, and frames encoded for the wire."""


class MadeUp(NamedTuple):
    """A liquidation that did not happen: the `number` of it, its contract, and as written symbol, price and quantity."""

    number: int
    contract: Contract
    symbol: bytes
    price: bytes
    qty: bytes


def made_up(contracts: Sequence[Contract]) -> Iterator[MadeUp]:
    """Yield liquidations of each contract in turn for ever; those of one differ in quantity."""
    turn = itertools.cycle([(c, c.symbol.encode(), c.price_text(c.coin.price).encode()) for c in contracts])
    for number in itertools.count(1):
        contract, symbol, price = next(turn)
        qty = contract.qty_text((1 + number % 100_000) * contract.step).encode()
        yield MadeUp(number, contract, symbol, price, qty)


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
