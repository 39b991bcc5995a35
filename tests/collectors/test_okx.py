"""OKX: what it says when it is asked too often or is busy, and what then is done. Facts: exchanges/okx.md §1, §9."""

import asyncio

import httpx
import pytest

from collectors import topics
from collectors.delivery.recorder import Recorder
from collectors.errors import RefusedError
from collectors.history.requests import Request, Requests
from collectors.history.settings import BackfillSettings
from collectors.polls.budget import Budget
from collectors.service import Collector
from collectors.settings import CollectorSettings
from collectors.simulator import Limits, Simulator
from collectors.venues.okx import stream as okx
from collectors.venues.okx.simulator import OkxLimits
from collectors.venues.venue import Answer, Control, Frame, Rate
from tests.collectors import local_rest
from tests.collectors.sink import Frames

QUICK = CollectorSettings(first_delay_s=0.05)
ONCE_AN_HOUR = Limits(okx=OkxLimits(operations_per_hour=1))
HISTORY = "funding-rate-history"


@pytest.mark.parametrize("code", ["60014", "64007"])
def test_what_is_refused_for_the_connections_sake_is_asked_on_another(code: str) -> None:
    text = f'{{"id":"2","event":"error","code":"{code}","msg":"later","connId":"a"}}'
    assert okx.venue().classify(text.encode()) == Control("renew", "2", detail=f"{code} later")


async def test_a_connection_that_asked_too_often_is_replaced_and_nothing_is_refused_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Simulator(coins=["BTC", "ETH"], limits=ONCE_AN_HOUR) as simulator:
        for name, value in simulator.env().items():
            monkeypatch.setenv(name, value)
        sink = Frames()
        collector = Collector(okx.venue(), sink, QUICK)
        running = asyncio.create_task(collector.run())
        await sink.until(lambda: sink.told("rolled_over") or sink.told("refused"))
        collector.stop()
        await asyncio.wait_for(running, 60)
    assert sink.told("refused") == []
    assert [event["reason"] for event in sink.told("notice")] == ["60014 Requests too frequent"]
    fresh = sink.told("subscribed")[-1]
    told = {each["channel"] for each in fresh["detail"]["channels"]}
    assert {"liquidation-orders", "mark-price", "funding-rate", "open-interest"} <= told


@pytest.mark.parametrize(
    ("status", "body", "stop_s"),
    [
        (200, b'{"code":50011,"msg":"Too Many Requests"}', 10.0),
        (200, b'{"code":"50011","msg":null,"data":null}', 10.0),
        (400, b'{"code":"50004","msg":"Endpoint request timeout","data":[]}', 5.0),
        (200, b'{"code":"50013","msg":"Systems are busy","data":[]}', 5.0),
        (429, b'{"code":"50013","msg":"Systems are busy","data":[]}', 10.0),
        (500, b'{"code":"50026","msg":"System error","data":[]}', 0.0),
        (400, b'{"code":"51000","msg":"Parameter instId error","data":[]}', 0.0),
        (200, b'{"code":"51001","msg":"Instrument ID does not exist","data":[]}', 0.0),
    ],
)
def test_an_answer_says_by_its_code_how_long_to_stop(status: int, body: bytes, stop_s: float) -> None:
    refusal = okx.venue().refusal(Answer(status, {}, body, 1_800_000_000.0))
    assert refusal is not None
    assert refusal.stop_s == stop_s


async def _asked(*bodies: tuple[int, bytes]) -> tuple[bytes, int]:
    """Ask a server that gives these answers in turn; return the answer that is taken, and how often it was asked."""
    left = list(bodies)
    venue, sink = okx.venue(), Frames()
    with local_rest.server(lambda _: local_rest.Reply(*reversed(left.pop(0)), headers={"Retry-After": "1"})) as (
        url,
        seen,
    ):
        async with httpx.AsyncClient() as client:
            requests = Requests(
                venue, Budget({HISTORY: Rate(10, 2.0)}, 1.0), Recorder("okx", "backfill", "rest", sink), sink,
                BackfillSettings(first_delay_s=0.05), client, lambda _: None,
            )  # fmt: skip
            wanted = Request(Frame(HISTORY, "BTC-USDT-SWAP", topics.FUNDING), url, (), HISTORY)
            return await requests.ask(wanted), len(seen)


@pytest.mark.parametrize(
    "refused", [(400, b'{"code":"50004","msg":"timeout"}'), (200, b'{"code":"50013","msg":"busy"}')]
)
async def test_a_backfill_asks_again_where_okx_was_busy(refused: tuple[int, bytes]) -> None:
    answer = b'{"code":"0","msg":"","data":[]}'
    assert await _asked(refused, (200, answer)) == (answer, 2)


async def test_a_backfill_gives_up_what_okx_does_not_know() -> None:
    with pytest.raises(RefusedError, match="51001"):
        await _asked((200, b'{"code":"51001","msg":"no such instrument","data":[]}'))


def test_a_perpetual_like_future_is_asked_for_its_funding_and_its_index() -> None:
    body = (
        b'{"code":"0","data":[{"instId":"BTC-USD_UM_XPERP-310404","instType":"FUTURES","uly":"BTC-USD",'
        b'"instFamily":"BTC-USD_UM","ruleType":"xperp","state":"live"},{"instId":"BTC-USD-261225","instType":"FUTURES",'
        b'"uly":"BTC-USD","instFamily":"BTC-USD","ruleType":"normal","state":"live"}]}'
    )
    public, _ = okx.venue().feeds({"FUTURES": okx.venue().page(body).listed})
    asked = [arg for arg in public.args if arg.startswith(("funding-rate:", "index-tickers:"))]
    assert asked == ["funding-rate:BTC-USD_UM_XPERP-310404", "index-tickers:BTC-USD"]
