"""Whether a bar had ended when it was received: said by the venue, else by its length and the time of arrival."""

from typing import Any

import msgspec
import pytest

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.venues.wire import BAR_SETTLES_MS

OPENED = 1_790_000_040_000
MINUTE = 60_000


def _closed(venue: str, channel: str, table: str, answer: Any, received: int) -> list[bool | None]:
    symbol = "BTC-USDT-SWAP" if venue == "okx" else "BTCUSDT"
    payload = msgspec.json.encode(answer)
    frame = RawFrame(
        venue, channel, symbol, "rest", received * 1_000_000, f"{venue}-backfill-1-a", "backfill", "backfill", 1, payload,
    )  # fmt: skip
    found: list[bool | None] = normalise(parse_frames([frame], {}), Instruments()).tables[table]["closed"].to_list()
    return found


@pytest.mark.parametrize(
    ("channel", "length"), [("kline@1", MINUTE), ("kline@60", 60 * MINUTE), ("kline@D", 1440 * MINUTE)]
)
def test_where_the_venue_does_not_say_it_a_candle_is_closed_a_while_after_its_end(channel: str, length: int) -> None:
    candle = [str(OPENED), "1", "2", "1", "2", "10", "15"]
    answer = {"retCode": 0, "result": {"category": "linear", "symbol": "BTCUSDT", "list": [candle]}}
    assert _closed("bybit", channel, "klines", answer, OPENED + length + BAR_SETTLES_MS - 1) == [False]
    assert _closed("bybit", channel, "klines", answer, OPENED + length + BAR_SETTLES_MS) == [True]


@pytest.mark.parametrize(
    ("venue", "channel"), [("binance", "um_klines@1m"), ("binance", "cm_klines@1m"), ("bybit", "kline@1")]
)
@pytest.mark.parametrize("arrived", [0, 59_999, MINUTE, MINUTE + 10_000])
def test_a_polled_candle_that_may_have_run_is_never_said_to_be_closed_and_those_before_it_are(
    venue: str, channel: str, arrived: int
) -> None:
    """An answer made just before the minute's end may arrive after it: its newest candle is then one that ran."""
    opens = [OPENED - MINUTE, OPENED]
    if venue == "binance":
        answer: Any = [[at, "1", "2", "1", "2", "10", at + MINUTE - 1, "15", 7, "4", "6", "0"] for at in opens]
        wanted = [True, False]
    else:
        rows = [[str(at), "1", "2", "1", "2", "10", "15"] for at in reversed(opens)]
        answer = {"retCode": 0, "result": {"category": "linear", "symbol": "BTCUSDT", "list": rows}}
        wanted = [False, True]
    assert _closed(venue, channel, "klines", answer, OPENED + arrived) == wanted


def test_what_the_venue_says_of_a_candle_goes_before_the_clock() -> None:
    candle = [str(OPENED), "1", "2", "1", "2", "10", "1", "15", "0"]
    answer = {"code": "0", "data": [candle]}
    assert _closed("okx", "history-candles@1m", "klines", answer, OPENED + 99 * MINUTE) == [False]


def test_a_month_is_of_no_fixed_length() -> None:
    candle = [str(OPENED), "1", "2", "1", "2", "10", "15"]
    answer = {"retCode": 0, "result": {"category": "linear", "symbol": "BTCUSDT", "list": [candle]}}
    assert _closed("bybit", "kline@M", "klines", answer, OPENED + 1) == [None]


def test_taker_volumes_of_a_running_period_are_told_apart_from_those_of_a_finished_one() -> None:
    answer = {"code": "0", "data": [[str(OPENED), "380", "300"], [str(OPENED - 5 * MINUTE), "300", "280"]]}
    channel = "rubik_taker-volume-contract@5m"
    assert _closed("okx", channel, "long_short_ratios", answer, OPENED + MINUTE) == [False, True]


def test_a_ratio_of_accounts_is_what_it_is() -> None:
    answer = {"code": "0", "data": [[str(OPENED), "1.5"]]}
    channel = "rubik_long-short-account-ratio-contract@5m"
    assert _closed("okx", channel, "long_short_ratios", answer, OPENED + 1) == [True]
