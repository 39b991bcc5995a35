"""The Bybit simulator, by a real WebSocket and HTTP client."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collectors.simulator import Limits, Phases, Simulator
from collectors.venues.bybit.simulator import BybitLimits

BUSY = Phases(calm_s=600, trickle=60)


def fast(speed: float = 20.0, wait_s: float = 0.0) -> Callable[[], int]:
    """Return a clock that starts after `wait_s` and runs `speed` times as fast as the wall's."""
    begin, started = time.time_ns() // 1_000_000, time.monotonic() + wait_s
    return lambda: begin + int(max(0.0, time.monotonic() - started) * 1000 * speed)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(seed=1, phases=BUSY, now=fast()) as running:
        yield running


@pytest.fixture
async def get(simulator: Simulator) -> AsyncIterator[Callable[..., Any]]:
    async with httpx.AsyncClient(base_url=simulator.env()["LIQ_BYBIT_REST"] + "/v5/market/") as client:

        async def answer(path: str, **params: Any) -> Any:
            body = (await client.get(path, params=params)).json()
            return body["result"] if body["retCode"] == 0 else body

        yield answer


def public(simulator: Simulator, category: str = "linear") -> connect:
    return connect(f"{simulator.env()['LIQ_BYBIT_WS']}/v5/public/{category}")


def symbols(simulator: Simulator, category: str = "linear") -> list[str]:
    return [contract.symbol for contract in simulator.market.contracts if contract.market == category]


async def ask(socket: ClientConnection, op: str, args: list[str] | None = None, req_id: str | None = "r") -> Any:
    request = {"op": op} | ({"args": args} if args is not None else {}) | ({"req_id": req_id} if req_id else {})
    await socket.send(orjson.dumps(request).decode())
    return await until(socket, lambda message: "success" in message)


async def until(socket: ClientConnection, wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while True:
            message = orjson.loads(await socket.recv())
            if wanted(message):
                return message


async def test_an_ack_names_no_topic_and_echoes_req_id(simulator: Simulator) -> None:
    async with public(simulator) as socket:
        ack = await ask(socket, "subscribe", ["allLiquidation.BTCUSDT"], "liq-1")
        assert ack == {"success": True, "ret_msg": "", "conn_id": ack["conn_id"], "req_id": "liq-1", "op": "subscribe"}
        pong = await ask(socket, "ping", req_id=None)
        assert pong == {"success": True, "ret_msg": "pong", "conn_id": ack["conn_id"], "req_id": "", "op": "ping"}


@pytest.mark.parametrize("bad", ["allLiquidation.NOPEUSDT", "liquidation.BTCUSDT", "allLiquidation.BTCUSD"])
async def test_one_unknown_topic_rejects_the_whole_request(simulator: Simulator, bad: str) -> None:
    async with public(simulator) as socket:
        ack = await ask(socket, "subscribe", ["tickers.BTCUSDT", bad])
        assert ack["success"] is False
        assert bad in ack["ret_msg"]
        assert (await ask(socket, "subscribe", ["tickers.BTCUSDT"]))["success"] is True
        again = await ask(socket, "subscribe", ["tickers.BTCUSDT"])
        assert (again["success"], again["ret_msg"]) == (False, "error:already subscribed,topic:tickers.BTCUSDT")


async def test_the_topics_of_a_connection_may_hold_21000_characters() -> None:
    limits = Limits(bybit=BybitLimits(args_characters=100))
    async with Simulator(phases=BUSY, limits=limits) as simulator, public(simulator) as socket:
        names = [f"allLiquidation.{symbol}" for symbol in symbols(simulator)]
        assert (await ask(socket, "subscribe", names[:4]))["success"] is True
        assert (await ask(socket, "subscribe", names[4:8]))["success"] is False
    assert BybitLimits().args_characters == 21_000


async def test_a_ticker_is_a_snapshot_and_then_only_what_changed(simulator: Simulator) -> None:
    async with public(simulator) as socket:
        await ask(socket, "subscribe", ["tickers.BTCUSDT"])
        first = await until(socket, lambda message: "topic" in message)
        assert first["type"] == "snapshot"
        assert {"fundingRate", "openInterest", "singleOpenInterest", "markPrice", "nextFundingTime"} <= first[
            "data"
        ].keys()
        assert float(first["data"]["openInterest"]) == pytest.approx(2 * float(first["data"]["singleOpenInterest"]))
        state, sequence = first["data"], first["cs"]
        for _ in range(20):
            delta = await until(socket, lambda message: message.get("type") == "delta")
            changed = {name: value for name, value in delta["data"].items() if name != "symbol"}
            assert changed
            assert all(state[name] != value for name, value in changed.items())
            assert len(changed) < len(state) - 5
            assert delta["cs"] > sequence
            state, sequence = state | changed, delta["cs"]


async def test_a_kline_is_pushed_every_second_until_it_is_confirmed(simulator: Simulator) -> None:
    async with public(simulator, "inverse") as socket:
        await ask(socket, "subscribe", ["kline.1.BTCUSD"])
        running = await until(socket, lambda message: "topic" in message)
        assert (running["topic"], running["data"][0]["interval"]) == ("kline.1.BTCUSD", "1")
        over = await until(socket, lambda message: "topic" in message and message["data"][0]["confirm"])
    candle = over["data"][0]
    assert candle["end"] - candle["start"] == 59_999
    assert float(candle["turnover"]) * float(candle["close"]) == pytest.approx(float(candle["volume"]), rel=0.01)


async def test_a_second_subscriber_can_build_the_same_state_from_its_snapshot(simulator: Simulator) -> None:
    async with public(simulator) as one, public(simulator) as other:
        for socket in (one, other):
            await ask(socket, "subscribe", ["tickers.ETHUSDT"])
        snapshot = await until(other, lambda message: "topic" in message)
        first, second = await state_after(one, snapshot["cs"]), snapshot["data"] | {"cs": snapshot["cs"]}
        if first["cs"] > second["cs"]:
            second = await state_after(other, first["cs"], second)
        assert first == second


async def state_after(socket: ClientConnection, sequence: int, state: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the state with the first frame that has this number or a later one."""
    state = dict(state or {})
    while state.get("cs", 0) < sequence:
        frame = await until(socket, lambda message: "topic" in message)
        state |= frame["data"] | {"cs": frame["cs"]}
    return state


async def test_delivery_contracts_have_no_funding_and_inverse_counts_in_usd(simulator: Simulator) -> None:
    delivery = next(symbol for symbol in symbols(simulator, "inverse") if symbol[-1].isdigit())
    async with public(simulator, "inverse") as socket:
        await ask(socket, "subscribe", [f"tickers.{delivery}", "tickers.BTCUSD"])
        data = (await until(socket, lambda message: message.get("topic") == f"tickers.{delivery}"))["data"]
        assert (data["fundingRate"], data["nextFundingTime"]) == ("", "")
        data = (await until(socket, lambda message: message.get("topic") == "tickers.BTCUSD"))["data"]
        value = float(data["openInterest"]) / float(data["markPrice"])
        assert value == pytest.approx(float(data["openInterestValue"]), rel=1e-3)


async def test_who_sends_no_ping_and_gets_nothing_is_cut() -> None:
    limits = Limits(bybit=BybitLimits(idle_s=0.3))
    async with (
        Simulator(phases=BUSY, limits=limits) as simulator,
        public(simulator) as idle,
        public(simulator) as alive,
    ):
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(pinging(idle, alive), 60)
        assert (await ask(alive, "ping"))["ret_msg"] == "pong"


async def pinging(idle: ClientConnection, alive: ClientConnection) -> None:
    while True:
        await ask(alive, "ping")
        try:
            async with asyncio.timeout(0.05):
                await idle.recv()
        except TimeoutError:
            continue


async def test_everything_that_happened_arrives_in_batches_and_equals_the_truth() -> None:
    phases = Phases(calm_s=1, cascade_s=4, aftermath_s=1, burst_s=2, burst=800)
    async with (
        Simulator(seed=2, phases=phases, now=fast(3, 0.5), then="quiet") as simulator,
        public(simulator) as linear,
        public(simulator, "inverse") as inverse,
    ):
        for socket, category in ((linear, "linear"), (inverse, "inverse")):
            await ask(socket, "subscribe", [f"allLiquidation.{symbol}" for symbol in symbols(simulator, category)])
        frames: list[Any] = []
        readers = [asyncio.create_task(read(socket, frames)) for socket in (linear, inverse)]
        await asyncio.wait_for(simulator.finished.wait(), 60)
        async with asyncio.timeout(60):
            while not settled(simulator, frames):
                await asyncio.sleep(0.02)
        for reader in readers:
            reader.cancel()
        seen = sorted((i["s"], i["T"], i["S"], i["v"], i["p"]) for i in items(frames))
        rows = [row for row in simulator.record.rows if row.venue == "bybit"]
        sides = {"long": "Buy", "short": "Sell"}
        assert seen == sorted((r.symbol, r.ts, sides[r.position_side], r.qty_raw, r.price) for r in rows)
        assert any(len(frame["data"]) > 1 for frame in frames)
        assert len(set(seen)) < len(seen), "some are identical"
        assert all(frame["ts"] >= item["T"] for frame in frames for item in frame["data"])


def settled(simulator: Simulator, frames: list[Any]) -> bool:
    truth = simulator.truth()["bybit"]
    return truth["pending"] == 0 and len(items(frames)) == truth["sent"]


async def read(socket: ClientConnection, frames: list[Any]) -> None:
    async for message in socket:
        frames.append(orjson.loads(message))


def items(frames: list[Any]) -> list[Any]:
    return [item for frame in frames for item in frame["data"]]


async def test_instruments_are_paged_by_cursor(simulator: Simulator, get: Callable[..., Any]) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = await get("instruments-info", category="linear", limit=10, cursor=cursor)
        found += [row["symbol"] for row in page["list"]]
        if not (cursor := page["nextPageCursor"]):
            break
    assert found == symbols(simulator)
    assert (await get("risk-limit", category="linear"))["nextPageCursor"] != ""
    mixed = await get("instruments-info", category="linear", baseCoin="ETH")
    assert [row["symbol"] for row in mixed["list"]] == ["ETHUSDT", "ETHUSD"]


async def test_funding_history_is_newest_first_and_start_time_alone_is_an_error(get: Callable[..., Any]) -> None:
    page = await get("funding/history", category="linear", symbol="BTCUSDT", limit=5)
    times = [int(row["fundingRateTimestamp"]) for row in page["list"]]
    assert times == sorted(times, reverse=True)
    older = await get("funding/history", category="linear", symbol="BTCUSDT", endTime=times[-1] - 1, limit=5)
    assert int(older["list"][0]["fundingRateTimestamp"]) == times[-1] - 8 * 3_600_000
    assert (await get("funding/history", category="linear", symbol="BTCUSDT", startTime=1))["retCode"] == 10001


async def test_open_interest_history_pages_back_and_meets_the_ticker(get: Callable[..., Any]) -> None:
    ask_for = {"category": "inverse", "symbol": "BTCUSD", "intervalTime": "5min", "limit": 3}
    page = await get("open-interest", **ask_for)
    older = await get("open-interest", **ask_for, cursor=page["nextPageCursor"])
    times = [int(row["timestamp"]) for row in page["list"] + older["list"]]
    assert times == list(range(times[0], times[0] - 6 * 300_000, -300_000))
    ticker = (await get("tickers", category="inverse", symbol="BTCUSD"))["list"][0]
    assert float(page["list"][0]["openInterest"]) == pytest.approx(float(ticker["openInterest"]), rel=0.05)
    assert ticker["deliveryTime"] == "0"


async def test_klines_are_newest_first_and_default_to_linear(get: Callable[..., Any]) -> None:
    page = await get("kline", symbol="BTCUSDT", interval="1", limit=3)
    assert page["category"] == "linear"
    assert [int(row[0]) for row in page["list"]] == [int(page["list"][0][0]) - 60_000 * k for k in range(3)]
    assert len((await get("mark-price-kline", category="inverse", symbol="BTCUSD", interval="60"))["list"][0]) == 5
    ratio = (await get("account-ratio", category="linear", symbol="BTCUSDT", period="1h"))["list"][0]
    assert float(ratio["buyRatio"]) + float(ratio["sellRatio"]) == pytest.approx(1)


async def test_more_requests_than_allowed_in_the_window_are_answered_403() -> None:
    assert (BybitLimits().requests, BybitLimits().window_s) == (600, 5.0)
    limits = Limits(bybit=BybitLimits(requests=30, window_s=600.0))
    async with Simulator(phases=BUSY, limits=limits) as simulator, httpx.AsyncClient() as http:
        url = simulator.env()["LIQ_BYBIT_REST"] + "/v5/market/time"
        first = await http.get(url)
        assert {"X-Bapi-Limit", "X-Bapi-Limit-Status", "X-Bapi-Limit-Reset-Timestamp"} <= {
            name.title() for name in first.headers
        }
        answers = [(await http.get(url)).status_code for _ in range(31)]
        assert answers == [200] * 29 + [403] * 2
