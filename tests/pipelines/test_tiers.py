"""Margin tables are appended when they change, whole, and only then."""

from pathlib import Path

import msgspec

from collectors.envelope import RawFrame
from collectors.topics import REFERENCE
from pipelines.columns.contracts.instruments import Instruments, from_table
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.ingest.resume import instruments_from
from tests.pipelines.commits import commit
from warehouse import lake

START_NS = 1_790_000_000_000_000_000
HOUR_NS = 3_600_000_000_000


def answer(hour: int, **leverages: list[str]) -> RawFrame:
    """Bybit's risk limits: per symbol the highest leverage of each step."""
    steps = [
        {"symbol": symbol, "riskLimitValue": str(1000 * (n + 1)), "maintenanceMargin": "0.01",
         "initialMargin": str(1 / float(leverage)), "maxLeverage": leverage, "mmDeduction": ""}
        for symbol, own in leverages.items() for n, leverage in enumerate(own)
    ]  # fmt: skip
    body = {"retCode": 0, "result": {"category": "linear", "list": steps}}
    return RawFrame(
        "bybit", "risk-limit", "*", "rest", START_NS + hour * HOUR_NS, "bybit-rest-1-a", "rest", "live", hour + 1,
        msgspec.json.encode(body), REFERENCE, 0, hour,
    )  # fmt: skip


def told(frame: RawFrame, book: Instruments) -> tuple[list[tuple[str, int, float]], Instruments]:
    tables, book = normalise(parse_frames([frame], {}), book)
    return tables["leverage_tiers"].select("symbol", "tier", "max_leverage").rows(), book


def test_a_table_is_told_once_and_again_when_a_step_has_changed_come_or_gone() -> None:
    first, book = told(answer(0, AUSDT=["50", "25"], BUSDT=["10"]), Instruments())
    assert first == [("AUSDT", 1, 50.0), ("AUSDT", 2, 25.0), ("BUSDT", 1, 10.0)]
    same, book = told(answer(1, AUSDT=["50", "25"], BUSDT=["10"]), book)
    assert same == []
    number, book = told(answer(2, AUSDT=["50", "20"], BUSDT=["10"]), book)
    assert number == [("AUSDT", 1, 50.0), ("AUSDT", 2, 20.0)]
    fewer, book = told(answer(3, AUSDT=["50"], BUSDT=["10", "5"]), book)
    assert fewer == [("AUSDT", 1, 50.0), ("BUSDT", 1, 10.0), ("BUSDT", 2, 5.0)]


def test_many_answers_in_one_batch_say_what_they_say_one_by_one() -> None:
    frames = [answer(n, AUSDT=["50", ("25", "25", "20", "25")[n]]) for n in range(4)]
    together = normalise(parse_frames(frames, {}), Instruments()).tables["leverage_tiers"]
    assert together["seq"].to_list() == [1, 1, 3, 3, 4, 4]


def test_the_book_comes_back_from_the_warehouse_and_as_of_a_time_one_table_holds(fresh_world: Path) -> None:
    with lake.open(fresh_world, read_only=False) as warehouse:
        book = commit(warehouse, [answer(0, AUSDT=["50", "25"], BUSDT=["10"])])
        commit(warehouse, [answer(1, AUSDT=["40"])], book)
        back = instruments_from(warehouse)
        assert told(answer(2, AUSDT=["40"], BUSDT=["10"]), back)[0] == []
        assert told(answer(2, AUSDT=["50", "25"]), back)[0] == [("AUSDT", 1, 50.0), ("AUSDT", 2, 25.0)]
        as_of = "SELECT symbol, max_leverage FROM leverage_tiers_as_of WHERE is_current ORDER BY symbol"
        assert warehouse.connection.execute(as_of).fetchall() == [("AUSDT", 40.0), ("BUSDT", 10.0)]


def test_a_book_without_margin_tables_takes_the_first_for_new() -> None:
    tables = normalise(parse_frames([], {}), Instruments()).tables
    book = from_table(tables["instruments"], tables["leverage_tiers"])
    assert told(answer(0, AUSDT=["50"]), book)[0] == [("AUSDT", 1, 50.0)]
