"""Replay to WebSocket clients: each gets what it subscribes to, as at the venue, in one order of time."""

import asyncio
import contextlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pipelines.serve.archive.replay import stretch
from pipelines.serve.archive.sockets import Client, Session
from pipelines.serve.problems import ProblemError
from pipelines.serve.service import Service
from pipelines.serve.settings import ServeSettings
from tests.pipelines.serve.archive.conftest import FRAMES, TEN


def _sockets(ask: httpx.Client, exchange: str, minutes: int = 10, **more: str) -> str:
    """Return the address at which an exchange's frames are replayed to a WebSocket client."""
    given = {"exchange": exchange, "from": TEN.isoformat(), "to": (TEN + timedelta(minutes=minutes)).isoformat()} | more
    return f"ws://127.0.0.1:{ask.base_url.port}/ws-replay?{urlencode(given)}"


async def _replayed(address: str, *messages: Any) -> tuple[list[str], int, str]:
    """Subscribe as at the venue; return what came, and how it ended."""
    found: list[str] = []
    async with connect(address, proxy=None) as socket:
        with contextlib.suppress(ConnectionClosed):
            for message in messages:
                await socket.send(message if isinstance(message, bytes) else json.dumps(message))
            while True:
                found.append(str(await socket.recv()))
    return found, socket.close_code or 0, socket.close_reason or ""


async def test_a_venues_own_websocket_is_replayed_to_who_subscribes_as_there(ask: httpx.Client) -> None:
    um, cm, mark = (payload.decode() for _, _, payload in FRAMES["binance"])
    (bybit,), (swap, _) = ([payload.decode() for _, _, payload in FRAMES[name]] for name in ("bybit", "okx"))
    asked = {
        "binance-futures": {"method": "SUBSCRIBE", "params": ["btcusdt@forceOrder", "!markPrice@arr@1s"], "id": 1},
        "binance-delivery": {"method": "SUBSCRIBE", "params": ["!forceOrder@arr"], "id": 1},
        "bybit": {"op": "subscribe", "args": ["allLiquidation.BTCUSDT", "tickers.BTCUSDT"]},
        "okex-swap": {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]},
        "okex-futures": {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instId": "BTC-USDT-999999"}]},
    }
    found = await asyncio.gather(*(_replayed(_sockets(ask, name), message) for name, message in asked.items()))
    wanted = [[um, mark] * 10, [cm] * 10, [bybit] * 10, [swap] * 10, []]
    assert found == [(frames, 1000, "") for frames in wanted]


class Noting(Client):
    """A client of whom is noted what it is sent."""

    def __init__(self, exchange: str, wanted: str, order: list[tuple[str, bytes]]) -> None:
        given = {"exchange": exchange, "from": TEN.isoformat(), "to": (TEN + timedelta(minutes=10)).isoformat()}
        super().__init__(None, stretch(given))  # type: ignore[arg-type]
        self.wanted[wanted] = frozenset()
        self._order = order

    async def send(self, payload: bytes) -> None:
        self._order.append((self.replay.exchange.id, payload))


async def test_clients_of_a_session_get_their_frames_in_one_order_of_time(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.serve.archive.sockets.SUBSCRIBE_S", 0.2)
    order: list[tuple[str, bytes]] = []
    served = Service(world, ServeSettings())
    session = Session(served)
    await asyncio.gather(
        session.join(Noting("binance-futures", "markPrice", order)),
        session.join(Noting("bybit", "allLiquidation", order)),
    )
    mark, liquidation = FRAMES["binance"][2][2], FRAMES["bybit"][0][2]
    assert order == [("bybit", liquidation), ("binance-futures", mark)] * 10, "a mark price comes two seconds later"
    with pytest.raises(ProblemError, match="has begun"):
        await session.join(Noting("bybit", "allLiquidation", order))
    await served.close()


async def test_what_cannot_be_replayed_is_closed_with_the_reason(ask: httpx.Client) -> None:
    subscribe = {"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]}
    cases = (
        (_sockets(ask, "bybt"), "did you mean bybit?"), (_sockets(ask, "bybit", minutes=0), "from must be before to"),
        (_sockets(ask, "bybit", to="2030-01-01"), "are stored whole"), (_sockets(ask, "bybit", speed="2"), "'speed'"),
    )  # fmt: skip
    found = await asyncio.gather(*(_replayed(address, subscribe) for address, _ in cases))
    assert [(frames, code, said in why) for (frames, code, why), (_, said) in zip(found, cases, strict=True)] == [
        ([], 1008, True)
    ] * len(cases)
    silent = await _replayed(
        _sockets(ask, "bybit"), b"\0", "not a subscription", {"op": "ping"}, {"op": "subscribe", "args": 7}
    )
    assert silent == ([], 1008, "nothing was subscribed to within two seconds")


async def test_a_page_of_another_site_gets_no_websocket(ask: httpx.Client) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        with pytest.raises(InvalidStatus) as refused:
            await _replayed_with(_sockets(ask, "bybit"), headers)
        assert refused.value.response.status_code == 403


async def _replayed_with(address: str, headers: dict[str, str]) -> None:
    async with connect(address, proxy=None, additional_headers=headers):
        pass
