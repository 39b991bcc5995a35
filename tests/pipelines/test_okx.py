"""OKX: frames written for the project give the rows kept beside them."""

import json
from pathlib import Path

import pytest

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate
from pipelines.reading.parse import parse_frames
from pipelines.venues.okx import channel_of
from pipelines.venues.okx.rest import interval
from pipelines.venues.okx.streams import funding_rates
from pipelines.venues.okx.symbols import symbol_form
from tests.pipelines.frame_files import frame_files, given_and_expected


@pytest.mark.parametrize("path", frame_files("okx"), ids=lambda path: path.stem)
def test_frames_give_the_rows_kept_beside_them(path: Path) -> None:
    given, expected = given_and_expected(path)
    assert given == expected


@pytest.mark.parametrize(
    ("symbol", "instrument", "contract"),
    [
        ("BTC-USDT-SWAP", "BTC/USDT:USDT", "linear"),
        ("BTC-USDC-SWAP", "BTC/USDC:USDC", "linear"),
        ("BTC-USD-SWAP", "BTC/USD:BTC", "inverse"),
        ("BTC-USD-260626", "BTC/USD:BTC-260626", "inverse"),
        ("BTC-USDT-260626", "BTC/USDT:USDT-260626", "linear"),
        ("BTC-USD_UM_XPERP-310404", None, "linear"),
        ("BTC-USD", None, None),
        ("1INCH-USDT-SWAP", "1INCH/USDT:USDT", "linear"),
    ],
)
def test_a_symbol_is_read_by_its_form(symbol: str, instrument: str | None, contract: str | None) -> None:
    form = symbol_form(symbol)
    assert form is not None
    assert (form.instrument, form.contract) == (instrument, contract)


def test_an_option_is_no_contract_we_know() -> None:
    assert symbol_form("BTC-USD-260626-50000-C") is None


def test_bars_cut_at_utc8_are_named_so() -> None:
    assert [interval(bar) for bar in ("1m", "1H", "4H", "6H", "1D", "1Dutc", "1M", "1Mutc", "1Y")] == [
        "1m", "1h", "4h", "6h+8", "1d+8", "1d", "1M+8", "1M", "1y+8",
    ]  # fmt: skip


def test_a_push_names_its_own_channel() -> None:
    assert channel_of(b"pong") == ("control", "*")
    assert channel_of(b'{"event":"subscribe","arg":{"channel":"tickers"}}') == ("control", "*")
    assert channel_of(b'{"arg":{"channel":"mark-price","instId":"X"},"data":[]}') == ("mark-price", "X")
    assert channel_of(b'{"code":"0","data":[]}') is None


def test_a_push_without_time_is_dated_by_its_arrival() -> None:
    payload = b'{"arg":{},"data":[{"instId":"X-USDT-SWAP","fundingTime":"1640131200000","fundingRate":"0.001"}]}'
    frame = RawFrame("okx", "funding-rate", "X-USDT-SWAP", "ws", 1_640_130_000_000_000_000, "s", 1, payload)
    assert funding_rates(frame, {}) == [FundingRate("X-USDT-SWAP", 1640130000000, 0.001, 1640131200000)]


def test_a_frame_of_several_instruments_not_kept_is_counted_once_with_its_reason() -> None:
    data = [{"instId": symbol, "instType": "MARGIN", "details": []} for symbol in ("BTC-USDT", "ETH-USDT")]
    payload = json.dumps({"arg": {"channel": "liquidation-orders"}, "data": data}).encode()
    frame = RawFrame("okx", "liquidation-orders", "*", "ws", 1_790_000_000_000_000_000, "s", 1, payload)
    parsed = parse_frames([frame, frame], {})
    assert parsed.reasons == {"liquidations of MARGIN: not a derivative kept here": 2}
