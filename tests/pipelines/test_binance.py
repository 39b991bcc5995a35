"""Binance: frames written for the project give the rows kept beside them."""

from pathlib import Path

import pytest

from pipelines.venues.binance import channel_of
from pipelines.venues.binance_symbols import symbol_form
from tests.pipelines.frame_files import frame_files, given_and_expected


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
