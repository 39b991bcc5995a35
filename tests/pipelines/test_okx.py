"""OKX: frames written for the project give the rows kept beside them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest

from collectors.envelope import RawFrame
from pipelines.facts import FundingRate, Liquidation
from pipelines.files.recognise import Asked, recognise
from pipelines.ingest.resume import held_from
from pipelines.reading.parse import parse_frames
from pipelines.venues.okx import channel_of
from pipelines.venues.okx.funding import funding_rates
from pipelines.venues.okx.rest import interval
from pipelines.venues.okx.symbols import symbol_form
from tests.pipelines.commits import commit, placed
from tests.pipelines.frame_files import frame_files, given_and_expected
from warehouse import lake


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
    frame = RawFrame(
        "okx", "funding-rate", "X-USDT-SWAP", "ws", 1_640_130_000_000_000_000, "s", "a", "live", 1, payload
    )
    assert funding_rates(frame, {}) == [FundingRate("X-USDT-SWAP", 1640130000000, 0.001, 1640131200000)]


def test_a_frame_of_several_instruments_not_kept_is_counted_once_with_its_reason() -> None:
    data = [{"instId": symbol, "instType": "MARGIN", "details": []} for symbol in ("BTC-USDT", "ETH-USDT")]
    payload = json.dumps({"arg": {"channel": "liquidation-orders"}, "data": data}).encode()
    frame = RawFrame("okx", "liquidation-orders", "*", "ws", 1_790_000_000_000_000_000, "s", "a", "live", 1, payload)
    parsed = parse_frames([frame, frame], {})
    assert parsed.reasons == {"liquidations of MARGIN: not a derivative kept here": 2}


def _push(prev: int, due: int, rate: str) -> RawFrame:
    item = {"instId": "X-USDT-SWAP", "instType": "SWAP", "fundingRate": "0.002", "settFundingRate": rate,
            "settState": "settled", "prevFundingTime": str(prev), "fundingTime": str(due), "nextFundingTime": "",
            "ts": str(prev + 60_000)}  # fmt: skip
    payload = json.dumps({"arg": {"channel": "funding-rate", "instId": "X-USDT-SWAP"}, "data": [item]}).encode()
    return RawFrame(
        "okx", "funding-rate", "X-USDT-SWAP", "ws", (prev + 61_000) * 10**6, "s", "a", "live", 1, payload, "raw.funding"
    )


def test_a_settled_rate_is_of_the_cycle_that_ended_also_where_the_next_one_is_shorter() -> None:
    changed = _push(1_788_508_800_000, 1_788_523_200_000, "0.0010")
    held: dict[tuple[str, str], Any] = {}
    funding_rates(_push(1_788_480_000_000, 1_788_508_800_000, "0.0007"), held)
    running, settled = funding_rates(changed, held)
    assert (running.interval_hours, settled.interval_hours) == (4.0, 8.0)  # type: ignore[union-attr]
    assert (settled.ts_event, settled.funding_rate) == (1_788_508_800_000, 0.001)  # type: ignore[union-attr]
    again = funding_rates(_push(1_788_523_200_000, 1_788_537_600_000, "0.0009"), held)
    assert again[1].interval_hours == 4.0  # type: ignore[union-attr]


def test_a_settled_rate_whose_cycle_was_not_heard_has_no_interval_of_another() -> None:
    _, settled = funding_rates(_push(1_788_508_800_000, 1_788_523_200_000, "0.0010"), {})
    assert settled.interval_hours is None  # type: ignore[union-attr]


def test_what_was_heard_of_cycles_is_known_again_after_a_restart(fresh_world: Path) -> None:
    first, second = (
        _push(1_788_480_000_000, 1_788_508_800_000, "0.0007"),
        _push(1_788_508_800_000, 1_788_523_200_000, "0.001"),
    )
    with lake.open(fresh_world, read_only=False) as warehouse:
        commit(warehouse, placed([first]))
        held = held_from(warehouse)
    assert funding_rates(second, held)[1].interval_hours == 8.0  # type: ignore[union-attr]


def _liquidated(transport: Literal["ws", "rest"], *details: tuple[str, str]) -> RawFrame:
    told = [{"bkLoss": "0", "bkPx": price, "ccy": "", "posSide": "long", "side": "sell", "sz": "5", "ts": ts}
            for price, ts in details]  # fmt: skip
    data = [{"instId": "BTC-USDT-SWAP", "instType": "SWAP", "instFamily": "BTC-USDT", "details": told}]
    head = {"code": "0"} if transport == "rest" else {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}}
    channel = "liquidation-orders@filled" if transport == "rest" else "liquidation-orders"
    return RawFrame(
        "okx", channel, "*", transport, 1_790_000_100_000_000_000, f"{transport}-1", "a", "live", 1,
        json.dumps(head | {"data": data}).encode(), "raw.liquidation",
    )  # fmt: skip


def test_what_was_asked_for_and_what_was_pushed_are_joined_and_each_has_the_class_of_its_transport(
    fresh_world: Path,
) -> None:
    first, second, third = ("70000.0", "1790000000000"), ("70000", "1790000000000"), ("69990", "1790000001000")
    pushed, asked = _liquidated("ws", first), _liquidated("rest", third, second, first)
    with lake.open(fresh_world, read_only=False) as warehouse:
        commit(warehouse, placed([pushed, asked, asked]))
        found = warehouse.connection.execute(
            "SELECT epoch_ms(ts_event), occurrence, completeness FROM liquidations ORDER BY ALL"
        ).fetchall()
    assert found == [
        (1790000000000, 0, "partial"), (1790000000000, 1, "undocumented"), (1790000001000, 0, "undocumented"),
    ]  # fmt: skip


REAL = Path(__file__).parents[3] / "shared/real/okx_liquidation-orders_rest_BTC_DOGE_HYPE.jsonl"


@pytest.mark.skipif(not REAL.is_file(), reason=f"no real answers at {REAL}")
def test_real_answers_are_known_by_what_they_hold_and_give_every_liquidation(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(REAL.read_bytes())
    found = recognise(path, Asked())
    damaged: list[str] = []
    pieces = list(found.pieces(damaged.append))
    assert (found.venue, {piece.channel for piece in pieces}, damaged) == ("okx", {"liquidation-orders"}, [])
    frames = [RawFrame("okx", p.channel, p.symbol, p.transport, 1_790_000_000_000_000_000, "s", "a", "import", n, p.payload)
              for n, p in enumerate(pieces, 1)]  # fmt: skip
    rows = [row for frame in frames for row in parse_frames([frame], {}).facts[Liquidation].rows]
    plain = [
        each for line in REAL.read_text().splitlines() for of in json.loads(line)["data"] for each in of["details"]
    ]
    assert len(rows) == len(plain) == 3132
    assert {row.completeness for row in rows} == {"undocumented"}  # type: ignore[attr-defined]
    sides = Counter((each["side"], each["posSide"]) for each in plain)
    assert sides == Counter((row.order_side, row.position_side) for row in rows)  # type: ignore[attr-defined]
