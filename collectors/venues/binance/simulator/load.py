"""Binance: made-up liquidations, as frames."""

from collections.abc import Callable, Sequence

from collectors.simulator.contracts import Contract
from collectors.simulator.host import framed
from collectors.simulator.load import Frames, made_up

FRAME = (
    b'{"e":"forceOrder","E":%d,"o":{"s":"%b","S":"%b","o":"LIMIT","f":"IOC","q":"%b","p":"%b","ap":"%b","X":"FILLED",'
    b'"l":"%b","z":"%b","T":%d,"ps":"%b","st":1}}'
)


def frames(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    """Yield (stream, frame) of the all-market stream for ever, in the raw form."""
    for number, contract, symbol, price, qty in made_up(contracts):
        ts, side, pair = now(), b"SELL" if number & 1 else b"BUY", contract.pair.encode()
        yield "!forceOrder@arr", framed(FRAME % (ts, symbol, side, qty, price, price, qty, qty, ts, pair))
