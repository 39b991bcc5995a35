"""What cannot be is a dead letter with its reason, however it is read; what is stored can be added up."""

import math
from typing import Any

import msgspec
import pytest

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import DEAD, WITH_ROWS, normalise, parse_frames
from pipelines.facts import Instrument, Kline, Row
from pipelines.venues import bounds
from pipelines.venues.bounds import (
    AMOUNT,
    CANDLE,
    EARLIEST_MS,
    LATE_MS,
    LONGEST_SYMBOL,
    LONGEST_TEXT,
    NOTIONAL,
    NUMBERS,
    OF_CANDLE,
    PRICE,
    QUANTITY,
    TEXTS,
    Bound,
    implausible,
)
from tests.pipelines.bounded import BAD_SYMBOLS, READERS
from tests.pipelines.frame_files import own_frames
from tests.pipelines.venue_frames import (
    START_MS,
    Session,
    binance_liquidation,
    bybit_liquidation,
    bybit_ticker,
    okx_liquidation,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("few")
OWN = own_frames()
BOUNDS = [each for each in vars(bounds).values() if isinstance(each, Bound)]
LIQUIDATIONS = {
    "binance": ("forceOrder", lambda symbol, qty, price, at: binance_liquidation(at, "SELL", qty, price, symbol)),
    "bybit": ("allLiquidation", lambda symbol, qty, price, at: bybit_liquidation(at, ("Buy", qty, price), symbol=symbol)),
    "okx": ("liquidation-orders", lambda symbol, qty, price, at: okx_liquidation(at, symbol, "sell", qty, price)),
}  # fmt: skip
SYMBOLS = {"binance": "BTCUSDT", "bybit": "BTCUSDT", "okx": "BTC-USDT-SWAP"}


def _liquidation(venue: str, symbol: str, qty: str, price: str, at_ms: int = START_MS) -> RawFrame:
    channel, payload = LIQUIDATIONS[venue]
    sent = payload(symbol, qty, price, at_ms)
    return Session(venue, "x-1-aaaa").frame(channel, "*", sent, START_MS, "raw.liquidation")


def _read(frames: list[RawFrame], reader: str = "one by one") -> tuple[list[int], list[str], dict[str, Any]]:
    parsed = READERS[reader](frames, {})
    tables = normalise(parsed, Instruments()).tables
    return list(parsed.outcomes), tables["dead_letters"]["reason"].to_list(), tables


def test_every_bound_says_its_unit_and_why() -> None:
    assert len(BOUNDS) > 15
    for bound in BOUNDS:
        assert bound.least < bound.most
        assert bound.unit
        assert len(bound.reason) > 20
        assert "." not in bound.reason[-1]


def test_what_is_within_its_bounds_can_be_added_multiplied_and_squared() -> None:
    """More rows than a warehouse will ever hold, at the bound."""
    for bound in BOUNDS:
        assert math.isfinite(max(abs(bound.least), bound.most) ** 2 * 1e15)
        assert bound.least <= 0 or math.isfinite(AMOUNT.most / bound.least * 1e15)
    assert math.isfinite(QUANTITY.most * PRICE.most * 1e12 * 1e7 * 1e15)
    assert NOTIONAL.most * 1e6 < 2**63, "in millionths of a dollar it is a whole number of 64 bits"


@pytest.mark.parametrize(("kind", "name", "bound"), [(k, *each) for k, named in NUMBERS.items() for each in named])
def test_each_number_of_each_fact_is_held_to_its_bound(kind: type[Row], name: str, bound: Bound) -> None:
    for value in (bound.least, bound.most):
        assert implausible(_fact(kind, **{name: value})) == ""
    beyond = [math.nextafter(bound.least, -math.inf), math.nextafter(bound.most, math.inf), 1e300, -1e300]
    for value in (*beyond, math.inf, -math.inf, math.nan):
        assert f"{name} is {value!r}: {bound.name} is " in implausible(_fact(kind, **{name: value}))


@pytest.mark.parametrize("name", CANDLE)
@pytest.mark.parametrize("kind", ["trade", "mark", "index", "premium"])
def test_candles_are_held_to_the_bound_of_what_they_are_of(kind: str, name: str) -> None:
    premium = OF_CANDLE["premium"]
    assert implausible(_fact(Kline, of=kind, **{name: 0.0})) == ""
    assert bool(implausible(_fact(Kline, of=kind, **{name: -0.5}))) == (kind != "premium")
    for value in (premium.most * 2, PRICE.most):
        assert bool(implausible(_fact(Kline, of=kind, **{name: value}))) == (kind == "premium")
    for value in (1e300, math.nan, -math.inf):
        assert implausible(_fact(Kline, of=kind, **{name: value}))


@pytest.mark.parametrize(("kind", "name"), [(k, name) for k, names in TEXTS.items() for name in names])
def test_each_text_of_each_fact_is_printable_and_not_long(kind: type[Row], name: str) -> None:
    for text in ("", "FILLED", "币安", "x" * LONGEST_TEXT):
        assert implausible(_fact(kind, **{name: text})) == ""
    for text in ("\x00", "a\nb", "\x1b[2J", "\udc80", "\u202e", "x" * (LONGEST_TEXT + 1)):
        why = implausible(_fact(kind, **{name: text}))
        assert name in why
        assert why.isprintable()


@pytest.mark.parametrize("kind", NUMBERS)
def test_each_fact_has_a_symbol_that_is_one(kind: type[Row]) -> None:
    for symbol in ("BTCUSDT", "币安人生USDT", "BTC-USD_UM_XPERP-310404", "?", "X" * LONGEST_SYMBOL):
        assert implausible(_fact(kind, symbol=symbol)) == ""
    for symbol in (*BAD_SYMBOLS, "X" * (LONGEST_SYMBOL + 1), "\udc80"):
        assert "the symbol" in implausible(_fact(kind, symbol=symbol))


def _fact(fact: type[Row], of: str = "trade", **given: Any) -> Row:
    """A plausible fact, but for what is given. `of`: a candle's kind."""
    made: dict[str, Any] = {}
    for field in msgspec.structs.fields(fact):
        if field.required:
            bound = dict(NUMBERS[fact]).get(field.name)
            made[field.name] = (
                bound.most if bound else 1.0 if field.name in CANDLE else of if field.name == "kind" else "x"
            )
    return fact(**{**made, **given})


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("venue", LIQUIDATIONS)
@pytest.mark.parametrize(
    ("qty", "price", "said"),
    [
        ("9.9e307", "1", "quantity"),
        ("1", "9.9e307", "price"),
        ("9" * 400, "1", "is not a number"),
        ("1e999", "1", "'1e999' is not a number"),
        ("nan", "1", "nan"),
        ("1", "inf", "inf"),
        ("1", "1e-300", "price"),
        ("1e-300", "1", "quantity"),
        ("5e-324", "5e-324", ""),
    ],
)
def test_numbers_that_cannot_be_are_dead_letters(venue: str, reader: str, qty: str, price: str, said: str) -> None:
    good = _liquidation(venue, SYMBOLS[venue], "1", "2")
    bad = _liquidation(venue, SYMBOLS[venue], qty, price)
    outcomes, reasons, tables = _read([good, bad, good, bad], reader)
    assert outcomes == [WITH_ROWS, DEAD, WITH_ROWS, DEAD]
    assert said in reasons[0]
    assert len(reasons[0]) < 400
    assert tables["liquidations"].height == 2


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("venue", LIQUIDATIONS)
@pytest.mark.parametrize("symbol", BAD_SYMBOLS)
def test_symbols_that_cannot_be_are_dead_letters(venue: str, reader: str, symbol: str) -> None:
    good = _liquidation(venue, SYMBOLS[venue], "1", "2")
    outcomes, reasons, tables = _read([good, _liquidation(venue, symbol, "1", "2"), good], reader)
    if venue == "okx" and outcomes[1] == 0:  # of a symbol's form alone OKX's other instruments are told
        return
    assert outcomes == [WITH_ROWS, DEAD, WITH_ROWS]
    assert "the symbol" in reasons[0]
    assert reasons[0].isprintable()
    assert tables["liquidations"].height == 2


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("venue", LIQUIDATIONS)
def test_a_number_at_its_bound_is_a_row_and_the_next_one_beyond_it_a_dead_letter(venue: str, reader: str) -> None:
    """A bound itself is possible: one comparison too strict loses a liquidation that could be."""
    for bound, place in ((QUANTITY, 0), (PRICE, 1)):
        values = [bound.least, math.nextafter(bound.least, 0), bound.most, math.nextafter(bound.most, math.inf)]
        frames = []
        for value in values:
            given = ["1", "1"]
            given[place] = repr(value)
            frames.append(_liquidation(venue, SYMBOLS[venue], *given))
        parsed = READERS[reader](frames, {})
        assert list(parsed.outcomes) == [WITH_ROWS, DEAD, WITH_ROWS, DEAD], bound.name


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("venue", LIQUIDATIONS)
def test_times_that_cannot_be_are_dead_letters(venue: str, reader: str) -> None:
    arrived = START_MS + 10
    times = [
        EARLIEST_MS,
        EARLIEST_MS - 1,
        arrived + LATE_MS,
        arrived + LATE_MS + 1,
        0,
        -1,
        START_MS // 1000,
        START_MS * 1000,
    ]
    outcomes, reasons, _ = _read([_liquidation(venue, SYMBOLS[venue], "1", "2", time) for time in times], reader)
    assert outcomes == [WITH_ROWS, DEAD, WITH_ROWS, *[DEAD] * 5]
    assert all("time stamp" in reason for reason in reasons)


@pytest.mark.parametrize("reader", ["one by one", "many at once"])
def test_an_amount_that_cannot_be_is_a_dead_letter_and_its_frame_keeps_the_others(reader: str) -> None:
    """Price and quantity each could be; together they are more dollars than there are."""
    items = [("Buy", "1", "2"), ("Buy", "1e9", "1e9"), ("Sell", "3", "4")]
    session = Session("bybit", "x-1-aaaa")
    frames = [
        session.frame("allLiquidation", "*", bybit_liquidation(START_MS + n, *items), START_MS, "raw.liquidation")
        for n in range(3)
    ]
    frames.insert(1, session.frame("allLiquidation", "*", b"{", START_MS, "raw.liquidation"))
    odd = bybit_liquidation(START_MS + 9, ("Buy", " 5", "6"), ("Buy", " 1e9", "1e9"))  # a blank: not read by column
    frames.append(session.frame("allLiquidation", "*", odd, START_MS, "raw.liquidation"))
    parsed = READERS[reader](frames, {})
    assert list(parsed.outcomes) == [WITH_ROWS, DEAD, WITH_ROWS, WITH_ROWS, WITH_ROWS]
    tables = normalise(parsed, Instruments()).tables
    assert list(parsed.outcomes) == [DEAD] * 5
    assert tables["liquidations"]["qty_raw"].to_list() == [1.0, 3.0] * 3 + [5.0]
    assert tables["liquidations"]["seq"].to_list() == [1, 1, 2, 2, 3, 3, 5]
    assert sorted(tables["dead_letters"]["seq"].to_list()) == [1, 2, 3, 4, 5]
    reasons = [reason for reason in tables["dead_letters"]["reason"] if reason.startswith("BTCUSDT: ")]
    assert len(reasons) == 4
    assert reasons[0].startswith("BTCUSDT: 1000000000.0 x 1000000000.0 is 1e+18 USD, 1000000000.0 coins")
    again = normalise(parsed, Instruments()).tables
    assert all(tables[name].equals(again[name]) for name in tables), "a second time nothing changes"


def test_an_amount_is_what_the_contract_says_it_is() -> None:
    """A number of contracts is large or not by the contract's size, which only the book knows."""
    frames = [_liquidation("okx", "BTC-USDT-SWAP", "2000000000", "100000")]
    assert _read(frames)[0] == [WITH_ROWS]
    listed = Instrument("BTC-USDT-SWAP", "BTC/USDT:USDT", "BTC", "USDT", "USDT", "linear", "perpetual", 1.0, 1, "live",
                        "BTC-USDT", True)  # fmt: skip
    parsed = parse_frames(frames, {})
    tables = normalise(parsed, Instruments().learn("okx", [(listed, 0)])).tables
    assert (list(parsed.outcomes), tables["liquidations"].height) == ([DEAD], 0)


def test_nothing_impossible_is_held_of_a_ticker() -> None:
    session = Session("bybit", "x-1-aaaa")
    said = [("snapshot", {"markPrice": "100", "openInterest": "5", "openInterestValue": "500", "fundingRate": "0.1"}),
            *(("delta", {name: text}) for name in ("markPrice", "openInterest", "openInterestValue", "fundingRate")
              for text in ("9e307", "-9e307", "1e999", "nan")), ("delta", {"indexPrice": "99"})]  # fmt: skip
    frames = [
        session.frame("tickers", "BTCUSDT", bybit_ticker(START_MS + n, kind, n, **fields), START_MS, "raw.ticker")
        for n, (kind, fields) in enumerate(said)
    ]
    for reader in READERS:
        outcomes, _, tables = _read(frames, reader)
        assert outcomes == [WITH_ROWS, *[DEAD] * 16, WITH_ROWS]
        assert tables["mark_prices"].select("mark_price", "index_price").row(-1) == (100.0, 99.0)
