"""The OKX simulator, by a real WebSocket and HTTP client."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collectors.simulator import Limits, Phases, Simulator
from collectors.venues.okx.simulator import OkxLimits

BUSY = Phases(calm_s=600, trickle=60)
LIQUIDATIONS = {"channel": "liquidation-orders", "instType": "SWAP"}


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
    async with httpx.AsyncClient(base_url=simulator.env()["LIQ_OKX_REST"] + "/api/v5/") as client:

        async def answer(path: str, **params: Any) -> Any:
            body = (await client.get(path, params=params)).json()
            return body["data"] if body["code"] == "0" else body["code"]

        yield answer


def at(simulator: Simulator, path: str = "/ws/v5/public") -> connect:
    return connect(simulator.env()["LIQ_OKX_WS"] + path)


async def send(socket: ClientConnection, op: str, args: Any, number: str = "1") -> None:
    await socket.send(orjson.dumps({"id": number, "op": op, "args": args}).decode())


async def until(socket: ClientConnection, wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while True:
            message = orjson.loads(await socket.recv())
            if wanted(message):
                return message


def is_control(message: Any) -> bool:
    return "event" in message


async def test_there_is_one_ack_for_each_argument_and_an_error_for_the_unknown_one(simulator: Simulator) -> None:
    args = [
        LIQUIDATIONS,
        {"channel": "mark-price", "instId": "NOPE-USDT-SWAP"},
        {"channel": "funding-rate", "instId": "BTC-USDT-SWAP"},
    ]
    async with at(simulator) as socket:
        await send(socket, "subscribe", args)
        replies = [await until(socket, is_control) for _ in args]
        assert [reply["event"] for reply in replies] == ["subscribe", "error", "subscribe"]
        assert [reply.get("arg") for reply in replies] == [args[0], None, args[2]]
        assert {reply["id"] for reply in replies} == {"1"}
        assert replies[1]["code"] == "60018"
        assert len({reply["connId"] for reply in replies}) == 1
        await send(socket, "unsubscribe", [args[2]], "2")
        assert (await until(socket, is_control))["event"] == "unsubscribe"


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("public", '{"op":"subscribe","argss":[]}', "60012"),
        ("public", "{", "60012"),
        ("public", '{"op":"dance","args":[]}', "60019"),
        ("public", '{"op":"subscribe","args":["liquidation-orders"]}', "60013"),
        ("public", '{"op":"subscribe","args":[{"channel":"liquidation-orders","instId":"BTC-USDT-SWAP"}]}', "60018"),
        ("public", '{"op":"subscribe","args":[{"channel":"liquidation-orders","uly":"BTC-USDT"}]}', "64000"),
        ("public", '{"op":"subscribe","args":[{"channel":"candle1m","instId":"BTC-USDT-SWAP"}]}', "64001"),
        ("business", '{"op":"subscribe","args":[{"channel":"liquidation-orders","instType":"SWAP"}]}', "64002"),
    ],
)  # fmt: skip
async def test_a_bad_request_is_answered_with_its_code(simulator: Simulator, path: str, text: str, code: str) -> None:
    async with at(simulator, f"/ws/v5/{path}") as socket:
        await socket.send(text)
        assert orjson.loads(await socket.recv())["code"] == code


async def test_an_instrument_beside_the_type_is_dropped_from_the_ack_and_does_not_filter(simulator: Simulator) -> None:
    async with at(simulator) as socket:
        await send(socket, "subscribe", [LIQUIDATIONS | {"instId": "BTC-USDT-SWAP"}])
        assert (await until(socket, is_control))["arg"] == LIQUIDATIONS
        await until(socket, lambda message: any(entry["instId"] != "BTC-USDT-SWAP" for entry in message["data"]))


async def test_ping_is_text_and_an_idle_connection_is_closed_with_4004() -> None:
    limits = Limits(okx=OkxLimits(idle_s=0.4))
    async with Simulator(phases=BUSY, limits=limits) as simulator, at(simulator) as socket:
        opened = time.monotonic()
        while time.monotonic() < opened + 0.8:
            await socket.send("ping")
            assert await socket.recv() == "pong"
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 60)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4004, "No data received in 30s")


async def test_operations_an_hour_and_the_size_of_a_request_are_limited() -> None:
    limits = Limits(okx=OkxLimits(operations_per_hour=3))
    async with Simulator(phases=BUSY, limits=limits) as simulator, at(simulator) as socket:
        for _ in range(3):
            await send(socket, "subscribe", [{"channel": "instruments", "instType": "SWAP"}])
            assert (await until(socket, is_control))["event"] == "subscribe"
        await send(socket, "subscribe", [LIQUIDATIONS])
        assert (await until(socket, is_control))["code"] == "60014"
        with pytest.raises(ConnectionClosed) as closed:
            await send_and_read(socket, "x" * 70_000)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def send_and_read(socket: ClientConnection, text: str) -> None:
    await socket.send(text)
    await asyncio.wait_for(socket.recv(), 60)


async def test_state_channels_push_at_once_and_on_change(simulator: Simulator) -> None:
    names = {
        "funding-rate": "BTC-USDT-SWAP",
        "open-interest": "BTC-USD-SWAP",
        "mark-price": "ETH-USDT-SWAP",
        "index-tickers": "BTC-USDT",
    }
    async with at(simulator) as socket:
        await send(socket, "subscribe", [{"channel": channel, "instId": name} for channel, name in names.items()])
        pushed: dict[str, list[Any]] = {channel: [] for channel in names}
        while min(map(len, pushed.values())) < 2 or len(pushed["mark-price"]) < 4:
            message = await until(socket, lambda message: "data" in message)
            pushed[message["arg"]["channel"]].append(message["data"][0])
    funding = pushed["funding-rate"][0]
    assert int(funding["nextFundingTime"]) - int(funding["fundingTime"]) == 8 * 3_600_000
    assert (funding["method"], funding["nextFundingRate"], funding["settState"]) == ("current_period", "", "settled")
    interest = pushed["open-interest"][0]
    assert float(interest["oi"]) * 100 == pytest.approx(float(interest["oiUsd"]), rel=1e-4)
    _greeting, *changes = [mark["markPx"] for mark in pushed["mark-price"]]
    assert all(before != after for before, after in itertools.pairwise(changes))


async def test_candles_come_on_the_business_address(simulator: Simulator) -> None:
    async with at(simulator, "/ws/v5/business") as socket:
        await send(socket, "subscribe", [{"channel": "candle1m", "instId": "BTC-USDT-SWAP"}])
        candle = (await until(socket, lambda message: "data" in message))["data"][0]
        assert len(candle) == 9
        assert candle[8] in ("0", "1")


async def test_the_first_push_repeats_old_liquidations(simulator: Simulator) -> None:
    async with at(simulator) as one, at(simulator) as other:
        await send(one, "subscribe", [LIQUIDATIONS])
        seen = [key for _ in range(20) for key in keys(await until(one, lambda message: "data" in message))]
        await send(other, "subscribe", [LIQUIDATIONS], "abc")
        first = await until(other, lambda message: "data" in message)
        assert first["id"] == "abc"
        seen += [key for _ in range(5) for key in keys(await until(one, lambda message: "data" in message))]
        assert set(keys(first)) <= set(seen)


def keys(message: Any) -> list[tuple[str, ...]]:
    return [
        (entry["instId"], item["posSide"], item["side"], item["sz"], item["bkPx"], item["ts"])
        for entry in message["data"]
        for item in entry["details"]
    ]


async def test_received_liquidations_equal_the_truth_and_some_are_late_and_out_of_order() -> None:
    phases = Phases(calm_s=1, cascade_s=4, aftermath_s=1, burst_s=2, burst=1200)
    both = [LIQUIDATIONS, LIQUIDATIONS | {"instType": "FUTURES"}]
    async with Simulator(seed=2, phases=phases, now=fast(4, 0.5), then="quiet") as simulator, at(simulator) as socket:
        await send(socket, "subscribe", both)
        seen: list[tuple[str, ...]] = []
        frames: list[Any] = []
        while (
            not simulator.finished.is_set() or simulator.truth()["okx"]["pending"] or len(seen) < published(simulator)
        ):
            frame = await until(socket, lambda message: "data" in message)
            frames.append(frame)
            seen += keys(frame)
        rows = [row for row in simulator.record.rows if row.venue == "okx"]
        shown = [(r.symbol, r.position_side, r.order_side, r.qty_raw, r.price, str(r.ts)) for r in rows]
        assert sorted(seen) == sorted(shown)
        times = [int(key[-1]) for key in seen]
        assert times != sorted(times)
        assert any(row.sent_ms - row.ts > 2000 for row in rows)
        assert any(len(frame["data"]) > 1 for frame in frames)
        assert any(len(entry["details"]) > 1 for frame in frames for entry in frame["data"])


def published(simulator: Simulator) -> int:
    return int(simulator.truth()["okx"]["published"])


async def test_instruments_leave_currencies_empty_and_tell_contract_sizes(get: Callable[..., Any]) -> None:
    swaps = {row["instId"]: row for row in await get("public/instruments", instType="SWAP")}
    assert (swaps["BTC-USDT-SWAP"]["ctVal"], swaps["BTC-USDT-SWAP"]["ctType"]) == ("0.01", "linear")
    assert (swaps["BTC-USD-SWAP"]["ctVal"], swaps["BTC-USD-SWAP"]["ctType"]) == ("100", "inverse")
    assert swaps["PEPE-USDT-SWAP"]["ctVal"] == "10000000"
    assert {row["baseCcy"] for row in swaps.values()} == {""}
    futures = await get("public/instruments", instType="FUTURES")
    assert {row["uly"] for row in futures} == {"BTC-USDT", "BTC-USD"}
    assert all(int(row["expTime"]) > 0 for row in futures)


async def test_histories_are_newest_first_and_page_by_after(get: Callable[..., Any]) -> None:
    page = await get("public/funding-rate-history", instId="BTC-USDT-SWAP", limit=3)
    older = await get("public/funding-rate-history", instId="BTC-USDT-SWAP", limit=3, after=page[-1]["fundingTime"])
    times = [int(row["fundingTime"]) for row in page + older]
    assert times == [times[0] - 8 * 3_600_000 * k for k in range(6)]
    candles = await get("market/history-candles", instId="BTC-USDT-SWAP", limit=4)
    assert [len(row) for row in candles] == [9] * 4
    assert [row[8] for row in candles] == ["0", "1", "1", "1"]
    days = await get("market/history-candles", instId="BTC-USDT-SWAP", bar="1D", limit=2)
    assert int(days[0][0]) % 86_400_000 == 16 * 3_600_000
    interest = await get("rubik/stat/contracts/open-interest-history", instId="BTC-USDT-SWAP")
    current = await get("public/open-interest", instType="SWAP", instId="BTC-USDT-SWAP")
    assert len(interest) == 100
    assert float(interest[0][2]) == pytest.approx(float(current[0]["oiCcy"]), rel=0.05)


async def test_errors_are_codes_and_every_endpoint_has_its_own_limit(
    simulator: Simulator, get: Callable[..., Any]
) -> None:
    assert await get("public/funding-rate", instId="NOPE") == "51001"
    assert await get("public/funding-rate") == "50014"
    assert await get("public/instruments", instType="BANANA") == "51000"
    assert len(await get("public/position-tiers", instType="SWAP", tdMode="cross", instFamily="BTC-USDT,ETH-USDT")) == 8
    answers = [await get("rubik/stat/contracts/long-short-account-ratio", ccy="BTC") for _ in range(6)]
    assert answers[-1] == "50011"
    assert isinstance(await get("rubik/stat/taker-volume-contract", instId="BTC-USDT-SWAP"), list)
    assert len(await get("public/funding-rate", instId="ANY")) == 28
