"""Binance: frames written for the project give the rows kept beside them."""

from pathlib import Path

import msgspec
import pytest

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, Liquidation, MarkPrice, Nothing
from pipelines.venues import Held, parser_of
from pipelines.venues.bybit import channel_of
from pipelines.venues.bybit.symbols import symbol_form
from pipelines.venues.bybit.tickers import state, tickers
from tests.pipelines.frame_files import frame_files, given_and_expected


@pytest.mark.parametrize("path", frame_files("bybit"), ids=lambda path: path.stem)
def test_frames_give_the_rows_kept_beside_them(path: Path) -> None:
    given, expected = given_and_expected(path)
    assert given == expected


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("BTCPERP", "BTC/USDC:USDC"),
        ("BTCUSDT-21FEB25", "BTC/USDT:USDT-250221"),
        ("BTC-26DEC25", "BTC/USDC:USDC-251226"),
        ("BTCUSD", "BTC/USD:BTC"),
        ("BTCUSDU23", "BTC/USD:BTC-230929"),
        ("1000PEPEUSDT", "PEPE/USDT:USDT"),
        ("10000000AIDOGEUSDT", "AIDOGE/USDT:USDT"),
        ("SHIB1000USDT", "SHIB/USDT:USDT"),
        ("1INCHUSDT", "1INCH/USDT:USDT"),
    ],
)
def test_a_symbol_is_read_by_its_form(symbol: str, instrument: str) -> None:
    form = symbol_form(symbol)
    assert form is not None
    assert form.instrument == instrument


def test_a_message_names_its_own_channel_by_its_topic() -> None:
    assert channel_of(b'{"topic":"allLiquidation.BTCUSDT","data":[]}') == ("allLiquidation", "BTCUSDT")
    assert channel_of(b'{"topic":"orderbook.50.BTCUSDT"}') == ("orderbook.50", "BTCUSDT")
    assert channel_of(b'{"topic":"system.status","data":[]}') == ("system.status", "*")
    assert channel_of(b'{"success":true,"ret_msg":"","op":"subscribe"}') == ("control", "*")
    assert channel_of(b'{"retCode":0}') is None


def _ticker(session: str, kind: str, cs: int, **fields: str) -> RawFrame:
    data = {"symbol": "BTCUSDT", **fields}
    payload = msgspec.json.encode(
        {"topic": "tickers.BTCUSDT", "type": kind, "data": data, "cs": cs, "ts": 1790000000000}
    )
    return RawFrame("bybit", "tickers", "BTCUSDT", "ws", 0, session, "a", "live", cs, payload)


def test_what_one_session_said_is_not_another_sessions() -> None:
    held: Held = {}
    tickers(_ticker("a", "snapshot", 1, markPrice="100", indexPrice="101"), held)
    assert isinstance(tickers(_ticker("b", "delta", 2, markPrice="102"), held)[0], Nothing)
    assert tickers(_ticker("a", "delta", 2, markPrice="103"), held) == [
        MarkPrice("BTCUSDT", 1790000000000, 103.0, 101.0)
    ]


def test_a_session_goes_on_from_a_state_built_of_numbers() -> None:
    held: Held = {
        ("a", "BTCUSDT"): state("BTCUSDT", markPrice=100.5, nextFundingTime=1790006400000, fundingRate=0.0001)
    }
    assert tickers(_ticker("a", "delta", 2, indexPrice="103", fundingIntervalHour="4"), held) == [
        FundingRate("BTCUSDT", 1790000000000, 0.0001, 1790006400000, 4.0),
        MarkPrice("BTCUSDT", 1790000000000, 100.5, 103.0),
    ]


def test_a_retired_topic_is_read_by_the_version_that_understands_it() -> None:
    v5 = b'{"topic":"liquidation.X","data":{"updatedTime":1673251091822,"symbol":"XUSDT","side":"Buy","size":"1","price":"2"}}'
    v2 = b'{"topic":"liquidation.X","data":{"time":1673251091822,"symbol":"XUSDT","side":"Buy","qty":"1","price":"2"}}'
    parse = parser_of("bybit", "ws", "liquidation")
    assert parse is not None
    for received in (0, 1_673_251_092_000_000_000, 1_790_000_000_000_000_000):
        frames = [
            RawFrame("bybit", "liquidation", "X", "ws", received, "s", "a", "live", 1, payload) for payload in (v5, v2)
        ]
        assert parse(frames[0], {}) == parse(frames[1], {})
        assert isinstance(parse(frames[0], {})[0], Liquidation)
