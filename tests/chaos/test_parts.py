"""The parts that break and judge: what they say must be true, or a verdict is worth nothing."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.simulator.host import framed
from tests.chaos import clock
from tests.chaos.clock import Clock
from tests.chaos.faults import KINDS, plan
from tests.chaos.proxy import Proxy
from tests.chaos.reading import Read, read
from tests.chaos.sent import Passed, Sent, carries_liquidations, mark, unmarked

SHAKEN = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
LIQUIDATION = b'{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1,"data":[]}'
TICKER = b'{"topic":"tickers.BTCUSDT","data":{}}'


@given(
    frames=st.lists(st.sampled_from([LIQUIDATION, TICKER, b"pong", b"x" * 300, b"y" * 70_000]), max_size=6),
    cuts=st.lists(st.integers(1, 400), max_size=30),
)
def test_marks_do_not_depend_on_how_the_bytes_are_cut(frames: list[bytes], cuts: list[int]) -> None:
    sent = Sent()
    marks = sent.connect("collect", "bybit")
    stream, out, found = SHAKEN + b"".join(map(framed, frames)), b"", []
    for cut in [*cuts, len(stream)]:
        chunk, stream = stream[:cut], stream[cut:]
        data, marked = marks.feed(chunk)
        out += data
        found += marked
    expected = [frame + mark(1) if frame == LIQUIDATION else frame for frame in frames]
    assert out + marks.rest() == SHAKEN + b"".join(map(framed, expected))
    assert [unmarked(payload) for payload in found] == [(LIQUIDATION, 1) for frame in frames if frame == LIQUIDATION]


def test_what_is_no_websocket_passes_as_it_is() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    marks = Sent().connect("collect", "okx")
    assert marks.feed(answer) == (answer, [])
    assert marks.feed(b"more") == (b"more", [])


@given(st.integers(0, 2**24 - 1))
def test_a_mark_names_its_connection(number: int) -> None:
    assert unmarked(LIQUIDATION + mark(number)) == (LIQUIDATION, number)
    assert unmarked(LIQUIDATION) == (LIQUIDATION, None)


def test_acknowledgements_carry_no_liquidations() -> None:
    assert not carries_liquidations(b'{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"}}')
    assert carries_liquidations(b'{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[]}')


def test_the_same_seed_plans_the_same_faults_and_each_costly_kind_at_least_once() -> None:
    programs = ("collect", "ingest", "derive")
    planned = plan(7, 1000, 540, programs)
    assert planned == plan(7, 1000, 540, programs) != plan(8, 1000, 540, programs)
    assert len(planned) == 1000
    costly = {kind for kind in KINDS if not kind.weight and (kind.where != "process" or kind.on[0] in programs)}
    assert costly <= {each.kind for each in plan(7, 60, 60, programs)}
    assert not [each for each in plan(7, 500, 540, programs, ("clock",)) if each.kind.where == "clock"]


@pytest.mark.parametrize(
    ("venue", "payload", "side"),
    [
        ("binance", b'{"e":"forceOrder","o":{"s":"X","S":"SELL","q":"2","z":"1","p":"9","ap":"8","T":5}}', "long"),
        ("binance", b'{"e":"forceOrder","o":{"s":"X","S":"BUY","q":"1","z":"0","p":"8","ap":"0","T":5}}', "short"),
        ("bybit", b'{"topic":"allLiquidation.X","data":[{"T":5,"s":"X","S":"Buy","v":"1","p":"8"}]}', "long"),
        ("okx", b'{"data":[{"instId":"X","details":[{"side":"buy","posSide":"net","sz":"1","bkPx":"8","ts":"5"}]}]}', "short"),
        ("okx", b'{"data":[{"instId":"X","details":[{"side":"sell","posSide":"long","sz":"1","bkPx":"8","ts":"5"}]}]}', "long"),
    ],
)  # fmt: skip
def test_the_second_reading_knows_whose_position_it_was(venue: str, payload: bytes, side: str) -> None:
    assert read(venue, payload) == [Read(venue, "X", 5, side, 1.0, 8.0)]
    assert read(venue, payload[:-3]) == []


@pytest.fixture
async def echo() -> AsyncIterator[Proxy]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    proxy = Proxy("echo", server.sockets[0].getsockname()[1])
    await proxy.start()
    yield proxy
    await proxy.stop()
    server.close()


async def _said(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a")
    assert await reader.readexactly(1) == b"a"
    return reader, writer


async def test_a_cut_line_is_reset_and_a_new_one_works(echo: Proxy) -> None:
    reader, _ = await _said(echo)
    assert echo.cut() == 1
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    await _said(echo)


@asynccontextmanager
async def _while_it(fault: Coroutine[Any, Any, int]) -> AsyncIterator[None]:
    task = asyncio.create_task(fault)
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_lost_in_a_pause(echo: Proxy) -> None:
    reader, writer = await _said(echo)
    async with _while_it(echo.pause(600)):
        writer.write(b"bcd")
        answer = asyncio.ensure_future(reader.readexactly(3))
        assert not (await asyncio.wait([answer], timeout=0.1))[0]
    assert await answer == b"bcd"


async def test_a_half_open_line_says_nothing_while_new_ones_work(echo: Proxy) -> None:
    reader, writer = await _said(echo)
    async with _while_it(echo.half_open(600)):
        writer.write(b"b")
        answer = asyncio.ensure_future(reader.readexactly(1))
        await _said(echo)
        assert not answer.done()
    with pytest.raises(ConnectionResetError):
        await answer


async def test_a_proxy_that_refuses_resets_what_comes(echo: Proxy) -> None:
    async with _while_it(echo.refuse(600)):
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await _said(echo)
    await _said(echo)


def test_what_a_reset_lost_counts_as_torn_not_as_written() -> None:
    sent = Sent()
    marks = sent.connect("collect", "bybit")
    _, frames = marks.feed(SHAKEN + framed(LIQUIDATION) * 3)
    sent.passed.extend(Passed(n, 1, frame) for n, frame in enumerate(frames))
    sent.tear(1, len(frames[0]) + 1)
    assert len(sent.passed) == 1
    assert sent.torn.total() == 2


@pytest.mark.skipif(bool(clock.missing()), reason=clock.missing() or "-")
def test_a_clock_is_wrong_while_its_process_runs_and_only_the_wall_clock(tmp_path: Path) -> None:
    ours = Clock(tmp_path, "one")
    code = "import time\nwhile input(): print(time.time(), time.monotonic(), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **ours.env},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdin
        assert child.stdout
        for shift in (0, 7200, -3600, 0):
            ours.shift(shift)
            child.stdin.write("now\n")
            child.stdin.flush()
            wall, monotonic = map(float, child.stdout.readline().split())
            assert abs(wall - time.time() - shift) < 60
            assert abs(monotonic - time.monotonic()) < 60
        child.kill()


@pytest.mark.skipif(bool(clock.missing()), reason=clock.missing() or "-")
def test_a_disk_is_slow_for_each_write_and_sync_of_a_file_and_for_no_pipe(tmp_path: Path) -> None:
    ours = Clock(tmp_path, "one")
    ours.slow(0.2)
    code = (
        "import duckdb, os, sys, time\n"
        "def took(work): began = time.monotonic(); work(); print(time.monotonic() - began)\n"
        "file = open(sys.argv[1], 'wb', buffering=0)\n"
        "took(lambda: file.write(b'x')); took(lambda: os.fsync(file.fileno()))\n"
        "took(lambda: duckdb.sql(f\"COPY (SELECT 1) TO '{sys.argv[2]}'\"))\n"
        "took(lambda: os.write(2, b'x'))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a"), str(tmp_path / "b.parquet")]
    done = subprocess.run(command, env={**os.environ, **ours.env}, capture_output=True, text=True, check=True)
    *files, pipe = map(float, done.stdout.split())
    assert len(files) == 3
    assert all(each >= 0.2 for each in files)
    assert pipe < 0.2
