"""Playing recorded frames: each once, unchanged, to who listens to its channel; REST answers from files."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from collectors.simulator import Simulator
from collectors.simulator.recordings import RecordingError

ORDERED = b'{"e":"forceOrder","E":2,"o":{"s":"BTCUSDT","S":"BUY", "T":1}}'
WRAPPED = b'{"stream":"btcusdt@forceOrder","data":%b}' % ORDERED
ORDER = b'{"e":"forceOrder","E":3,"o":{"s":"ETHUSD_PERP","S":"SELL","T":2,"st":2}}'
MARK = b'{"e":"markPriceUpdate","E":1,"s":"BTCUSDT","p":"1.0"}'
LIQUIDATION = b'{"topic":"allLiquidation.XRPUSD","type":"snapshot","ts":1,"data":[{"T":1,"s":"XRPUSD","S":"Buy"}]}'
OKX = b'{"arg":{"channel":"liquidation-orders","instType":"FUTURES"},"data":[{"instId":"BTC-USD-261225","details":[]}]}'
INTEREST = [
    b'{"symbol":"BTCUSDT","openInterest":"1.5","time":1}',
    b'{"symbol":"BTCUSDT","openInterest":"1.6","time":2}',
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "binance/um_forceOrder.jsonl": [WRAPPED, MARK],
        "binance/cm_forceOrder.jsonl": [ORDER],
        "binance/ws_control.jsonl": [b'{"result":null,"id":1}'],
        "binance/rest_um_openInterest.jsonl": INTEREST,
        "binance/rest_um_klines.jsonl": [b'[[1,"2","3","1","2","5",6,"7",8,"9","10","0"]]'],
        "bybit/allLiquidation.jsonl": [LIQUIDATION],
        "bybit/rest_funding_history.jsonl": [b'{"retCode":0,"result":{"list":[{"symbol":"ETHPERP"}]}}'],
        "okx/liquidation-orders.jsonl": [OKX],
        "okx/rest_rubik_open-interest-history.jsonl": [b'{"code":"0","data":[["1","2","3","4"]]}'],
    }
    for name, lines in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\n".join(lines) + b"\n")
    return tmp_path


async def listen(url: str, request: Any, frames: int) -> list[bytes]:
    async with asyncio.timeout(60), connect(url) as socket:
        await socket.send(orjson.dumps(request).decode())
        await socket.recv()
        return [str(await socket.recv()).encode() for _ in range(frames)]


async def test_each_frame_goes_once_and_unchanged_to_who_listens(folder: Path) -> None:
    async with Simulator(play=folder, play_rate=500) as simulator:
        env = simulator.env()
        raw = {"method": "SUBSCRIBE", "params": ["!forceOrder@arr", "!markPrice@arr@1s"], "id": 1}
        assert await listen(env["LIQ_BINANCE_UM_WS"] + "/market/ws", raw, 2) == [ORDERED, b"[%b]" % MARK]
        cm = await listen(env["LIQ_BINANCE_CM_WS"] + "/stream", raw, 1)
        assert cm == [b'{"stream":"!forceOrder@arr","data":%b}' % ORDER]
        topic = {"op": "subscribe", "args": ["allLiquidation.XRPUSD"]}
        assert await listen(env["LIQ_BYBIT_WS"] + "/v5/public/inverse", topic, 1) == [LIQUIDATION]
        assert simulator.state()["waiting"] == 1
        arg = {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "FUTURES"}]}
        assert await listen(env["LIQ_OKX_WS"] + "/ws/v5/public", arg, 1) == [OKX]
        await asyncio.wait_for(simulator.finished.wait(), 60)
        assert simulator.state()["waiting"] == 0


async def test_rest_answers_are_lines_of_the_files_in_turn(folder: Path) -> None:
    async with Simulator(play=folder) as simulator, httpx.AsyncClient() as http:
        env = simulator.env()
        url = env["LIQ_BINANCE_UM_REST"] + "/fapi/v1/openInterest"
        answers = [(await http.get(url, params={"symbol": "BTCUSDT"})).content for _ in range(3)]
        assert answers == [*INTEREST, INTEREST[0]]
        assert (await http.get(url, params={"symbol": "NOPE"})).json()["code"] == -1121
        klines = await http.get(env["LIQ_BINANCE_UM_REST"] + "/fapi/v1/klines", params={"symbol": "BTCUSDT"})
        assert klines.json()[0][:2] == [1, "2"]
        history = await http.get(env["LIQ_BYBIT_REST"] + "/v5/market/funding/history", params={"symbol": "ETHPERP"})
        assert history.json()["result"]["list"] == [{"symbol": "ETHPERP"}]
        path = "/api/v5/rubik/stat/contracts/open-interest-history"
        assert (await http.get(env["LIQ_OKX_REST"] + path)).json()["data"] == [["1", "2", "3", "4"]]
        assert (await http.get(env["LIQ_OKX_REST"] + "/api/v5/public/time")).status_code == 404


async def test_a_page_after_the_first_is_empty(folder: Path) -> None:
    async with Simulator(play=folder) as simulator, httpx.AsyncClient() as http:
        url = simulator.env()["LIQ_BYBIT_REST"] + "/v5/market/funding/history"
        assert (await http.get(url, params={"symbol": "ETHPERP", "cursor": "x"})).json()["result"]["list"] == []


def test_a_folder_without_venues_or_a_broken_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="none of the folders"):
        Simulator(play=tmp_path)
    (tmp_path / "okx").mkdir()
    (tmp_path / "okx" / "bad.jsonl").write_text('{"a":1}\n{"a"\n')
    with pytest.raises(RecordingError, match=r"bad\.jsonl:2 is not JSON"):
        Simulator(play=tmp_path)
