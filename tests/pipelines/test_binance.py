"""Binance: frames written for the project give the rows kept beside them."""

from pathlib import Path

import pytest

from collectors.topics import LIQUIDATION
from pipelines.facts import Rejected
from pipelines.reading.parse import parse_frames
from pipelines.venues.binance import channel_of
from pipelines.venues.binance.symbols import symbol_form
from tests.pipelines.frame_files import frame_files, given_and_expected
from tests.pipelines.venue_frames import START_MS, Session, binance_liquidation


@pytest.mark.parametrize("path", frame_files("binance"), ids=lambda path: path.stem)
def test_frames_give_the_rows_kept_beside_them(path: Path) -> None:
    given, expected = given_and_expected(path)
    assert given == expected


@pytest.mark.parametrize(
    ("symbol", "instrument"),
    [
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("BTCUSDT_260925", "BTC/USDT:USDT-260925"),
        ("BTCUSD_PERP", "BTC/USD:BTC"),
        ("BTCUSD_260626", "BTC/USD:BTC-260626"),
        ("1000SHIBUSDT", "SHIB/USDT:USDT"),
        ("1MBABYDOGEUSDT", "BABYDOGE/USDT:USDT"),
        ("1INCHUSDT", "1INCH/USDT:USDT"),
        ("ETHBTC", "ETH/BTC:BTC"),
        ("币安人生USDT", "币安人生/USDT:USDT"),
    ],
)
def test_a_symbol_is_read_by_its_form(symbol: str, instrument: str) -> None:
    form = symbol_form(symbol)
    assert form is not None
    assert form.instrument == instrument


def test_a_symbol_of_no_known_form_is_not_guessed() -> None:
    assert symbol_form("SOMETHING") is None


def test_a_message_names_its_own_channel_bare_combined_or_as_an_array() -> None:
    assert channel_of(b'{"e":"forceOrder","o":{"s":"BTCUSDT"}}') == ("forceOrder", "BTCUSDT")
    assert channel_of(b'{"stream":"x","data":{"e":"forceOrder","o":{"s":"BTCUSDT"}}}') == ("forceOrder", "BTCUSDT")
    assert channel_of(b' [{"e":"markPriceUpdate","s":"BTCUSDT"}]') == ("markPrice", "*")
    assert channel_of(b'{"e":"kline","s":"BTCUSDT","k":{"i":"5m"}}') == ("kline_5m", "BTCUSDT")
    assert channel_of(b'{"code":2,"msg":"Invalid request"}') == ("control", "*")
    assert channel_of(b'{"error":{"code":4,"msg":"Too many subscriptions"},"id":1}') == ("control", "*")
    assert channel_of(b"nonsense") is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"X": "NEW\x00"}, "the status is too long, or not printable"),
        ({"X": "x" * 1000}, "the status is too long, or not printable"),
        ({"X": "币安"}, ""),
        ({"s": "\x00", "z": "0", "q": "5"}, "the symbol"),
        ({"s": "\x00", "z": "", "q": "5"}, "the symbol"),
        ({"p": "1e13"}, "price"),
        ({"p": "1e-16"}, "price"),
        ({"p": "1e12"}, ""),
        ({"p": "", "X": None}, ""),
        ({"z": "0", "q": "-5"}, "'-5'"),
        ({"z": "0", "q": ""}, "quantity"),
    ],
)
def test_an_order_is_refused_for_what_is_wrong_with_it(changed: dict[str, str | None], said: str) -> None:
    message = binance_liquidation(START_MS, "SELL", "2", "1800")
    message["o"] |= changed
    parsed = parse_frames([Session("binance", "um-1-a").frame("forceOrder", "*", message, START_MS, LIQUIDATION)], {})
    reasons = [row.reason for row in parsed.rejected.rows if isinstance(row, Rejected)]
    assert len(reasons) == bool(said)
    assert all(said in reason for reason in reasons), reasons
