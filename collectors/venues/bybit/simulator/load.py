"""Bybit: made-up liquidations, as frames."""

from collections.abc import Callable, Sequence

from collectors.simulator.contracts import Contract
from collectors.simulator.host import framed
from collectors.simulator.load import Frames, made_up

FRAME = b'{"topic":"allLiquidation.%b","type":"snapshot","ts":%d,"data":[{"T":%d,"s":"%b","S":"%b","v":"%b","p":"%b"}]}'


def frames(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    """Yield (topic, frame) for ever; every liquidation differs in size or time."""
    for number, contract, symbol, price, qty in made_up(contracts):
        ts, side = now(), b"Buy" if number & 1 else b"Sell"
        payload = FRAME % (symbol, ts, ts, symbol, side, qty, price)
        yield f"{contract.market}/allLiquidation.{contract.symbol}", framed(payload)
