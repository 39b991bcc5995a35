"""The Binance simulator, by a real WebSocket and HTTP client."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collectors.simulator import Limits, Phases, Simulator
from collectors.venues.binance.simulator import BinanceLimits

BUSY = Phases(calm_s=600, trickle=60)


def fast(speed: float = 20.0, wait_s: float = 0.0, start_ms: int | None = None) -> Callable[[], int]:
    """Return a clock that starts now (or at `start_ms`), after `wait_s`, and runs `speed` times as fast as the wall's."""
    begin = time.time_ns() // 1_000_000 if start_ms is None else start_ms
    started = time.monotonic() + wait_s
    return lambda: begin + int(max(0.0, time.monotonic() - started) * 1000 * speed)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(seed=1, phases=BUSY, now=fast()) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def um(simulator: Simulator, path: str = "/market/ws") -> connect:
    return connect(simulator.env()["LIQ_BINANCE_UM_WS"] + path)


def cm(simulator: Simulator, path: str = "/ws") -> connect:
    return connect(simulator.env()["LIQ_BINANCE_CM_WS"] + path)


async def ask(socket: ClientConnection, method: str, params: Any = None, number: Any = 1) -> Any:
    await socket.send(orjson.dumps({"method": method, "params": params or [], "id": number}).decode())
    return await until(
        socket, lambda message: isinstance(message, dict) and ("result" in message or "error" in message)
    )


async def until(socket: ClientConnection, wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while True:
            message = orjson.loads(await socket.recv())
            if wanted(message):
                return message


async def test_subscribe_list_and_unsubscribe_are_acknowledged(simulator: Simulator) -> None:
    async with um(simulator) as socket:
        assert await ask(socket, "SUBSCRIBE", ["btcusdt@forceOrder", "!markPrice@arr@1s"], 7) == {
            "result": None,
            "id": 7,
        }
        listed = await ask(socket, "LIST_SUBSCRIPTIONS", number=3)
        assert listed == {"result": ["btcusdt@forceOrder", "!markPrice@arr@1s"], "id": 3}
        await ask(socket, "UNSUBSCRIBE", ["btcusdt@forceOrder"], 4)
        assert (await ask(socket, "LIST_SUBSCRIPTIONS", number=5))["result"] == ["!markPrice@arr@1s"]


async def test_all_market_streams_carry_both_universes_on_both_hosts(simulator: Simulator) -> None:
    async with um(simulator) as one, cm(simulator) as other:
        for socket in (one, other):
            await ask(socket, "SUBSCRIBE", ["!markPrice@arr@1s"])
            marks = await until(socket, lambda message: isinstance(message, list))
            by_symbol = {mark["s"]: mark for mark in marks}
            assert by_symbol["BTCUSDT"]["st"] == 1
            assert by_symbol["BTCUSD_PERP"]["st"] == 2
            assert float(by_symbol["BTCUSDT"]["r"]) != 0
            delivery = next(mark for symbol, mark in by_symbol.items() if symbol.startswith("BTCUSD_2"))
            assert (delivery["r"], delivery["T"]) == ("", 0)
            delivery = next(mark for symbol, mark in by_symbol.items() if symbol.startswith("BTCUSDT_2"))
            assert (delivery["r"], delivery["T"]) == ("0.00000000", 0)


async def test_a_liquidation_is_one_object_with_st_and_ps_inside_o_a_second_after_it_happened(
    simulator: Simulator,
) -> None:
    async with um(simulator, "/market/stream?streams=!forceOrder@arr") as socket:
        seen: dict[int, Any] = {}
        while len(seen) < 2:
            message = await until(socket, lambda message: message.get("stream") == "!forceOrder@arr")
            order = message["data"]["o"]
            seen[order["st"]] = order
            assert 0 <= message["data"]["E"] - order["T"] <= 1010
            assert {"s", "S", "o", "f", "q", "p", "ap", "X", "l", "z", "T", "ps", "st"} == order.keys()
        assert seen[2]["ps"] in ("BTCUSD", "ETHUSD", "XRPUSD")


async def test_at_most_one_liquidation_a_second_and_symbol(simulator: Simulator) -> None:
    async with um(simulator, "/market/ws/!forceOrder@arr") as socket:
        times: dict[str, list[int]] = {}
        for _ in range(60):
            event = await until(socket, lambda message: message.get("e") == "forceOrder")
            times.setdefault(event["o"]["s"], []).append(event["E"])
        assert all(b - a >= 1000 for stamps in times.values() for a, b in itertools.pairwise(stamps))


MARKS = "!markPrice@arr@1s"


@pytest.mark.parametrize(
    ("path", "stream"),
    [("/ws", MARKS), ("/stream", MARKS), ("/public/ws", MARKS), ("/market/ws", "BTCUSDT@markPrice@1s")],
)
async def test_a_wrong_route_or_an_upper_case_symbol_is_acknowledged_and_silent(
    simulator: Simulator, path: str, stream: str
) -> None:
    async with um(simulator, path) as socket, um(simulator) as good:
        assert await ask(socket, "SUBSCRIBE", [stream]) == {"result": None, "id": 1}
        await ask(good, "SUBSCRIBE", ["btcusdt@markPrice@1s"])
        for _ in range(2):
            assert (await until(good, lambda message: "e" in message))["s"] == "BTCUSDT"
        assert (await ask(socket, "LIST_SUBSCRIPTIONS", number=2))["result"] == [stream]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.05)


async def test_set_property_switches_to_combined_frames(simulator: Simulator) -> None:
    async with um(simulator, "/market/ws/btcusdt@markPrice@1s") as socket:
        assert "e" in await until(socket, lambda message: True)
        assert await ask(socket, "GET_PROPERTY", ["combined"]) == {"result": False, "id": 1}
        assert await ask(socket, "SET_PROPERTY", ["combined", True], 5) == {"result": None, "id": 5}
        message = await until(socket, lambda message: "stream" in message)
        assert message["stream"] == "btcusdt@markPrice@1s"


@pytest.mark.parametrize(
    ("request_text", "code"),
    [
        ("{", 3),
        ('{"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":["x"],"id":"one"}', 2),
        ('{"method":"NO","id":1}', 2),
        ('{"method":"SET_PROPERTY","params":["colour",true],"id":1}', 0),
        ('{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1),
    ],
)
async def test_a_bad_request_is_answered_with_its_code(simulator: Simulator, request_text: str, code: int) -> None:
    async with um(simulator) as socket:
        await socket.send(request_text)
        assert orjson.loads(await socket.recv())["error"]["code"] == code


async def test_more_than_ten_messages_a_second_cut_the_connection(simulator: Simulator) -> None:
    async with um(simulator) as socket:
        with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 (which message is one too many is the server's to say)
            for number in range(40):
                await ask(socket, "LIST_SUBSCRIPTIONS", number=number)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_too_many_streams_are_refused() -> None:
    limits = Limits(binance=BinanceLimits(streams=200))
    async with Simulator(phases=BUSY, limits=limits) as simulator, um(simulator) as socket:
        answer = await ask(socket, "SUBSCRIBE", [f"x{number}@kline_1m" for number in range(201)])
        assert answer == {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 1}


async def test_the_server_pings_and_cuts_who_does_not_answer() -> None:
    limits = Limits(binance=BinanceLimits(ping_s=0.1, pong_s=0.5))
    async with Simulator(phases=BUSY, limits=limits, now=fast()) as simulator:
        async with um(simulator, "/market/ws/btcusdt@markPrice@1s") as socket:
            opened = time.monotonic()
            while time.monotonic() < opened + 1.5:
                await until(socket, lambda message: True)
        async with um(simulator) as socket:
            socket.transport.pause_reading()
            async with asyncio.timeout(60):
                while simulator.state()["clients"]["um"]:
                    await asyncio.sleep(0.02)
            socket.transport.abort()


async def test_a_kline_stream_gives_the_running_candle_and_its_close() -> None:
    minute = 1_795_000_020_000
    async with (
        Simulator(phases=BUSY, now=fast(wait_s=0.3, start_ms=minute + 57_000)) as simulator,
        um(simulator, "/market/ws/btcusdt@kline_1m") as socket,
    ):
        running = (await until(socket, lambda message: not message["k"]["x"]))["k"]
        closed = (await until(socket, lambda message: message["k"]["x"]))["k"]
        assert (closed["t"], closed["T"]) == (running["t"], running["t"] + 59_999)
        assert (closed["t"] - minute) % 60_000 == 0


async def test_what_a_client_receives_is_what_the_truth_says() -> None:
    phases = Phases(calm_s=1, cascade_s=3, aftermath_s=1, burst_s=2, burst=400)
    async with Simulator(seed=2, phases=phases, now=fast(2, 0.5), then="quiet") as simulator, um(simulator) as socket:
        await ask(socket, "SUBSCRIBE", ["!forceOrder@arr"])
        seen: list[dict[str, Any]] = []
        reader = asyncio.create_task(orders(socket, seen))
        await asyncio.wait_for(simulator.finished.wait(), 60)
        async with asyncio.timeout(60):
            while simulator.truth()["binance"]["pending"] or len(seen) < len(rows(simulator)):
                await asyncio.sleep(0.02)
        reader.cancel()
        assert len(seen) > 30
        assert [(o["s"], o["T"], o["ap"], o["z"]) for o in seen] == [
            (r.symbol, r.ts, r.price, r.qty_raw) for r in rows(simulator)
        ]
        assert all(
            ("long" if o["S"] == "SELL" else "short") == r.position_side
            for o, r in zip(seen, rows(simulator), strict=True)
        )
        assert all(row.receivers == 1 for row in rows(simulator))
        assert simulator.truth()["binance"]["sent"] == len(seen)


async def orders(socket: ClientConnection, seen: list[dict[str, Any]]) -> None:
    while True:
        seen.append((await until(socket, lambda message: message.get("e") == "forceOrder"))["o"])


def rows(simulator: Simulator) -> list[Any]:
    return [row for row in simulator.record.rows if row.venue == "binance"]


async def test_rest_answers_both_universes_and_says_its_weight(simulator: Simulator, http: httpx.AsyncClient) -> None:
    fapi, dapi = simulator.env()["LIQ_BINANCE_UM_REST"], simulator.env()["LIQ_BINANCE_CM_REST"]
    info = await http.get(f"{fapi}/fapi/v1/exchangeInfo")
    assert info.headers["X-MBX-USED-WEIGHT-1M"] == "1"
    assert {s["symbol"] for s in info.json()["symbols"]} > {"BTCUSDT", "1000PEPEUSDT", "BTCUSDC"}
    contracts = (await http.get(f"{dapi}/dapi/v1/exchangeInfo")).json()["symbols"]
    assert {s["symbol"]: s["contractSize"] for s in contracts}["BTCUSD_PERP"] == 100
    interest = (await http.get(f"{dapi}/dapi/v1/openInterest", params={"symbol": "BTCUSD_PERP"})).json()
    history = (
        await http.get(
            f"{dapi}/futures/data/openInterestHist",
            params={"pair": "BTCUSD", "contractType": "PERPETUAL", "period": "5m"},
        )
    ).json()
    assert len(history) == 30
    assert float(interest["openInterest"]) == pytest.approx(float(history[-1]["sumOpenInterest"]), rel=0.05)
    premium = (await http.get(f"{fapi}/fapi/v1/premiumIndex")).json()
    assert len(premium) == 26
    assert (await http.get(f"{fapi}/fapi/v1/openInterest", params={"symbol": "NOPE"})).json() == {
        "code": -1121,
        "msg": "Invalid symbol.",
    }
    assert (await http.get(f"{fapi}/fapi/v1/openInterest")).status_code == 400


async def test_funding_history_pages_forward_from_start_time(simulator: Simulator, http: httpx.AsyncClient) -> None:
    url = simulator.env()["LIQ_BINANCE_UM_REST"] + "/fapi/v1/fundingRate"
    start = simulator.now() - 10 * 24 * 3_600_000
    page = (await http.get(url, params={"symbol": "BTCUSDT", "startTime": start, "limit": 10})).json()
    times = [row["fundingTime"] for row in page]
    assert times == sorted(times)
    assert len(times) == 10
    assert start <= times[0] < start + 8 * 3_600_000 + 20
    newest = (await http.get(url, params={"symbol": "BTCUSDT", "limit": 2})).json()
    assert newest[-1]["fundingTime"] > times[-1]
    listed = (await http.get(simulator.env()["LIQ_BINANCE_UM_REST"] + "/fapi/v1/fundingInfo")).json()
    assert {row["symbol"]: row["fundingIntervalHours"] for row in listed}["AAVEUSDT"] == 1
    assert "BTCUSDT" not in {row["symbol"] for row in listed}


async def test_klines_meet_and_the_ladder_goes_from_429_to_418(http: httpx.AsyncClient) -> None:
    async with Simulator(phases=BUSY, limits=Limits(binance=BinanceLimits(weight=30))) as simulator:
        url = simulator.env()["LIQ_BINANCE_UM_REST"]
        rows = (
            await http.get(f"{url}/fapi/v1/klines", params={"symbol": "ETHUSDT", "interval": "1m", "limit": 99})
        ).json()
        assert [row[0] for row in rows] == list(range(rows[0][0], rows[-1][0] + 1, 60_000))
        assert all(b[1] == a[4] for a, b in itertools.pairwise(rows[:-1]))
        statuses = []
        for _ in range(60):
            answer = await http.get(f"{url}/fapi/v1/time")
            statuses.append(answer.status_code)
            if answer.status_code != 200:
                assert int(answer.headers["Retry-After"]) > 0
                assert answer.json()["code"] == -1003
        assert sorted(set(statuses), key=statuses.index) == [200, 429, 418]


def test_limits_are_the_documented_ones() -> None:
    assert msgspec.to_builtins(BinanceLimits()) == {
        "messages_per_second": 10, "streams": 1024, "ping_s": 180.0, "pong_s": 600.0, "lifetime_s": 86400.0,
        "weight": 2400, "slow_s": 2, "ban_s": 120,
    }  # fmt: skip
