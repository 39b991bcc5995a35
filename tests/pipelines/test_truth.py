"""Numbers to be believed: what was sent comes back digit by digit, what is derived is right against exact arithmetic."""

import json
import random
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pipelines
from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION, REFERENCE
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.venues import VENUES
from tests.pipelines.commits import commit, placed
from tests.pipelines.venue_frames import (
    START_MS,
    Session,
    binance_liquidation,
    bybit_liquidation,
    bybit_ticker,
    okx_liquidation,
)  # fmt: skip
from warehouse import lake

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
NOW = str(START_MS)
ROUNDING = 4e-15  # a handful of roundings to 53 bits


class Number(NamedTuple):
    """Where a text that a venue sends is stored: the frame that carries it, the table and column it comes to lie in."""

    venue: str
    channel: str
    body: str
    table: str
    column: str
    transport: str = "ws"
    signed: bool = False


def _body(document: Any) -> str:
    return json.dumps(document)


TEXT = "@@"
NUMBERS = (
    Number("binance", "forceOrder", _body(binance_liquidation(START_MS, "SELL", TEXT, "0.00001")), "liquidations", "qty_raw"),
    Number("binance", "forceOrder", _body(binance_liquidation(START_MS, "SELL", "0.001", TEXT)), "liquidations", "price_raw"),
    Number("bybit", "allLiquidation", _body(bybit_liquidation(START_MS, ("Buy", TEXT, "0.00001"))), "liquidations", "qty_raw"),
    Number("bybit", "allLiquidation", _body(bybit_liquidation(START_MS, ("Buy", "0.001", TEXT))), "liquidations", "price_raw"),
    Number("okx", "liquidation-orders", _body(okx_liquidation(START_MS, "A-USDT-SWAP", "buy", TEXT, "7")), "liquidations",
           "qty_raw"),
    Number("okx", "liquidation-orders", _body(okx_liquidation(START_MS, "A-USDT-SWAP", "buy", "7", TEXT)), "liquidations",
           "price_raw"),
    Number("binance", "markPrice", _body({"E": START_MS, "s": "BTCUSDT", "p": TEXT, "i": "1", "r": "0", "T": START_MS}),
           "mark_prices", "mark_price"),
    Number("binance", "markPrice", _body({"E": START_MS, "s": "BTCUSDT", "p": "1", "i": TEXT, "r": "0", "T": START_MS}),
           "mark_prices", "index_price"),
    Number("binance", "markPrice", _body({"E": START_MS, "s": "BTCUSDT", "p": "1", "i": "1", "r": TEXT, "T": START_MS}),
           "funding_rates", "funding_rate", signed=True),
    Number("bybit", "tickers", _body(bybit_ticker(START_MS, "snapshot", 1, openInterest=TEXT)), "open_interest", "oi_raw"),
    Number("bybit", "tickers", _body(bybit_ticker(START_MS, "snapshot", 1, fundingRate=TEXT)), "funding_rates",
           "funding_rate", signed=True),
    Number("okx", "funding-rate",
           _body({"data": [{"instId": "A-USDT-SWAP", "fundingTime": NOW, "fundingRate": TEXT, "ts": NOW}]}), "funding_rates",
           "funding_rate", signed=True),
    Number("okx", "open-interest", _body({"data": [{"instId": "A-USDT-SWAP", "oi": TEXT, "oiCcy": "1", "ts": NOW}]}),
           "open_interest", "oi_raw"),
    Number("okx", "candles@1m", _body({"code": "0", "data": [[NOW, TEXT, *"1111111"]]}), "klines", "open", "rest"),
    Number("okx", "funding-rate-history",
           _body({"code": "0", "data": [{"instId": "A-USDT-SWAP", "fundingTime": NOW, "realizedRate": TEXT}]}),
           "funding_settlements", "funding_rate", "rest", signed=True),
)  # fmt: skip


def texts(draw: st.DrawFn, signed: bool = False) -> str:
    """A number of at most fifteen digits, written as venues write them; a signed one is a rate, below one."""
    digits = draw(st.integers(1, 10**15 - 1))
    places = draw(st.integers(15, 16) if signed else st.integers(max(len(str(digits)) - 12, 0), 14))
    return written(digits, places, signed and draw(st.booleans()))


def written(digits: int, places: int, negative: bool = False) -> str:
    text = f"{digits:0{places + 1}d}"
    return ("-" if negative else "") + (f"{text[:-places]}.{text[-places:]}" if places else text)


def rewritten(stored: float, like: str) -> str:
    return format(stored, f".{len(like.partition('.')[2])}f")


def sent(number: Number, text: str) -> RawFrame:
    session = Session(number.venue, "x-1-aaaa")
    payload = number.body.replace(TEXT, text).encode()
    return session.frame(number.channel, "A-USDT-SWAP", payload, START_MS, LIQUIDATION, number.transport)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{number.venue} {number.channel} {number.column}")
@UNHURRIED
@given(st.data())
def test_a_number_as_sent_comes_back_digit_by_digit(number: Number, data: st.DataObject) -> None:
    text = data.draw(st.composite(texts)(number.signed))
    stored = normalise(parse_frames([sent(number, text)], {}), Instruments()).tables[number.table]
    assert rewritten(stored[number.column][0], text) == text


def test_numbers_come_back_digit_by_digit_from_the_files_of_a_lake(fresh_world: Path) -> None:
    seeded = random.Random(3)
    pairs = [
        tuple(written(seeded.randrange(1, 10 ** seeded.randint(1, 15)), seeded.randint(3, 14)) for _ in range(2))
        for _ in range(3000)
    ]
    session = Session("bybit", "linear-1-aaaa")
    frames = placed(
        session.frame(
            "allLiquidation",
            "BTCUSDT",
            bybit_liquidation(START_MS + n, ("Buy", *pair), symbol="?"),
            START_MS,
            LIQUIDATION,
        )
        for n, pair in enumerate(pairs)
    )
    with lake.open(fresh_world, read_only=False) as warehouse:
        commit(warehouse, frames)
        stored = warehouse.connection.execute(
            "SELECT qty_raw, price_raw FROM liquidations ORDER BY ts_event"
        ).fetchall()
    assert [tuple(map(rewritten, found, pair)) for found, pair in zip(stored, pairs, strict=True)] == pairs


OKX_LISTED = {
    "instType": "SWAP",
    "ctType": "linear",
    "settleCcy": "USDT",
    "ctValCcy": "A",
    "uly": "A-USDT",
    "state": "live",
}
CM_LISTED = {"symbol": "BTCUSD_PERP", "pair": "BTCUSD", "contractType": "PERPETUAL", "contractStatus": "TRADING",
             "baseAsset": "BTC", "quoteAsset": "USD", "marginAsset": "BTC", "deliveryDate": 4_133_404_800_000}  # fmt: skip
amounts = st.decimals("1e-8", "3e5", places=8).map(lambda amount: format(amount, "f"))
small = st.decimals("1e-8", "300", places=8).map(lambda amount: format(amount, "f"))
powers = st.sampled_from(["0.001", "0.01", "0.1", "1", "10", "100", "1000"])


def _row(frame: RawFrame, book: Instruments) -> dict[str, Any]:
    return normalise(parse_frames([frame], {}), book).tables["liquidations"].row(0, named=True)


def _listed(venue: str, channel: str, body: dict[str, Any]) -> Instruments:
    frame = Session(venue, "rest-1-aaaa").frame(channel, "*", body, START_MS, REFERENCE, "rest")
    return normalise(parse_frames([frame], {}), Instruments()).instruments


def _is(row: dict[str, Any], base: Fraction, usd: Fraction) -> None:
    """The row's amounts are those of exact arithmetic, and USD is coins x price per coin."""
    assert row["qty_base"] == pytest.approx(float(base), rel=ROUNDING)
    assert row["notional_usd"] == pytest.approx(float(usd), rel=ROUNDING)
    assert row["notional_usd"] == pytest.approx(row["qty_base"] * row["price"], rel=ROUNDING)
    assert row["null_reason"] is None


def _exact(text: str) -> Fraction:
    return Fraction(Decimal(text))


@UNHURRIED
@given(amounts, amounts, st.sampled_from([("BTCUSDT", 1), ("1000PEPEUSDT", 1000)]))
def test_a_linear_amount_is_coins_times_price(qty: str, price: str, contract: tuple[str, int]) -> None:
    symbol, multiplier = contract
    base, usd = _exact(qty) * multiplier, _exact(qty) * _exact(price)
    for venue, channel, body in (
        ("binance", "forceOrder", binance_liquidation(START_MS, "SELL", qty, price, symbol)),
        ("bybit", "allLiquidation", bybit_liquidation(START_MS, ("Buy", qty, price), symbol=symbol)),
    ):
        frame = Session(venue, "x-1-aaaa").frame(channel, symbol, body, START_MS, LIQUIDATION)
        _is(_row(frame, Instruments()), base, usd)


@UNHURRIED
@given(amounts, amounts)
def test_an_inverse_amount_is_dollars_whatever_the_price(qty: str, price: str) -> None:
    body = bybit_liquidation(START_MS, ("Sell", qty, price), symbol="BTCUSD")
    frame = Session("bybit", "inverse-1-aaaa").frame("allLiquidation", "BTCUSD", body, START_MS, LIQUIDATION)
    _is(_row(frame, Instruments()), _exact(qty) / _exact(price), _exact(qty))


@UNHURRIED
@given(amounts, amounts, powers)
def test_coin_margined_contracts_are_of_so_many_dollars(qty: str, price: str, size: str) -> None:
    book = _listed("binance", "cm_exchangeInfo", {"symbols": [CM_LISTED | {"contractSize": size}]})
    body = binance_liquidation(START_MS, "BUY", qty, price, "BTCUSD_PERP")
    body["o"]["st"] = 2
    frame = Session("binance", "um-1-aaaa").frame("forceOrder", "BTCUSD_PERP", body, START_MS, LIQUIDATION)
    usd = _exact(qty) * _exact(size)
    _is(_row(frame, book), usd / _exact(price), usd)


@UNHURRIED
@given(small, small, powers, powers, st.booleans())
def test_okx_contracts_are_ctval_times_ctmult(qty: str, price: str, value: str, multiple: str, inverse: bool) -> None:
    quote = "USD" if inverse else "USDT"
    listed = OKX_LISTED | {"instId": f"A-{quote}-SWAP", "uly": f"A-{quote}", "ctVal": value, "ctMult": multiple}
    if inverse:
        listed |= {"ctType": "inverse", "ctValCcy": "USD", "settleCcy": "A"}
    book = _listed("okx", "instruments", {"code": "0", "data": [listed]})
    body = okx_liquidation(START_MS, f"A-{quote}-SWAP", "sell", qty, price)
    frame = Session("okx", "public-1-aaaa").frame("liquidation-orders", "*", body, START_MS, LIQUIDATION)
    amount = _exact(qty) * _exact(value) * _exact(multiple)
    _is(_row(frame, book), *((amount / _exact(price), amount) if inverse else (amount, amount * _exact(price))))


def _ratio(venue: str, channel: str, body: dict[str, Any]) -> dict[str, Any]:
    frame = Session(venue, "rest-1-aaaa").frame(channel, "BTC-USDT-SWAP", body, START_MS, "raw.ratio", "rest")
    return normalise(parse_frames([frame], {}), Instruments()).tables["long_short_ratios"].row(0, named=True)


@UNHURRIED
@given(st.decimals("0.0001", "9999", places=4))
def test_shares_follow_from_a_ratio_alone(ratio: Decimal) -> None:
    channel = "rubik_long-short-account-ratio-contract@5m"
    row = _ratio("okx", channel, {"code": "0", "data": [[NOW, str(ratio)]]})
    exact = Fraction(ratio) / (1 + Fraction(ratio))
    assert row["long_share"] == pytest.approx(float(exact), rel=ROUNDING)
    assert row["short_share"] == pytest.approx(float(1 - exact), abs=ROUNDING)
    assert row["ratio"] == float(ratio)


@UNHURRIED
@given(st.integers(1, 9999))
def test_a_ratio_follows_from_shares_alone(long: int) -> None:
    shares = {"buyRatio": written(long, 4), "sellRatio": written(10_000 - long, 4)}
    body = {"retCode": 0, "result": {"category": "linear", "list": [{"symbol": "BTCUSDT", **shares, "timestamp": NOW}]}}
    row = _ratio("bybit", "account-ratio@5min", body)
    assert row["ratio"] == pytest.approx(float(Fraction(long, 10_000 - long)), rel=ROUNDING)
    assert (row["long_share"], row["short_share"]) == (float(shares["buyRatio"]), float(shares["sellRatio"]))


def test_every_channel_that_gives_rows_is_named_where_the_readme_says_what_numbers_are_from() -> None:
    room = Path(pipelines.__file__).parent
    short = {"kline_": "kline_1m", "candle": "candle1m"}
    for name, venue in VENUES.items():
        own = room / "venues" / name / "README.md"
        named = set(re.findall(r"[\w./-]+", (own if own.exists() else room / "README.md").read_text()))
        named |= {word for each in named for word in re.findall(r"[\w-]+", each)}
        channels = {key[1].removeprefix("um_").removeprefix("cm_").rstrip("*.") for key in venue.parsers}
        missing = {each for each in channels if not {short.get(each, each), f"um_{each}", f"cm_{each}"} & named}
        assert not missing, name
