"""Other traffic: changes of tickers at a set rate, as Bybit sends them, beside what the simulator's market does."""

import asyncio
import time

from collectors.simulator import Simulator
from tests.chaos.beside import Beside

TICK_S = 0.01


class Tickers(Beside):
    """`written`: frames that somebody listened to."""

    def __init__(self, simulator: Simulator, rate: float) -> None:
        self.written = 0
        self._simulator = simulator
        self._rate = rate
        self._contracts = [each for each in simulator.market.contracts if each.venue == "bybit"]

    async def run(self) -> None:
        """Send at the rate."""
        began, due = time.perf_counter(), 0
        while True:
            await asyncio.sleep(TICK_S)
            now_due = int((time.perf_counter() - began) * self._rate)
            for number in range(due, now_due):
                contract = self._contracts[number % len(self._contracts)]
                changed = {"bid1Size": str(number), "bid1Price": contract.price_text(contract.coin.price)}
                self.written += self._simulator.tick(contract, changed)
            due = now_due
