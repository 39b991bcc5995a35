"""The book of contracts: listed, of a family, or read from the symbol; as of then."""

import msgspec
import polars as pl
import pytest

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments, from_table
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.facts import FundingInterval, Instrument

DAY_US = 86_400_000_000


def _swap(size: float = 0.01, coin: str = "BTC", status: str = "live") -> Instrument:
    return Instrument(
        f"{coin}-USDT-SWAP", f"{coin}/USDT:USDT", coin, "USDT", "USDT", "linear", "perpetual", size, 1, status,
        f"{coin}-USDT", True,
    )  # fmt: skip


def test_an_old_event_is_read_with_the_size_of_then() -> None:
    book = Instruments().learn("okx", [(_swap(0.01), 10 * DAY_US), (_swap(0.1), 20 * DAY_US)])
    sizes = [book.resolve("okx", "BTC-USDT-SWAP", day * DAY_US).contract_size for day in (1, 10, 19, 20, 99)]
    assert sizes == [0.01, 0.01, 0.01, 0.1, 0.1]


def test_a_contract_not_listed_has_the_one_size_of_its_family() -> None:
    book = Instruments().learn("okx", [(_swap(0.01), 0)])
    assert book.resolve("okx", "BTC-USDT-261225")[6:9] == (0.01, 1, "family")
    two = book.learn("okx", [(_swap(0.1), DAY_US)])
    assert two.resolve("okx", "BTC-USDT-261225")[6:9] == (None, 1, "symbol")


def test_a_size_is_not_taken_from_another_family_contract_or_venue() -> None:
    book = Instruments().learn("okx", [(_swap(0.01), 0)])
    assert book.resolve("okx", "BTC-USD-261225").contract_size is None
    assert book.resolve("okx", "ETH-USDT-261225").contract_size is None
    assert book.resolve("bybit", "BTC-USDT-261225").contract_size is None


def test_what_cannot_be_read_is_null_but_its_multiplier() -> None:
    assert Instruments().resolve("binance", "1000PEPEXYZ") == (None,) * 7 + (1000, None, None, None)
    assert Instruments().resolve("nowhere", "BTCUSDT").base is None


def test_only_what_differs_is_a_new_row() -> None:
    book, rows = Instruments().changed([("okx", _swap(), 0), ("okx", _swap(coin="ETH"), 0), ("okx", _swap(), 1)])
    assert [position for position, _ in rows] == [0, 1]
    _, again = book.changed([("okx", _swap(), 2), ("okx", _swap(status="suspend"), 3)])
    assert [version.instrument.status for _, version in again] == ["suspend"]


def test_learning_leaves_the_book_as_it_was() -> None:
    book = Instruments().learn("okx", [(_swap(0.01), 0)])
    book.learn("okx", [(_swap(0.1), 0)])
    assert book.resolve("okx", "BTC-USDT-SWAP").contract_size == 0.01


def test_an_interval_told_apart_from_the_contract_is_kept_with_it() -> None:
    perpetual = Instrument(
        "XUSDT", "X/USDT:USDT", "X", "USDT", "USDT", "linear", "perpetual", 1.0, 1, "TRADING", "XUSDT", True
    )
    other = Instrument(
        "YUSDT", "Y/USDT:USDT", "Y", "USDT", "USDT", "linear", "perpetual", 1.0, 1, "TRADING", "YUSDT", True
    )
    listed = Instruments().learn("binance", [(perpetual, 0), (other, 0)])
    assert listed.resolve("binance", "YUSDT").interval_hours is None
    for order in (
        [(FundingInterval("XUSDT", 4.0), 0), (perpetual, 1)],
        [(perpetual, 0), (FundingInterval("XUSDT", 4.0), 1)],
    ):
        book = listed.learn("binance", order)
        assert book.resolve("binance", "XUSDT", 2).interval_hours == 4.0
        assert book.resolve("binance", "YUSDT", 2).interval_hours == 8.0, "the list of exceptions was seen"


def test_an_interval_told_right_after_the_list_holds_for_the_history_before_it_one_told_later_does_not() -> None:
    perpetual = msgspec.structs.replace(_swap(), symbol="XUSDT")
    for told, before in ((1_000_000, 4.0), (7_200_000_000, 8.0)):
        book = Instruments().learn("binance", [(perpetual, 10), (FundingInterval("XUSDT", 4.0), told)])
        assert book.resolve("binance", "XUSDT", 0).interval_hours == before
        assert book.resolve("binance", "XUSDT", told).interval_hours == 4.0


def test_of_two_lists_answered_in_either_order_the_interval_is_the_later_description() -> None:
    told = [("binance", _swap(), 5_000), ("binance", FundingInterval("BTC-USDT-SWAP", 4.0), 3_000)]
    _, rows = Instruments().changed(told)
    assert [version.valid_from for _, version in rows] == [5_000, 5_001]
    assert [version.instrument.interval_hours for _, version in rows] == [None, 4.0]


def test_the_book_comes_back_from_the_warehouses_table() -> None:
    answer = (
        b'{"code":"0","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","uly":"BTC-USDT","ctType":"linear","ctVal":"0.01",'
        b'"ctMult":"1","ctValCcy":"BTC","settleCcy":"USDT","listTime":"1573557408000","state":"live"}]}'
    )
    frame = RawFrame(
        "okx", "instruments", "*", "rest", 1_790_000_000_000_000_000, "okx-rest-1-a", "rest", "live", 1, answer
    )
    first = normalise(parse_frames([frame], {}), Instruments())
    table = first.tables["instruments"]
    assert table.height == 1
    book = from_table(table)
    assert book.known("okx", "BTC-USDT-SWAP") == first.instruments.known("okx", "BTC-USDT-SWAP")
    assert normalise(parse_frames([frame], {}), book).tables["instruments"].is_empty()
    assert from_table(table.clear()).resolve("okx", "BTC-USDT-SWAP").contract_size is None


def test_a_batch_of_events_is_joined_as_of_each() -> None:
    book = Instruments().learn("okx", [(_swap(0.01), 10 * DAY_US), (_swap(0.1), 20 * DAY_US)])
    known = book.dimension([("okx", "BTC-USDT-SWAP")])
    assert known.select("since_us", "contract_size").rows()[1] == (20 * DAY_US, 0.1)
    assert isinstance(known, pl.DataFrame)


@pytest.mark.parametrize("symbol", ["BTC-USDT-SWAP", "BTC-USDT-261225", "XBTUSD"])
def test_a_timeline_always_begins_before_every_event(symbol: str) -> None:
    book = Instruments().learn("okx", [(_swap(0.01), 10 * DAY_US)])
    assert book.dimension([("okx", symbol)])["since_us"][0] < 0
