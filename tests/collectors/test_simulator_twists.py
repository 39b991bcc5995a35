"""Frames that the simulated venues repeat, swap, cut and flood with, on demand."""

import asyncio
import time
from collections.abc import AsyncIterator

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collectors.simulator import Phases, Simulator
from collectors.simulator.faults import Fault
from collectors.simulator.host import framed
from collectors.simulator.twists import Twists

ASKED = {
    "binance": ("LIQ_BINANCE_UM_WS", "/market/ws", {"method": "SUBSCRIBE", "params": ["!forceOrder@arr"], "id": 1}),
    "bybit": ("LIQ_BYBIT_WS", "/v5/public/linear", {"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]}),
    "okx": ("LIQ_OKX_WS", "/ws/v5/public",
            {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]}),
}  # fmt: skip
CHANNEL = {"binance": "forceOrder", "bybit": "allLiquidation", "okx": "liquidation-orders"}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    begin, started = time.time_ns() // 1_000_000, time.monotonic()
    async with Simulator(
        seed=1, coins=["BTC"], phases=Phases(calm_s=600, trickle=10),
        now=lambda: begin + int((time.monotonic() - started) * 10_000),
    ) as running:  # fmt: skip
        yield running


async def _tickers(simulator: Simulator) -> ClientConnection:
    socket = await connect(simulator.env()["LIQ_BYBIT_WS"] + "/v5/public/linear", max_size=None)
    await socket.send('{"op":"subscribe","args":["tickers.BTCUSDT"]}')
    while b"snapshot" not in await _next(socket):
        pass
    return socket


async def _next(socket: ClientConnection) -> bytes:
    async with asyncio.timeout(60):
        message = await socket.recv(decode=False)
        return bytes(message)


async def _all(socket: ClientConnection) -> None:
    while True:
        await _next(socket)


async def test_the_next_frames_are_sent_twice_as_many_as_said(simulator: Simulator) -> None:
    socket = await _tickers(simulator)
    simulator.fault("repeat", "bybit", channel="tickers", count=2)
    frames = [await _next(socket) for _ in range(6)]
    while frames[0] != frames[1]:  # those that were on their way
        frames = [*frames[1:], await _next(socket)]
    assert frames[2] == frames[3] != frames[1]
    assert frames[4] != frames[5]
    await socket.close()


async def test_a_frame_is_sent_behind_the_one_that_follows_it(simulator: Simulator) -> None:
    socket = await _tickers(simulator)
    simulator.fault("reorder", "bybit")
    numbers = [orjson.loads(await _next(socket))["cs"] for _ in range(2)]
    while numbers[-2] < numbers[-1]:
        numbers.append(orjson.loads(await _next(socket))["cs"])
    after = [orjson.loads(await _next(socket))["cs"] for _ in range(3)]
    assert [numbers[-2], *after] == sorted([numbers[-2], *after])
    await socket.close()


async def test_a_cut_frame_is_no_json_and_the_line_goes_on(simulator: Simulator) -> None:
    socket = await _tickers(simulator)
    simulator.fault("cut_frame", "bybit")
    cut = await _next(socket)
    while cut.endswith(b"}"):
        cut = await _next(socket)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(cut)
    assert orjson.loads(await _next(socket))["type"] == "delta"
    await socket.close()


async def test_a_torn_frame_ends_the_line_without_a_word(simulator: Simulator) -> None:
    socket = await _tickers(simulator)
    simulator.fault("torn_frame", "bybit")
    with pytest.raises(ConnectionClosed) as closed:
        await _all(socket)
    assert closed.value.rcvd is None


@pytest.mark.parametrize("venue", list(ASKED))
async def test_a_flood_sends_so_many_liquidations_at_once(simulator: Simulator, venue: str) -> None:
    setting, path, asked = ASKED[venue]
    async with connect(simulator.env()[setting] + path) as socket:
        await socket.send(orjson.dumps(asked).decode())
        await _next(socket)
        simulator.quiet()
        before = simulator.truth()[venue]["load_frames"]
        assert simulator.fault("flood", venue, count=500) == 1
        frames: set[bytes] = set()
        while len(frames) < 500:
            frame = await _next(socket)
            if CHANNEL[venue].encode() in frame and b"event" not in frame:
                frames.add(frame)
        assert simulator.truth()[venue]["load_frames"] == before + 500


@pytest.mark.parametrize("venue", list(ASKED))
async def test_a_liquidation_whose_frame_is_cut_counts_as_sent_to_nobody(simulator: Simulator, venue: str) -> None:
    setting, path, asked = ASKED[venue]
    async with connect(simulator.env()[setting] + path) as socket:
        await socket.send(orjson.dumps(asked).decode())
        await _next(socket)
        already = len([row for row in simulator.record.rows if row.venue == venue])
        simulator.fault("cut_frame", venue, channel=CHANNEL[venue], count=10_000)
        async with asyncio.timeout(60):
            while len(rows := [row for row in simulator.record.rows if row.venue == venue]) < already + 5:
                await asyncio.sleep(0.01)
        assert {row.receivers for row in rows[already:]} == {0}


def test_a_fault_hits_only_frames_that_name_its_channel() -> None:
    twists = Twists()
    twists.add(Fault("repeat", "bybit", channel="allLiquidation"))
    ticker, liquidation = framed(b'{"topic":"tickers.X"}'), framed(b'{"topic":"allLiquidation.X"}')
    assert twists.take(ticker).data == ticker
    assert twists.take(liquidation).data == liquidation * 2
    assert not twists


@pytest.mark.parametrize("length", [10, 125, 126, 251, 252, 65_535, 65_536, 131_072, 140_000])
def test_the_half_of_a_frame_is_a_frame_again(length: int) -> None:
    twists = Twists()
    twists.add(Fault("cut_frame", "okx"))
    payload = b"x" * length
    assert twists.take(framed(payload)).data == framed(payload[: length // 2])
