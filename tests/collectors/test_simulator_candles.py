"""Every candle's close is pushed, by every venue, however far apart the pushes are."""

import asyncio
import time

import orjson
import pytest
from websockets import connect

from collectors.simulator import Phases, Simulator

MINUTE = 1_795_000_020_000
ASKED = {
    "binance": ("LIQ_BINANCE_UM_WS", "/market/ws", {"method": "SUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1}),
    "bybit": ("LIQ_BYBIT_WS", "/v5/public/linear", {"op": "subscribe", "args": ["kline.1.BTCUSDT"]}),
    "okx": ("LIQ_OKX_WS", "/ws/v5/business", {"op": "subscribe", "args": [{"channel": "candle1m", "instId": "BTC-USDT-SWAP"}]}),
}  # fmt: skip


def closed(venue: str, text: str | bytes) -> int | None:
    """Return when the candle of `text` began, in ms, if it is over."""
    message = orjson.loads(text)
    if venue == "binance":
        return message["k"]["t"] if message.get("e") == "kline" and message["k"]["x"] else None
    if "data" not in message:
        return None
    candle = message["data"][0]
    if venue == "bybit":
        return candle["start"] if candle["confirm"] else None
    return int(candle[0]) if candle[8] == "1" else None


@pytest.mark.parametrize("venue", ASKED)
async def test_every_candle_is_closed(venue: str) -> None:
    started = time.monotonic()
    host, path, request = ASKED[venue]
    found: set[int] = set()
    async with (
        Simulator(
            phases=Phases(calm_s=600), now=lambda: MINUTE + int((time.monotonic() - started) * 400_000)
        ) as simulator,
        connect(simulator.env()[host] + path) as socket,
        asyncio.timeout(60),
    ):
        await socket.send(orjson.dumps(request).decode())
        while len(found) < 5:
            if (began := closed(venue, await socket.recv())) is not None:
                found.add(began)
    assert sorted(found) == list(range(min(found), min(found) + 5 * 60_000, 60_000))
