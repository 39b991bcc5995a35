"""Faults, the control port, the load option and the command of the simulator."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from collectors.simulator import FaultError, Phases, Simulator

BUSY = Phases(calm_s=600, trickle=60)
TICKER = '{"op":"subscribe","args":["tickers.BTCUSDT"]}'


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    begin, started = time.time_ns() // 1_000_000, time.monotonic()
    clock: Callable[[], int] = lambda: begin + int((time.monotonic() - started) * 20_000)  # noqa: E731
    async with Simulator(seed=1, phases=BUSY, now=clock) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def bybit(simulator: Simulator) -> connect:
    return connect(simulator.env()["LIQ_BYBIT_WS"] + "/v5/public/linear", max_size=None)


async def subscribed(socket: ClientConnection) -> None:
    await socket.send(TICKER)
    await until(socket, lambda message: b"snapshot" in message)


async def until(socket: ClientConnection, wanted: Callable[[bytes], bool]) -> bytes:
    async with asyncio.timeout(60):
        while True:
            message = await socket.recv()
            message = message.encode() if isinstance(message, str) else message
            if wanted(message):
                return message


async def test_drop_cuts_without_a_close_frame_and_refuses_for_as_long_as_said(simulator: Simulator) -> None:
    async with bybit(simulator) as socket:
        await subscribed(socket)
        assert simulator.fault("drop", "bybit", seconds=0.5) == 1
        with pytest.raises(ConnectionClosed) as closed:
            await until(socket, lambda _: False)
        assert closed.value.rcvd is None
    with pytest.raises(InvalidStatus) as refused:
        await bybit(simulator)
    assert refused.value.response.status_code == 503
    async with asyncio.timeout(60):
        while True:
            try:
                async with bybit(simulator) as socket:
                    await subscribed(socket)
                break
            except InvalidStatus:
                continue


async def test_silent_keeps_the_line_up_and_answers_pings_but_sends_no_data(simulator: Simulator) -> None:
    async with bybit(simulator) as socket:
        await subscribed(socket)
        quiet_from = time.monotonic()
        simulator.fault("silent", "bybit", channel="tickers", seconds=0.6)
        await socket.send('{"op":"ping"}')
        await until(socket, lambda message: b"pong" in message)
        await until(socket, lambda message: b"tickers" in message)
        assert time.monotonic() - quiet_from > 0.5


async def test_half_open_neither_reads_nor_writes(simulator: Simulator) -> None:
    async with bybit(simulator) as socket:
        await subscribed(socket)
        assert simulator.fault("half_open", "bybit") == 1
        await socket.send('{"op":"ping"}')
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(until(socket, lambda message: b"pong" in message), 0.3)
        assert simulator.state()["clients"]["bybit"] == 1
        socket.transport.abort()


async def test_garbage_is_sent_between_good_frames(simulator: Simulator) -> None:
    async with bybit(simulator) as socket:
        await subscribed(socket)
        simulator.fault("garbage", "bybit", count=7)
        bad = [await until(socket, lambda message: not is_good(message)) for _ in range(7)]
        assert b"" in bad
        assert any(not message.isascii() for message in bad)
        await until(socket, is_good)


def is_good(message: bytes) -> bool:
    try:
        return str(orjson.loads(message)["topic"]).startswith("tickers")
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return False


async def test_a_big_frame_arrives_whole(simulator: Simulator) -> None:
    async with bybit(simulator) as socket:
        await subscribed(socket)
        simulator.fault("big_frame", "bybit", size=20 * 1024 * 1024)
        assert len(await until(socket, lambda message: b"filler" in message[:20])) == 20 * 1024 * 1024
        await until(socket, is_good)


async def test_a_topic_is_refused_as_often_as_said(simulator: Simulator) -> None:
    simulator.fault("refuse_topic", "bybit", channel="tickers.BTCUSDT", count=1)
    async with bybit(simulator) as socket:
        await socket.send(TICKER)
        assert orjson.loads(await socket.recv())["success"] is False
        await subscribed(socket)
    simulator.fault("refuse_topic", "okx", channel="mark-price", count=1)
    async with connect(simulator.env()["LIQ_OKX_WS"] + "/ws/v5/public") as socket:
        await socket.send('{"op":"subscribe","args":[{"channel":"mark-price","instId":"BTC-USDT-SWAP"}]}')
        assert orjson.loads(await socket.recv())["code"] == "60018"


async def test_an_okx_notice_announces_an_upgrade(simulator: Simulator) -> None:
    async with connect(simulator.env()["LIQ_OKX_WS"] + "/ws/v5/public") as socket:
        await socket.send("ping")
        await socket.recv()
        simulator.fault("notice", "okx")
        notice = orjson.loads(await socket.recv())
        assert (notice["event"], notice["code"]) == ("notice", "64008")


@pytest.mark.parametrize(
    ("kind", "venue", "path", "status", "says"),
    [
        ("http_429", "binance", "/fapi/v1/time", 429, b"-1003"),
        ("http_418", "binance", "/fapi/v1/time", 418, b"banned until"),
        ("http_403", "binance", "/fapi/v1/time", 403, b"Forbidden"),
        ("http_10006", "bybit", "/v5/market/time", 200, b"10006"),
        ("http_403", "bybit", "/v5/market/time", 403, b"access too frequent"),
        ("http_50011", "okx", "/api/v5/public/time", 200, b"50011"),
        ("http_429", "okx", "/api/v5/public/time", 429, b"50011"),
        ("http_500", "okx", "/api/v5/public/time", 500, b"50026"),
    ],
)
async def test_http_faults_hit_as_often_as_said(
    simulator: Simulator, http: httpx.AsyncClient, kind: str, venue: str, path: str, status: int, says: bytes
) -> None:
    host = "BINANCE_UM" if venue == "binance" else venue.upper()
    url = simulator.env()[f"LIQ_{host}_REST"] + path
    simulator.fault(kind, venue, channel="time", count=2)
    answers = [await http.get(url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert says in answers[0].content
    assert ("Retry-After" in answers[0].headers) == (venue == "binance" and status in (418, 429))
    assert says not in answers[2].content


async def test_the_control_port_takes_faults_and_tells_truth_and_state(
    simulator: Simulator, http: httpx.AsyncClient
) -> None:
    control = simulator.env()["LIQ_SIMULATOR"]
    async with bybit(simulator) as socket:
        await subscribed(socket)
        assert (await http.post(f"{control}/_fault", json={"kind": "drop", "venue": "bybit"})).json() == {"hit": 1}
    for wrong in ({"kind": "explode", "venue": "okx"}, {"kind": "drop", "venue": "kraken"}, {"kind": "drop"}, [1]):
        answer = await http.post(f"{control}/_fault", json=wrong)
        assert answer.status_code == 400
        assert answer.json()["error"]
    await http.post(f"{control}/_quiet")
    state: dict[str, Any] = {"pending": {"x": 1}}
    async with asyncio.timeout(60):
        while any(state["pending"].values()):
            state = (await http.get(f"{control}/_state")).json()
    assert state["phase"] == "calm"
    truth = (await http.get(f"{control}/_truth")).json()
    rows = [orjson.loads(line) for line in (await http.get(f"{control}/_truth", params={"rows": 1})).text.splitlines()]
    for venue, told in truth.items():
        of_venue = [row for row in rows if row["venue"] == venue]
        assert told["published"] == len(of_venue)
        for side in ("long", "short"):
            usd = sum(row["usd"] for row in of_venue if row["position_side"] == side)
            assert told["usd"][side] == pytest.approx(usd)


def test_a_wrong_fault_names_what_there_is() -> None:
    simulator = Simulator(phases=BUSY)
    with pytest.raises(FaultError, match="half_open"):
        simulator.fault("nonsense", "okx")


@pytest.mark.parametrize("venue", ["bybit", "binance"])
async def test_load_sends_the_rate_asked_for_and_every_liquidation_differs(venue: str) -> None:
    async with Simulator(phases=Phases(calm_s=600, trickle=0.001), rate={venue: 5000}) as simulator:
        env = simulator.env()
        url = env["LIQ_BYBIT_WS"] + "/v5/public/linear" if venue == "bybit" else env["LIQ_BINANCE_UM_WS"] + "/market/ws"
        symbols = [c.symbol for c in simulator.market.contracts if c.market == "linear"]
        asked = {"op": "subscribe", "args": [f"allLiquidation.{symbol}" for symbol in symbols]}
        if venue == "binance":
            asked = {"method": "SUBSCRIBE", "params": ["!forceOrder@arr"]}
        async with connect(url) as socket:
            await socket.send(orjson.dumps(asked).decode())
            await socket.recv()
            started = time.monotonic()
            frames = {await socket.recv() for _ in range(5000)}
            assert len(frames) == 5000
            assert time.monotonic() - started > 0.5
            socket.transport.abort()
        assert simulator.truth()[venue]["load_frames"] >= 5000


async def test_the_command_prints_settings_and_ends_on_sigterm(tmp_path: Path) -> None:
    code = "from collectors.simulator.cli import app; app(['--write-env', 'env', '--calm', '5'])"
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    lines = [(await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip() for _ in range(9)]
    settings = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    assert (tmp_path / "env").read_text().splitlines() == [line.removeprefix("export ") for line in lines]
    async with httpx.AsyncClient() as client:
        assert (await client.get(settings["LIQ_SIMULATOR"] + "/_state")).json()["phase"] == "calm"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_a_taken_port_is_an_error_in_one_line() -> None:
    async with Simulator(phases=BUSY) as simulator:
        port = int(simulator.env()["LIQ_BINANCE_UM_WS"].rsplit(":", 1)[1])
        with pytest.raises(OSError, match=str(port)):
            async with Simulator(phases=BUSY, port_base=port):
                pass
