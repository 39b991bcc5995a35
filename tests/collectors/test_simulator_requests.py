"""What clients other than ours ask of the further venues, and the simulators answer: one symbol, flags, heartbeats."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from collectors.simulator import Simulator
from collectors.venues.bitfinex.simulator.server import KEY, WITH_NUMBER, WITH_TIME

VENUES = ("bitmex", "bitfinex", "deribit", "htx")


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(coins=("BTC", "ETH"), venues=VENUES, wait=True, then="quiet") as running:
        running.quiet()
        yield running


def _at(simulator: Simulator, venue: str, path: str) -> str:
    return simulator.env()[f"LIQ_{venue.upper()}_WS"] + path


async def _told(socket: ClientConnection, count: int = 1) -> list[Any]:
    texts = [await socket.recv() for _ in range(count)]
    return [json.loads(text if isinstance(text, str) else gzip.decompress(text)) for text in texts]


async def _asked(socket: ClientConnection, request: object, count: int = 1) -> list[Any]:
    await socket.send(json.dumps(request))
    return await _told(socket, count)


async def test_bitmex_sends_one_symbol_to_who_asks_for_it(simulator: Simulator) -> None:
    async with connect(_at(simulator, "bitmex", "/realtime")) as socket:
        await _told(socket)
        ack, image = await _asked(socket, {"op": "subscribe", "args": ["liquidation:XBTUSD"]}, 2)
        (refused,) = await _asked(socket, {"op": "subscribe", "args": ["liquidation:NONE"]})
        protocol = simulator._hosts["bitmex"]
        heard = [
            protocol.publish(f"liquidation:{symbol}", b'{"table":"liquidation"}') for symbol in ("XBTUSD", "ETHUSDT")
        ]
        assert (ack["success"], image["action"], refused["status"], heard) == (True, "partial", 400, [1, 0])


async def test_bitmex_sends_a_change_once_to_who_has_the_table_and_the_symbol(simulator: Simulator) -> None:
    async with connect(_at(simulator, "bitmex", "/realtime")) as socket:
        await _told(socket)
        await _asked(socket, {"op": "subscribe", "args": ["liquidation"]}, 2)
        protocol = simulator._hosts["bitmex"]
        assert protocol.publish("liquidation:XBTUSD", b"{}") == protocol.publish("liquidation", b"{}") == 1


@pytest.mark.parametrize(("flags", "more"), [(0, 0), (WITH_TIME, 1), (WITH_NUMBER, 1), (WITH_TIME | WITH_NUMBER, 2)])
async def test_bitfinex_ends_each_frame_with_what_the_flags_ask_for(
    simulator: Simulator, flags: int, more: int
) -> None:
    async with connect(_at(simulator, "bitfinex", "/ws/2")) as socket:
        await _told(socket)
        (conf,) = await _asked(socket, {"event": "conf", "flags": flags})
        _, image = await _asked(socket, {"event": "subscribe", "channel": "status", "key": KEY}, 2)
        simulator._hosts["bitfinex"].publish(KEY, b"[386841,[]]")
        (frame,) = await _told(socket)
        assert (conf["status"], len(image), len(frame)) == ("OK", 2 + more, 2 + more)
        assert not flags & WITH_NUMBER or frame[2] == image[2] + 1


@pytest.mark.parametrize(("interval", "answer"), [(10, "result"), (9, "error"), (None, "error")])
async def test_deribit_asks_a_client_at_the_pace_it_wants(simulator: Simulator, interval: object, answer: str) -> None:
    async with connect(_at(simulator, "deribit", "/ws/api/v2")) as socket:
        request = {"jsonrpc": "2.0", "id": 1, "method": "public/set_heartbeat", "params": {"interval": interval}}
        (told,) = await _asked(socket, request)
        assert answer in told


async def test_htx_sends_one_code_or_all_and_refuses_what_overlaps(simulator: Simulator) -> None:
    topic = "public.BTC-USDT.liquidation_orders"
    path = "/linear-swap-notification"
    async with connect(_at(simulator, "htx", path)) as one, connect(_at(simulator, "htx", path)) as every:
        told = [
            (await _asked(socket, {"op": "sub", "cid": "1", "topic": asked}))[0]["err-code"]
            for socket, asked in (
                (one, topic), (every, "public.*.liquidation_orders"), (every, topic), (one, "public.X.nothing"),
            )
        ]  # fmt: skip
        protocol = simulator._hosts["htx"]
        heard = [
            protocol.publish(f"{path}|public.{code}.liquidation_orders", b"{}")
            for code in ("BTC-USDT", "ETH-USDT", "*")
        ]
        assert (told, heard) == ([0, 0, 2014, 2011], [2, 1, 1])


async def test_htx_begins_with_the_contracts_that_are_delivered_in_a_coin(simulator: Simulator) -> None:
    async with connect(_at(simulator, "htx", "/notification")) as socket:
        _, info = await _asked(socket, {"op": "sub", "cid": "1", "topic": "public.BTC.contract_info"}, 2)
        assert [(each["symbol"], each["contract_type"]) for each in info["data"]] == [("BTC", "quarter")]
