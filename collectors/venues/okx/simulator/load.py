"""OKX: made-up liquidations, as frames."""

from collections.abc import Callable, Sequence

from collectors.simulator.contracts import Contract
from collectors.simulator.host import framed
from collectors.simulator.load import Frames, made_up

FRAME = (
    b'{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0","bkPx":"%b","ccy":"",'
    b'"posSide":"%b","side":"%b","sz":"%b","ts":"%d"}],"instFamily":"%b","instId":"%b","instType":"SWAP","uly":"%b"}]}'
)


def frames(contracts: Sequence[Contract], now: Callable[[], int]) -> Frames:
    """Yield (topic, frame) for ever, of perpetual swaps."""
    for number, contract, symbol, price, qty in made_up([c for c in contracts if c.market == "SWAP"]):
        sides = (b"long", b"sell") if number & 1 else (b"short", b"buy")
        family = contract.index.encode()
        yield "liquidation-orders:SWAP", framed(FRAME % (price, *sides, qty, now(), family, symbol, family))
