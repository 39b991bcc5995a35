"""Frames to tables: exact columns, identities, and nothing that bad bytes can break."""

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import DEAD, WITH_ROWS, WITHOUT_ROWS, normalise, parse_frames, raw_frames
from pipelines.columns.schemas import schema
from pipelines.facts import Instrument
from pipelines.reading import blocks
from pipelines.reading.blocks import parse_batch
from pipelines.reading.latest import parse_latest
from pipelines.venues import VENUES
from tests.pipelines.frame_files import own_frames

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW_MS = 1_790_000_000_000
NOW_NS = NOW_MS * 1_000_000
OWN = own_frames()


def _frame(
    venue: str, channel: str, payload: bytes, seq: int = 1, transport: str = "ws", symbol: str = "*"
) -> RawFrame:
    session = f"{venue}-test-1-a"
    return RawFrame(venue, channel, symbol, transport, NOW_NS, session, "a", "live", seq, payload, "raw.x", 2, seq + 10)  # type: ignore[arg-type]


def _bybit(symbol: str, qty: str, price: str, side: str = "Buy", time: int = NOW_MS) -> bytes:
    item = {"T": time, "s": symbol, "S": side, "v": qty, "p": price}
    return msgspec.json.encode({"topic": f"allLiquidation.{symbol}", "ts": time, "data": [item]})


def test_every_table_has_the_warehouses_columns_with_and_without_rows() -> None:
    for frames in ([], own_frames()):
        tables = normalise(parse_frames(frames, {}), Instruments()).tables
        for name, table in tables.items():
            assert dict(table.schema) == schema(name)
    assert all(table.height for table in tables.values())
    assert dict(raw_frames(parse_frames(frames, {})).schema) == schema("raw_frames")


def test_a_row_says_where_its_frame_lies() -> None:
    parsed = parse_frames([_frame("bybit", "allLiquidation", _bybit("BTCUSDT", "1", "2"), seq=7)], {})
    row = normalise(parsed, Instruments()).tables["liquidations"].row(0, named=True)
    assert [row[name] for name in ("kafka_topic", "kafka_partition", "kafka_offset", "session", "seq", "source")] == [
        "raw.x", 2, 17, "bybit-test-1-a", 7, "live",
    ]  # fmt: skip
    assert row["ts_recv"] == row["ts_event"]


@pytest.mark.parametrize("fewest", [1, 64])
def test_each_row_has_the_source_of_its_frame_whatever_the_session_is_called(
    monkeypatch: pytest.MonkeyPatch, fewest: int
) -> None:
    monkeypatch.setattr(blocks, "FEWEST", fewest)
    bybit = _frame("bybit", "allLiquidation", _bybit("BTCUSDT", "1", "2"))
    frames = [
        msgspec.structs.replace(bybit, session=session, source=source, seq=n)
        for n, (session, source) in enumerate(
            [("bybit-linear-1-a", "backfill"), ("bybit-import-1-a", "live"), ("bybit-linear-1-a", "import")]
        )
    ]
    for some in (frames, frames[:1]):
        sources = normalise(parse_batch(some, {}), Instruments()).tables["liquidations"]["source"].to_list()
        assert sources == ["backfill", "live", "import"][: len(some)]
    raw = raw_frames(parse_frames(frames, {}))
    assert raw.select("feed", "source").rows() == [("a", "backfill"), ("a", "live"), ("a", "import")]


def test_every_frame_has_one_outcome() -> None:
    frames = [
        _frame("bybit", "allLiquidation", _bybit("BTCUSDT", "1", "2")),
        _frame("bybit", "publicTrade", b"{}"),
        _frame("bybit", "allLiquidation", _bybit("BTCUSDT", "0", "2")),
        _frame("bybit", "news", b"{}"),
        _frame("nowhere", "x", b"{}"),
    ]
    parsed = parse_frames(frames, {})
    assert list(parsed.outcomes) == [WITH_ROWS, WITHOUT_ROWS, DEAD, DEAD, DEAD]
    assert sum(parsed.reasons.values()) == 1
    dead = normalise(parsed, Instruments()).tables["dead_letters"]
    assert dead["payload"].to_list() == [frame.payload for frame in frames[2:]]
    assert dead["reason"].to_list()[1:] == ["unknown channel 'news' of bybit", "unknown venue 'nowhere'"]


def test_a_time_beyond_a_day_after_arrival_is_a_dead_letter() -> None:
    frames = [
        _frame("bybit", "allLiquidation", _bybit("BTCUSDT", "1", "2", time=NOW_MS + hours * 3_600_000))
        for hours in (23, 25)
    ]
    parsed = parse_frames(frames, {})
    assert list(parsed.outcomes) == [WITH_ROWS, DEAD]
    assert "more than a day after the frame was received" in parsed.rejected.rows[0].reason  # type: ignore[attr-defined]


def test_a_twenty_megabyte_frame_is_one_dead_letter_and_the_batch_goes_on() -> None:
    big = b'{"topic":"allLiquidation.X","data":' + b"[" * 20_000_000
    frames = [_frame("bybit", "allLiquidation", payload) for payload in (big, _bybit("BTCUSDT", "1", "2"))]
    assert list(parse_frames(frames, {}).outcomes) == [DEAD, WITH_ROWS]


@pytest.mark.parametrize("read", [parse_frames, parse_batch, parse_latest])
@pytest.mark.parametrize(
    ("venue", "channel"), [("bybit", "allLiquidation"), ("binance", "markPrice"), ("bybit", "tickers")]
)
def test_a_frame_of_more_values_than_any_list_has_is_one_dead_letter_and_never_decoded(
    read: Any, venue: str, channel: str
) -> None:
    big = b"[%s]" % b",".join([b"1"] * 1_000_000)
    good = next(frame for frame in OWN if (frame.venue, frame.channel) == (venue, channel))
    parsed = read([_frame(venue, channel, big), good, _frame(venue, channel, b'{"data":%s}' % big)], {})
    assert list(parsed.outcomes)[::2] == [DEAD, DEAD]
    assert [row.reason for row in parsed.rejected.rows] == ["a frame of 1,000,000 values, more than 300,000"] * 2


def test_a_list_of_nothing_but_bad_items_is_so_many_dead_letters_and_its_bytes_are_kept_once() -> None:
    items = [{"T": NOW_MS, "s": "BTCUSDT", "S": "Buy", "v": "0", "p": "1"}] * 2500
    frames = [_frame("bybit", "allLiquidation", msgspec.json.encode({"data": items}), n) for n in range(2)]
    dead = normalise(parse_frames(frames, {}), Instruments()).tables["dead_letters"]
    assert dead.height == 2 * 1001
    assert dead["reason"][1000] == "1,500 items more cannot be read"
    assert [payload for payload in dead["payload"] if payload is not None] == [frame.payload for frame in frames]
    assert dead["payload"][0] == dead["payload"][1001] == frames[0].payload


def test_a_listed_contract_goes_before_the_symbols_form() -> None:
    listed = Instrument(
        "ODDUSDT", "ODD/USD:ODD", "ODD", "USD", "ODD", "inverse", "perpetual", 1.0, 1, "Trading", "ODDUSD", True
    )
    parsed = parse_frames([_frame("bybit", "allLiquidation", _bybit("ODDUSDT", "500", "2"))], {})
    row = normalise(parsed, Instruments().learn("bybit", [(listed, 0)])).tables["liquidations"].row(0, named=True)
    assert (row["contract"], row["qty_unit"], row["qty_base"], row["notional_usd"]) == ("inverse", "usd", 250.0, 500.0)


def test_the_interval_of_a_settlement_before_its_contract_was_listed_is_not_the_listed_one() -> None:
    listed = Instrument("BTCUSDT", "BTC/USDT:USDT", "BTC", "USDT", "USDT", "linear", "perpetual", 1.0, 1, "Trading", "BTCUSDT",
                        True, interval_hours=4.0)  # fmt: skip
    times = [NOW_MS // 3_600_000 * 3_600_000 - hours * 3_600_000 for hours in (0, 3, 11)]
    items = [{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": str(time)} for time in times]
    for since_ms, oldest in ((times[2] + 1, None), (times[2], 4.0)):
        book = Instruments().learn("bybit", [(listed, since_ms * 1000)])
        frame = _frame(
            "bybit", "funding_history", msgspec.json.encode({"retCode": 0, "result": {"list": items}}), 1, "rest"
        )
        settled = normalise(parse_frames([frame], {}), book).tables["funding_settlements"]
        assert settled["instrument"].to_list() == ["BTC/USDT:USDT"] * 3
        assert settled["interval_hours"].to_list() == [4.0, 8.0, oldest], "three hours tell nothing, eight do"


def test_an_open_interest_out_of_range_is_null_with_a_reason() -> None:
    listed = Instrument("A-USD-SWAP", "A/USD:A", "A", "USD", "A", "inverse", "perpetual", 1e9, 1, "live", "A-USD", True)
    item = {"instId": "A-USD-SWAP", "oi": "1e15", "oiCcy": "5", "ts": str(NOW_MS)}
    parsed = parse_frames([_frame("okx", "open-interest", msgspec.json.encode({"data": [item]}))], {})
    row = normalise(parsed, Instruments().learn("okx", [(listed, 0)])).tables["open_interest"].row(0, named=True)
    assert (row["oi_raw"], row["oi_base"], row["oi_usd"], row["null_reason"]) == (
        1e15,
        5.0,
        None,
        "amount out of range",
    )


def _mark(time: int, price: str) -> bytes:
    return msgspec.json.encode(
        [{"e": "markPriceUpdate", "E": time, "s": "BTCUSDT", "p": price, "i": price, "r": "", "T": 0}]
    )


def test_of_a_grid_bucket_the_last_value_stays() -> None:
    start = NOW_MS // 60_000 * 60_000
    frames = [_frame("binance", "markPrice", _mark(start + ms, str(ms + 1))) for ms in (0, 59_999, 30_000, 60_000)]
    marks = normalise(parse_frames(frames, {}), Instruments()).tables["mark_prices"].sort("ts")
    assert marks["mark_price"].to_list() == [60_000.0, 60_001.0]
    assert normalise(parse_frames(frames, {}), Instruments(), grid_s=0).tables["mark_prices"].height == 4


def test_event_keys_tell_venues_and_fields_apart_and_nothing_else() -> None:
    frames = [
        _frame("bybit", "allLiquidation", _bybit("BTCUSDT", "1", "2"), seq=1),
        _frame("bybit", "allLiquidation", _bybit("BTCUSDT", "1", "2"), seq=2),
        *(_frame("bybit", "allLiquidation", _bybit(*fields)) for fields in (
            ("ETHUSDT", "1", "2"), ("BTCUSDT", "3", "2"), ("BTCUSDT", "1", "4"), ("BTCUSDT", "1", "2", "Sell"),
            ("BTCUSDT", "1", "2", "Buy", NOW_MS - 1),
        )),
    ]  # fmt: skip
    keys = normalise(parse_frames(frames, {}), Instruments()).tables["liquidations"]["event_key"].to_list()
    assert keys[0] == keys[1]
    assert len(set(keys)) == 6


amounts = st.decimals(min_value="1e-9", max_value="3e5", allow_nan=False, places=9).map(lambda d: format(d, "f"))


@settings(UNHURRIED)
@given(
    amounts,
    amounts,
    st.sampled_from(["BTCUSDT", "BTCUSD", "1000PEPEUSDT", "BTCPERP"]),
    st.sampled_from(["Buy", "Sell"]),
)
def test_notional_is_base_times_price_and_sides_are_opposite(qty: str, price: str, symbol: str, side: str) -> None:
    parsed = parse_frames([_frame("bybit", "allLiquidation", _bybit(symbol, qty, price, side))], {})
    row = normalise(parsed, Instruments()).tables["liquidations"].row(0, named=True)
    assert row["notional_usd"] == pytest.approx(row["qty_base"] * row["price"], rel=1e-12)
    assert (row["order_side"], row["position_side"]) in (("sell", "long"), ("buy", "short"))
    assert (row["position_side"] == "long") == (side == "Buy")


@settings(UNHURRIED)
@given(st.integers(1, 10**15 - 1), st.integers(0, 12))
def test_text_of_fifteen_digits_comes_back_exact(digits: int, places: int) -> None:
    text = f"{digits:0{places + 1}d}"
    text = f"{text[:-places]}.{text[-places:]}" if places else text
    parsed = parse_frames([_frame("bybit", "allLiquidation", _bybit("BTCUSDT", text, "0.00001"))], {})
    stored = normalise(parsed, Instruments()).tables["liquidations"]["qty_raw"][0]
    assert format(stored, f".{places}f") == text


@settings(UNHURRIED)
@given(st.floats(0.001, 1000))
def test_the_long_share_follows_from_the_ratio(ratio: float) -> None:
    payload = json.dumps({"code": "0", "data": [[str(NOW_MS), str(ratio)]]}).encode()
    channel = "rubik_long-short-account-ratio-contract@5m"
    parsed = parse_frames([_frame("okx", channel, payload, transport="rest", symbol="BTC-USDT-SWAP")], {})
    row = normalise(parsed, Instruments()).tables["long_short_ratios"].row(0, named=True)
    assert row["long_share"] / row["short_share"] == pytest.approx(ratio, rel=1e-9)
    assert row["long_share"] + row["short_share"] == pytest.approx(1)


def test_the_versions_of_a_channel_end_in_order() -> None:
    for venue in VENUES.values():
        for versions in venue.parsers.values():
            ends = [until for until, _ in versions]
            assert all(until is not None for until in ends[:-1])
            assert all(before < after for before, after in pairwise(e for e in ends if e is not None))
