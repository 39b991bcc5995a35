"""A contract is delisted once its venue's whole list has been without it for two hours of reading, and not before."""

from itertools import count

import msgspec
import pytest

from collectors.envelope import RawFrame
from collectors.topics import REFERENCE
from pipelines.columns.contracts.instruments import Instruments, from_table
from pipelines.columns.normalise import normalise, parse_frames

MINUTE_MS = 60_000
START_MS = 1_790_000_000_000
numbers = count(1)


def page(at_min: float, *symbols: str, category: str = "linear") -> RawFrame:
    """A page of Bybit's list; a category's other contracts are on other pages."""
    kind = "LinearPerpetual" if category == "linear" else "InversePerpetual"
    contracts = [
        {"symbol": symbol, "contractType": kind, "status": "Trading", "baseCoin": symbol[:-4], "quoteCoin": "USDT",
         "settleCoin": "USDT", "launchTime": "1600000000000", "deliveryTime": "0", "fundingInterval": 480}
        for symbol in symbols
    ]  # fmt: skip
    answer = {"retCode": 0, "retMsg": "OK", "time": START_MS, "result": {"category": category, "list": contracts}}
    recv_ns = int(START_MS + at_min * MINUTE_MS) * 1_000_000
    return RawFrame(
        "bybit", "instruments-info", "*", "rest", recv_ns, "bybit-rest-1-a", "rest", "live", next(numbers),
        msgspec.json.encode(answer), REFERENCE, 0, 0,
    )  # fmt: skip


def told(frames: list[RawFrame], book: Instruments | None = None) -> tuple[list[tuple[float, str, str]], Instruments]:
    """Return (valid from, minutes; symbol; status) of every row, and the book after it; a commit a frame."""
    rows = []
    book = book or Instruments()
    for frame in frames:
        tables, book = normalise(parse_frames([frame], {}), book)
        rows += tables["instruments"].select("valid_from", "symbol", "status").rows()
    return [(round(at.timestamp() / 60 - START_MS / MINUTE_MS, 1), symbol, status) for at, symbol, status in rows], book


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def polls(first_min: int, last_min: int, *pages: tuple[str, ...]) -> list[RawFrame]:
    """A poll of all pages every ten minutes, a second between pages."""
    return [page(at + n / 60, *own) for at in range(first_min, last_min + 1, 10) for n, own in enumerate(pages)]


def test_a_contract_the_list_no_longer_holds_is_delisted_from_the_first_page_without_it() -> None:
    rows, _ = told(polls(0, 30, ("AUSDT", "BUSDT")) + polls(40, 300, ("AUSDT",)))
    assert rows == [(0, "AUSDT", "Trading"), (0, "BUSDT", "Trading"), (40, "BUSDT", "delisted")]


def test_it_is_said_after_two_hours_and_once() -> None:
    _, book = told(polls(0, 30, ("AUSDT", "BUSDT")))
    before, book = told(polls(40, 160, ("AUSDT",)), book)
    after, book = told(polls(170, 170, ("AUSDT",)), book)
    assert (before, after) == ([], [(40, "BUSDT", "delisted")])
    assert told(polls(180, 600, ("AUSDT",)), book)[0] == []


def test_the_pages_of_a_list_are_one_list() -> None:
    rows, _ = told(polls(0, 600, ("AUSDT", "BUSDT"), ("CUSDT", "DUSDT"), ("EUSDT",)))
    assert len(rows) == 5


def test_a_list_that_was_cut_short_or_not_read_for_long_delists_nothing() -> None:
    whole, half = ("AUSDT", "BUSDT"), ("AUSDT",)
    frames = polls(0, 30, whole) + polls(40, 100, half) + polls(110, 110, whole)
    frames += polls(1000, 1000, half) + polls(1001, 1100, whole) + polls(9000, 9060, half) + polls(9070, 9070, whole)
    assert len(told(frames)[0]) == 2


def test_another_category_says_nothing_of_it() -> None:
    frames = polls(0, 30, ("AUSDT",)) + [page(at, "BTCUSD", category="inverse") for at in range(40, 900, 10)]
    assert [row[2] for row in told(frames)[0]] == ["Trading", "Trading"]


def test_a_contract_that_comes_back_has_a_new_row_and_may_go_again() -> None:
    frames = polls(0, 30, ("AUSDT", "BUSDT")) + polls(40, 300, ("AUSDT",)) + polls(310, 320, ("AUSDT", "BUSDT"))
    rows, _ = told(frames + polls(330, 600, ("AUSDT",)))
    assert rows[1:] == [
        (0, "BUSDT", "Trading"), (40, "BUSDT", "delisted"), (310, "BUSDT", "Trading"), (330, "BUSDT", "delisted"),
    ]  # fmt: skip


def test_one_batch_of_many_hours_says_what_many_batches_say() -> None:
    frames = polls(0, 30, ("AUSDT", "BUSDT")) + polls(40, 300, ("AUSDT",)) + polls(310, 320, ("AUSDT", "BUSDT"))
    rows = normalise(parse_frames(frames, {}), Instruments()).tables["instruments"]
    assert [(row[2], row[1]) for row in told(frames)[0]] == rows.select("status", "symbol").rows()


def test_a_book_read_back_knows_what_is_delisted() -> None:
    frames = polls(0, 30, ("AUSDT", "BUSDT")) + polls(40, 300, ("AUSDT",))
    table = normalise(parse_frames(frames, {}), Instruments()).tables["instruments"]
    rows, _ = told(polls(310, 900, ("AUSDT",)), from_table(table))
    assert rows == []
    assert [row[2] for row in told(polls(310, 320, ("AUSDT", "BUSDT")), from_table(table))[0]] == ["Trading"]


def test_a_delisted_contract_is_still_read_as_it_was() -> None:
    _, book = told(polls(0, 30, ("AUSDT", "1000BUSDT")) + polls(40, 300, ("AUSDT",)))
    found = book.resolve("bybit", "1000BUSDT")
    assert (found.base, found.multiplier, found.metadata) == ("B", 1000, "venue")
