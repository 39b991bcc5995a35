"""What a round of a poll asks for: pages, several values at once, what failed again, since when."""

import json
import time
from collections.abc import Callable

from collectors.venues.bybit import stream as bybit
from collectors.venues.okx import stream as okx
from tests.collectors.local_rest import Reply, Request, binance_at, exchange, polling, server


async def test_bybits_risk_limits_are_read_to_the_last_page_and_kept() -> None:
    def answering(request: Request) -> Reply:
        if not request.path.endswith("risk-limit"):
            listed = [{"symbol": f"S{i}", "contractType": "LinearPerpetual"} for i in range(45)]
            return Reply(json.dumps({"retCode": 0, "result": {"list": listed}}).encode())
        page = int(request.params.get("cursor", "0"))
        tiers = [{"symbol": f"S{page}", "riskLimitValue": "1"}]
        cursor = str(page + 1) if page < 2 else ""
        return Reply(json.dumps({"retCode": 0, "result": {"list": tiers, "nextPageCursor": cursor}}).encode())

    with server(answering) as (url, seen):
        async with polling(bybit.venue(bybit.Hosts(rest=url)), poll_scale=0.02) as (sink, listed):
            await sink.until(lambda: sum(frame.channel == "risk-limit" for frame in sink.data) >= 6)
    assert len(listed["linear"]) == 45, "a page of tiers is no listing"
    times = [r.at for r in seen if r.path.endswith("risk-limit") and r.params["category"] == "linear"]
    assert times[2] - times[0] > 0.4, "three pages in 1.2 s, not at once"


def _okx(request: Request, failing: Callable[[str], bool] = lambda _: False) -> Reply:
    asked = request.params.get("instFamily", "")
    if request.path.endswith("/instruments"):
        names = [f"C{i}-USDT" for i in range(12)] if request.params["instType"] == "SWAP" else []
        swaps = [{"instId": f"{n}-SWAP", "uly": n, "instFamily": n, "instType": "SWAP", "state": "live"} for n in names]
        return Reply(json.dumps({"code": "0", "data": swaps}).encode())
    return Reply(b'{"code":"50026","msg":"System error"}', 500) if failing(asked) else Reply(b'{"code":"0","data":[]}')


async def test_okx_is_asked_for_the_tiers_of_five_families_at_once() -> None:
    with server(_okx) as (url, seen):
        async with polling(okx.venue(okx.Hosts(rest=url)), poll_scale=0.01) as (sink, _):
            await sink.until(lambda: sum(frame.channel == "position-tiers" for frame in sink.data) == 3)
    asked = [r.params["instFamily"].split(",") for r in seen if r.path.endswith("position-tiers")]
    assert [len(families) for families in asked] == [5, 5, 2]
    assert {frame.symbol for frame in sink.data if frame.channel == "position-tiers"} == {"*"}


async def test_what_failed_of_a_daily_poll_is_asked_for_again_the_same_day() -> None:
    failures: list[str] = []

    def failing(asked: str) -> bool:
        if asked.startswith("C5") and not failures:
            failures.append(asked)
            return True
        return False

    with server(lambda request: _okx(request, failing)) as (url, seen):
        async with polling(okx.venue(okx.Hosts(rest=url)), poll_scale=0.005) as (sink, _):
            await sink.until(lambda: sum(frame.channel == "position-tiers" for frame in sink.data) == 3)
    asked = [r.params["instFamily"] for r in seen if r.path.endswith("position-tiers")]
    assert asked == [*asked[:3], failures[0]]


async def test_binances_settled_rates_of_all_symbols_are_asked_for_since_two_hours_ago() -> None:
    with server(exchange) as (url, seen):
        async with polling(binance_at(url)) as (sink, _):
            await sink.until(lambda: {"*", "AUSDT"} <= {f.symbol for f in sink.data if f.channel == "um_fundingRate"})
    (params,) = [r.params for r in seen if r.path == "/fapi/v1/fundingRate" and "symbol" not in r.params]
    assert params["limit"] == "1000"
    assert 7195 < time.time() - int(params["startTime"]) / 1000 < 7230


async def test_a_coin_margined_ratio_is_asked_for_by_pair_and_filed_under_it() -> None:
    def answering(request: Request) -> Reply:
        if request.path == "/dapi/v1/exchangeInfo":
            symbols = [("BUSD_PERP", "PERPETUAL"), ("BUSD_260626", "CURRENT_QUARTER"), ("AUSD_PERP", "PERPETUAL")]
            listed = [
                {"symbol": s, "pair": s.partition("_")[0], "contractStatus": "TRADING", "contractType": kind}
                for s, kind in symbols
            ]
            return Reply(json.dumps({"symbols": listed}).encode())
        return exchange(request)

    with server(answering) as (url, seen):
        async with polling(binance_at(url), poll_scale=0.002) as (sink, _):
            await sink.until(lambda: sum(f.channel == "cm_takerBuySellVol@5m" for f in sink.data) >= 2)
    asked = [r.params for r in seen if r.path == "/futures/data/takerBuySellVol"][:2]
    assert [params["pair"] for params in asked] == ["BUSD", "AUSD"], "one request a pair"
    assert {params["contractType"] for params in asked} == {"PERPETUAL"}
    assert {f.symbol for f in sink.data if f.channel == "cm_takerBuySellVol@5m"} == {"AUSD", "BUSD"}
    assert {f.symbol for f in sink.data if f.channel == "cm_fundingRate"} <= {"AUSD_PERP", "BUSD_PERP"}
