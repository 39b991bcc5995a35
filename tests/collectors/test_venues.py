"""The venues' files: what they ask for, and how they name what comes back. No I/O."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import topics
from collectors.live.shards import assign
from collectors.plan import assumed
from collectors.venues.binance import stream as binance
from collectors.venues.bybit import stream as bybit
from collectors.venues.known import USUAL, VENUES
from collectors.venues.okx import stream as okx
from collectors.venues.venue import Answer, Control, Feed, Frame, Limits, Listed, Rate, Source, Venue

FORCE_ORDER = b'{"e":"forceOrder","E":2,"o":{"s":"ADAUSDT","S":"SELL","q":"5","p":"1","ap":"1","z":"5","T":1,"st":1}}'
MARKS = (
    b'[{"e":"markPriceUpdate","E":1,"s":"ADAUSDT","p":"1","i":"1","r":"0.0001","T":9},{"e":"markPriceUpdate","s":"B"}]'
)
OKX_LIQUIDATION = b'{"id":"1","arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[]}]}'
OKX_ERROR = b'{"id":"7","event":"error","code":"60018","msg":"no such channel","connId":"a"}'
OKX_OI = b'{"arg":{"channel":"open-interest","instId":"A"},"data":[]}'
OKX_ACK = b'{"id":"5","event":"subscribe","arg":{"channel":"mark-price","instId":"A"}}'
BINANCE_KLINE = b'{"e":"kline","E":2,"s":"ADAUSDT","k":{"t":1,"T":2,"s":"ADAUSDT","i":"1m","o":"1","x":false}}'
OKX_INSTRUMENTS = (
    b'{"data":[{"instId":"A-USDT-SWAP","uly":"A-USDT","instType":"SWAP"},{"instId":"B","state":"preopen"}]}'
)
BYBIT_REFUSED = b'{"success":false,"ret_msg":"bad","req_id":"4","op":"subscribe"}'
OKX_NOTICE = b'{"event":"notice","code":"64008","msg":"soon closed","connId":"a"}'
BYBIT_TICKER = b'{"topic":"tickers.ADAUSDT","type":"delta","ts":1,"data":{"symbol":"ADAUSDT","markPrice":"1"}}'

NAMED = [
    ("binance", FORCE_ORDER, Frame("forceOrder", "ADAUSDT", topics.LIQUIDATION)),
    ("binance", b'{"stream":"x","data":' + FORCE_ORDER + b"}", Frame("forceOrder", "ADAUSDT", topics.LIQUIDATION)),
    ("binance", MARKS, Frame("markPrice", "*", topics.TICKER)),
    ("binance", b'{"stream":"!markPrice@arr@1s","data":' + MARKS + b"}", Frame("markPrice", "*", topics.TICKER)),
    ("binance", b'{"e":"contractInfo","s":"ADAUSDT"}', Frame("contractInfo", "ADAUSDT", topics.REFERENCE)),
    ("binance", BINANCE_KLINE, Frame("kline_1m", "ADAUSDT", topics.KLINE)),
    ("binance", b'{"e":"kline","s":"ADAUSDT"}', None),
    ("binance", b'{"result":null,"id":3}', Control("ack", "3")),
    ("binance", b'{"error":{"code":4,"msg":"many"},"id":3}', Control("refused", "3", detail='{"code":4,"msg":"many"}')),
    ("binance", b'{"code":2,"msg":"Invalid request"}', Control("refused", detail="2 Invalid request")),
    ("binance", b'{"e":"aggTrade","s":"ADAUSDT"}', None),
    ("bybit", BYBIT_TICKER, Frame("tickers", "ADAUSDT", topics.TICKER)),
    ("bybit", b'{"topic":"allLiquidation.ADAUSDT","data":[]}', Frame("allLiquidation", "ADAUSDT", topics.LIQUIDATION)),
    ("bybit", b'{"topic":"kline.1.ADAUSDT","data":[]}', Frame("kline.1", "ADAUSDT", topics.KLINE)),
    ("bybit", b'{"topic":"kline.5.ADAUSDT","data":[]}', None),
    ("bybit", b'{"success":true,"ret_msg":"pong","req_id":"","op":"ping"}', Control("pong")),
    ("bybit", b'{"success":true,"ret_msg":"","req_id":"4","op":"subscribe"}', Control("ack", "4")),
    ("bybit", BYBIT_REFUSED, Control("refused", "4", detail="bad")),
    ("bybit", b'{"topic":"orderbook.1.ADAUSDT","data":{}}', None),
    ("okx", b"pong", Control("pong")),
    ("okx", OKX_LIQUIDATION, Frame("liquidation-orders", "*", topics.LIQUIDATION)),
    ("okx", b'{"arg":{"channel":"funding-rate","instId":"A"},"data":[]}', Frame("funding-rate", "A", topics.FUNDING)),
    ("okx", OKX_OI, Frame("open-interest", "A", topics.OPEN_INTEREST)),
    ("okx", b'{"arg":{"channel":"mark-price","instId":"A"},"data":[]}', Frame("mark-price", "A", topics.TICKER)),
    ("okx", b'{"arg":{"channel":"candle1m","instId":"A"},"data":[]}', Frame("candle1m", "A", topics.KLINE)),
    ("okx", OKX_ACK, Control("ack", "5", "mark-price:A")),
    ("okx", OKX_ERROR, Control("refused", "7", detail="60018 no such channel")),
    ("okx", OKX_NOTICE, Control("renew", detail="64008 soon closed")),
    ("okx", b'{"arg":{"channel":"books","instId":"A"},"data":[]}', None),
]  # fmt: skip


@pytest.fixture(params=list(VENUES))
def venue(request: pytest.FixtureRequest) -> Venue:
    return VENUES[request.param]()


@pytest.mark.parametrize(("name", "payload", "expected"), NAMED)
def test_a_message_is_named_by_the_exchanges_word_and_its_topic(
    name: str, payload: bytes, expected: Frame | Control | None
) -> None:
    assert VENUES[name]().classify(payload) == expected


@given(st.binary() | st.sampled_from([message for _, message, _ in NAMED]).map(lambda m: m[: len(m) // 2]))
def test_no_bytes_make_classify_raise(payload: bytes) -> None:
    for make in VENUES.values():
        assert make().classify(payload) is None or payload == b"pong"


@pytest.mark.parametrize(
    "payload", [b"[" * 100_000, b'{"a":' * 100_000, b"", b"null", b"7", b'"x"', b"[]", b"[1]", b'{"e":1}']
)
def test_hostile_json_has_no_name(venue: Venue, payload: bytes) -> None:
    assert venue.classify(payload) is None


def test_every_request_stays_within_the_venues_limits(venue: Venue) -> None:
    for wanted in venue.feeds(assumed(venue, 900)):
        sockets = assign(wanted, (), venue.limits)
        assert [arg for feed in sockets for arg in feed.args] == list(wanted.args)
        for feed in sockets:
            assert len(feed.args) <= venue.limits.args_per_socket
            size = venue.limits.args_per_request
            longest = max(len(venue.request("subscribe", "1", feed.args[i : i + size])) for i in range(0, 900, size))
            assert longest < 64 * 1024
            assert venue.name != "bybit" or sum(len(f'"{arg}",') for arg in feed.args) <= 21_000


def test_binance_takes_all_market_streams_from_the_routed_um_path_only_and_klines_from_each_universe() -> None:
    feed, um, cm = VENUES["binance"]().feeds({"um": [Listed("ADAUSDT")], "cm": [Listed("ADAUSD_PERP")]})
    assert feed.url == um.url == "wss://fstream.binance.com/market/ws"
    assert feed.args[:2] == ("!forceOrder@arr", "!markPrice@arr@1s")
    assert um.args == ("adausdt@kline_1m",), "an upper-case name is acknowledged and silent"
    assert (cm.url, cm.args) == ("wss://dstream.binance.com/ws", ("adausd_perp@kline_1m",))


def test_what_bybit_trades_before_its_launch_is_subscribed_with_its_category() -> None:
    listing = {"linear": (Listed("BTCUSDT"),), "inverse": (Listed("BTCUSD"),), "linear-prelaunch": (Listed("BIOUSDT"),)}
    args = {feed.name: set(feed.args) for feed in bybit.venue().feeds(listing)}
    assert {"allLiquidation.BIOUSDT", "tickers.BIOUSDT", "tickers.BTCUSDT"} <= args["linear"]
    assert args["linear-kline"] == {"kline.1.BTCUSDT", "kline.1.BIOUSDT"}
    assert args["inverse"] == {"allLiquidation.BTCUSD", "tickers.BTCUSD"}


def test_okx_asks_for_liquidations_by_type_and_the_rest_by_instrument() -> None:
    venue = VENUES["okx"]()
    feed, candles = venue.feeds(
        {"SWAP": [Listed("A-USDT-SWAP", "A-USDT")], "FUTURES": [Listed("A-USD-1", "A-USD", funding=False)]}
    )
    args = json.loads(venue.request("subscribe", "1", feed.args))["args"]
    assert {"channel": "liquidation-orders", "instType": "FUTURES"} in args
    assert {"channel": "index-tickers", "instId": "A-USD"} in args
    assert {"channel": "funding-rate", "instId": "A-USDT-SWAP"} in args
    assert {"channel": "funding-rate", "instId": "A-USD-1"} not in args
    assert candles.url.endswith("/ws/v5/business")
    assert candles.args == ("candle1m:A-USDT-SWAP", "candle1m:A-USD-1")


@pytest.mark.parametrize("name", USUAL)
def test_what_is_left_out_is_neither_polled_nor_subscribed(name: str) -> None:
    venue = VENUES[name]()
    listing = assumed(venue, 50)
    bare = venue.without({Source("ws", topics.KLINE), Source("rest", topics.RATIO)})
    assert {poll.topic for poll in venue.polls} - {poll.topic for poll in bare.polls} == {topics.RATIO}
    assert topics.KLINE in {poll.topic for poll in bare.polls}
    left = [arg for feed in bare.feeds(listing) for arg in feed.args]
    gone = [arg for feed in venue.feeds(listing) for arg in feed.args if arg not in left]
    assert len(gone) == 50
    assert {venue.stream(arg).topic for arg in gone} == {topics.KLINE}


def test_addresses_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_BINANCE_UM_WS", "ws://127.0.0.1:1")
    monkeypatch.setenv("LIQ_BYBIT_REST", "http://127.0.0.1:2")
    assert VENUES["binance"]().feeds({})[0].url == "ws://127.0.0.1:1/market/ws"
    assert VENUES["bybit"]().polls[0].url == "http://127.0.0.1:2/v5/market/instruments-info"


def test_a_page_lists_what_can_be_subscribed_and_how_to_go_on() -> None:
    page = bybit.venue().page(b'{"result":{"list":[{"symbol":"ADAUSDT"}],"nextPageCursor":"n%3D1"}}')
    assert page.listed[0].symbol == "ADAUSDT"
    assert page.following == (("cursor", "n%3D1"),)
    page = binance.venue().page(
        b'{"symbols":[{"symbol":"A","status":"TRADING"},{"symbol":"B","contractStatus":"SETTLING"}]}'
    )
    assert [item.symbol for item in page.listed] == ["A"]
    assert okx.venue().page(OKX_INSTRUMENTS).listed == (Listed("A-USDT-SWAP", "A-USDT", family="A-USDT"),)


NOW_S = 1_800_000_000.0
REFUSALS = [
    ("binance", Answer(200, {}, b"{}", NOW_S), None),
    ("binance", Answer(429, {"retry-after": "7"}, b"", NOW_S), 7.0),
    ("binance", Answer(418, {}, b'{"code":-1003,"msg":"banned until 1800000090000"}', NOW_S), 90.0),
    ("binance", Answer(503, {"retry-after": "5"}, b'{"code":-1008,"msg":"Request throttled"}', NOW_S), 5.0),
    ("binance", Answer(503, {}, b"", NOW_S), 0.0),
    ("binance", Answer(400, {}, b'{"code":-1121,"msg":"Invalid symbol."}', NOW_S), 0.0),
    ("bybit", Answer(200, {}, b'{"retCode":0,"retMsg":"OK"}', NOW_S), None),
    ("bybit", Answer(403, {}, b"access too frequent", NOW_S), 600.0),
    (
        "bybit",
        Answer(200, {"x-bapi-limit-reset-timestamp": "1800000003000"}, b'{"retCode":10006,"retMsg":"Too"}', NOW_S),
        3.0,
    ),
    ("bybit", Answer(200, {}, b'{"retCode":10006,"retMsg":null}', NOW_S), 5.0),
    ("bybit", Answer(200, {}, b'{"retCode":10018,"retMsg":"Exceeded the IP Rate Limit"}', NOW_S), 600.0),
    ("bybit", Answer(200, {}, b'{"retCode":10429,"retMsg":"System level frequency protection"}', NOW_S), 60.0),
    ("bybit", Answer(200, {}, b'{"retCode":10001,"retMsg":"params error"}', NOW_S), 0.0),
    ("okx", Answer(200, {}, b'{"code":"0","data":[]}', NOW_S), None),
    ("okx", Answer(200, {}, b'{"code":"50011","msg":"Too Many Requests"}', NOW_S), 10.0),
    ("okx", Answer(429, {"retry-after": "Fri, 15 Jan 2027 08:00:20 GMT"}, b"{}", NOW_S), 20.0),
    ("okx", Answer(200, {}, b"not json", NOW_S), None),
]


@pytest.mark.parametrize(("name", "answer", "stop_s"), REFUSALS)
def test_an_answer_that_is_not_data_says_how_long_to_stop(name: str, answer: Answer, stop_s: float | None) -> None:
    refusal = VENUES[name]().refusal(answer)
    assert (refusal.stop_s if refusal else None) == stop_s


LIMITS = Limits(10, 4, Rate(1, 1.0), Rate(1, 1.0), chars_per_socket=40)


def test_a_new_listing_moves_no_other_argument() -> None:
    before = assign(Feed("linear", "u", ("a", "b", "c", "d", "e")), (), LIMITS)
    after = assign(Feed("linear", "u", ("a", "c", "d", "e", "f", "g")), before, LIMITS)
    assert [feed.args for feed in before] == [("a", "b", "c", "d"), ("e",)]
    assert [feed.args for feed in after] == [("a", "c", "d", "f"), ("e", "g")]
    assert [feed.name for feed in after] == ["linear", "linear-2"]


def test_long_arguments_are_spread_by_their_characters() -> None:
    assert [len(feed.args) for feed in assign(Feed("f", "u", ("x" * 17, "y" * 17, "z" * 17)), (), LIMITS)] == [2, 1]
