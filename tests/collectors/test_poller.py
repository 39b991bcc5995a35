"""REST polls against a local HTTP server that pages, refuses, bans, stalls and lies."""

import asyncio
import json
import threading
import time
from dataclasses import replace

import pytest

from collectors.polls import asking
from collectors.polls import poller as poller_module
from collectors.topics import FUNDING, LIQUIDATION, OPEN_INTEREST, REFERENCE, TICKER
from collectors.venues.bybit import stream as bybit
from collectors.venues.venue import Poll, symbol
from tests.collectors.local_rest import OI, Reply, Request, binance_at, exchange, info, polling, server


async def test_each_listed_symbol_is_polled_and_answers_are_kept_byte_for_byte() -> None:
    with server(exchange) as (url, _):
        async with polling(binance_at(url), poll_scale=0.02) as (sink, listed):
            await sink.until(lambda: {"AUSDT", "DUSDT", "AUSD_PERP"} <= {frame.symbol for frame in sink.data})
    assert listed["um"] == ["AUSDT", "BUSDT", "CUSDT", "DUSDT"]
    interest = next(frame for frame in sink.data if frame.symbol == "DUSDT")
    assert (interest.channel, interest.topic, interest.transport) == ("um_openInterest", OPEN_INTEREST, "rest")
    assert interest.payload == OI % b"DUSDT"
    listed_um = next(frame for frame in sink.data if frame.channel == "um_exchangeInfo")
    assert (listed_um.symbol, listed_um.topic, listed_um.payload) == (
        "*",
        REFERENCE,
        info("AUSDT", "BUSDT", "CUSDT", "DUSDT"),
    )
    assert len({frame.session for frame in sink.data}) == 1


async def test_a_symbol_may_be_a_part_of_the_path_and_an_answer_go_to_the_topic_of_what_is_in_it() -> None:
    def rates(request: Request) -> Reply:
        return exchange(request) if request.path.endswith("exchangeInfo") else Reply(request.path.encode())

    def flagged(body: bytes) -> str:
        return LIQUIDATION if body.startswith(b"/rates/B") else TICKER

    with server(rates) as (url, _):
        poll = Poll(
            "rates", "", FUNDING, f"{url}/rates/{{}}", 60.0, group="um", of=symbol, spread_s=0.1, topic_of=flagged
        )
        polls = (*(p for p in binance_at(url).polls if p.lists), poll._replace(budget="weight"))
        async with polling(replace(binance_at(url), polls=polls)) as (sink, _):
            await sink.until(lambda: sum(frame.channel == "rates" for frame in sink.data) == 4)
    found = {frame.symbol: (frame.payload, frame.topic) for frame in sink.data if frame.channel == "rates"}
    assert found["AUSDT"] == (b"/rates/AUSDT", TICKER)
    assert found["BUSDT"] == (b"/rates/BUSDT", LIQUIDATION)


def test_what_is_asked_by_post_has_the_symbol_and_the_time_in_its_body() -> None:
    body = '{"type":"rates","coin":"{}","startTime":{since}}'
    poll = Poll("rates", "", FUNDING, "http://x/info", 60.0, of=symbol, since=("since", 3600.0), body=body)
    url, params, written = poller_module._written(poll, "kPEPE", ())
    asked = json.loads(written)
    assert (url, params, asked["coin"]) == ("http://x/info", (), "kPEPE")
    assert 3600.0 <= time.time() - asked["startTime"] / 1000 < 3660.0


async def test_how_often_each_channel_is_polled_is_told_when_it_begins() -> None:
    with server(exchange) as (url, _):
        async with polling(binance_at(url), poll_scale=0.5) as (sink, _):
            await sink.until(lambda: sink.told("started"))
    every = {each["channel"]: each["every_s"] for each in sink.told("started")[0]["detail"]["channels"]}
    assert every["um_openInterest"] == 30.0
    assert every["um_fundingRate"] == 300.0, "of its two polls the more frequent"


async def test_symbols_are_spread_evenly_over_the_period() -> None:
    with server(exchange) as (url, seen):
        async with polling(binance_at(url), poll_scale=0.05) as (sink, _):  # 4 symbols in 3 s
            await sink.until(lambda: sum(frame.channel == "um_openInterest" for frame in sink.data) >= 4)
    times = [r.at for r in seen if r.path == "/fapi/v1/openInterest"][:4]
    assert times[3] - times[0] > 1.5
    assert times[2] - times[0] > 0.5


async def test_instruments_are_read_to_the_last_page() -> None:
    def answering(request: Request) -> Reply:
        page = int(request.params.get("cursor", "0"))
        cursor = str(page + 1) if page < 2 else ""
        start = "P" if request.params.get("status") == "PreLaunch" else "S"
        listed = [{"symbol": f"{start}{page}USDT", "contractType": "LinearPerpetual"}]
        return Reply(json.dumps({"retCode": 0, "result": {"list": listed, "nextPageCursor": cursor}}).encode())

    with server(answering) as (url, seen):
        async with polling(bybit.venue(bybit.Hosts(rest=url))) as (sink, listed):
            await sink.until(lambda: sum(frame.channel == "instruments-info" for frame in sink.data) == 12)
    assert listed["linear"] == ["S0USDT", "S1USDT", "S2USDT"]
    assert listed["linear-prelaunch"] == ["P0USDT", "P1USDT", "P2USDT"]
    lists = [r.params for r in seen if r.path.endswith("instruments-info")]
    assert {params["category"] for params in lists} == {"linear", "inverse"}
    assert all(params["limit"] == "1000" for params in lists)


async def test_a_ban_stops_every_poll_for_as_long_as_it_says_and_is_told_once() -> None:
    banned_at: list[float] = []

    def answering(request: Request) -> Reply:
        if request.path.endswith("openInterest") and not banned_at:
            banned_at.append(time.monotonic())
            return Reply(b'{"code":-1003}', 429, {"Retry-After": "2"})
        return exchange(request)

    with server(answering) as (url, seen):
        async with polling(binance_at(url), poll_scale=0.005) as (sink, _):
            await sink.until(lambda: sink.told("resumed"))
    during = [r for r in seen if banned_at[0] + 0.5 < r.at < banned_at[0] + 1.9]
    assert not during
    assert len(sink.told("poll_stopped")) == 1
    assert sink.told("poll_stopped")[0]["detail"]["stop_s"] == 2.0


async def test_a_failed_poll_is_an_event_and_the_others_go_on() -> None:
    def answering(request: Request) -> Reply:
        if request.params.get("symbol") == "BUSDT":
            return Reply(b'{"code":-1121,"msg":"Invalid symbol."}', 400)
        return exchange(request)

    with server(answering) as (url, _):
        async with polling(binance_at(url), poll_scale=0.02) as (sink, _):
            await sink.until(lambda: sink.told("poll_failed") and any(f.symbol == "CUSDT" for f in sink.data))
    failed = sink.told("poll_failed")[0]
    assert failed["detail"] == {"channel": "um_openInterest", "symbol": "BUSDT", "status": 400}
    assert "-1121" in failed["reason"]
    assert not any(frame.symbol == "BUSDT" for frame in sink.data)


async def test_a_venue_that_cannot_be_reached_stops_the_polls_instead_of_failing_each() -> None:
    with server(exchange) as (url, _):
        pass
    async with polling(binance_at(url), poll_scale=0.001) as (sink, _):
        await sink.until(lambda: sink.told("poll_stopped"))
    assert sink.told("poll_stopped")[0]["reason"] == "the venue cannot be reached"
    assert len(sink.told("poll_failed")) <= 12


async def test_a_stalled_answer_times_out() -> None:
    def answering(request: Request) -> Reply:
        return Reply(b"[]", after_s=1.0) if request.path.endswith("fundingInfo") else exchange(request)

    with server(answering) as (url, _):
        async with polling(binance_at(url), rest_timeout_s=0.3) as (sink, _):
            await sink.until(lambda: sink.told("poll_failed"))
    assert "Timeout" in sink.told("poll_failed")[0]["reason"]


async def test_slow_answers_never_pile_up() -> None:
    at_once, most = 0, 0
    lock = threading.Lock()

    def answering(request: Request) -> Reply:
        nonlocal at_once, most
        if not request.path.endswith("openInterest"):
            return exchange(request)
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.3)
        with lock:
            at_once -= 1
        return exchange(request)

    with server(answering) as (url, _):
        async with polling(binance_at(url), poll_scale=0.0005) as (sink, _):
            await sink.until(lambda: sum(frame.channel == "um_openInterest" for frame in sink.data) >= 20)
    assert most <= poller_module.AT_ONCE


async def test_garbage_is_kept_and_told_where_instruments_were_asked_for() -> None:
    def answering(request: Request) -> Reply:
        return Reply(b"<html>busy</html>") if request.path == "/fapi/v1/exchangeInfo" else exchange(request)

    with server(answering) as (url, _):
        async with polling(binance_at(url)) as (sink, listed):
            await sink.until(lambda: sink.told("poll_failed"))
    assert any(frame.payload == b"<html>busy</html>" for frame in sink.data)
    assert "um" not in listed


async def test_a_listing_that_lost_most_symbols_is_believed_only_the_second_time() -> None:
    answers = 0

    def answering(request: Request) -> Reply:
        nonlocal answers
        if request.path != "/fapi/v1/exchangeInfo":
            return exchange(request)
        answers += 1
        return Reply(info("AUSDT")) if answers > 1 else exchange(request)

    with server(answering) as (url, _):
        async with polling(binance_at(url), poll_scale=0.001) as (sink, listed):
            await sink.until(lambda: sink.told("poll_failed"))
            assert len(listed["um"]) == 4
            await sink.until(lambda: len(listed["um"]) == 1)
    assert "1 instruments after 4" in sink.told("poll_failed")[0]["reason"]


async def test_an_answer_beyond_the_largest_frame_is_a_failed_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LARGEST_MESSAGE", 50)
    with server(exchange) as (url, _):
        async with polling(binance_at(url)) as (sink, _):
            await sink.until(lambda: sink.told("poll_failed"))
    assert "more than 50 bytes" in sink.told("poll_failed")[0]["reason"]


async def test_polls_wait_where_there_is_no_room_and_the_pause_counts_from_the_last_answer() -> None:
    with server(exchange) as (url, seen):
        async with polling(binance_at(url), poll_scale=0.005) as (sink, _):
            await sink.until(lambda: [frame for frame in sink.data if frame.topic == OPEN_INTEREST])
            sink.full = {OPEN_INTEREST}
            await sink.until(lambda: sink.told("paused"))
            asked = sum(request.path.endswith("/openInterest") for request in seen)
            await asyncio.sleep(0.2)  # several rounds
            assert sum(request.path.endswith("/openInterest") for request in seen) <= asked + poller_module.AT_ONCE
            last_ns = max(frame.recv_ns for frame in sink.data)
            sink.empty()
            await sink.until(lambda: sink.told("resumed"))
    (paused,) = sink.told("paused")
    assert paused["reason"] == "Kafka did not take frames"
    assert paused["detail"]["topics"] == [OPEN_INTEREST]
    assert min(frame.recv_ns for frame in sink.data) <= paused["detail"]["since_ns"] <= last_ns
    assert sink.told("resumed")[0]["detail"]["waited_s"] >= 0.2


async def test_a_poller_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller_module, "ALIVE_S", 0.02)
    with server(exchange) as (url, _):
        async with polling(binance_at(url), poll_scale=0.05) as (sink, _):
            await sink.until(lambda: len(sink.told("alive")) >= 2 and sink.told("alive")[-1]["frames"] > 0)
