"""A batch goes on whatever one of its frames says: what fits no table is a dead letter, and the others are stored."""

from collections import Counter
from collections.abc import Iterator
from itertools import repeat
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, raw_frames
from pipelines.columns.schemas import schema
from pipelines.facts import (
    FundingInterval,
    FundingRate,
    FundingSettlement,
    Instrument,
    Kline,
    LeverageTier,
    Liquidation,
    LongShortRatio,
    MarkPrice,
    OpenInterest,
    Row,
)  # fmt: skip
from pipelines.reading.parse import DEAD, WITH_ROWS, Facts, Parsed
from warehouse import lake
from warehouse.lake import Lake
from warehouse.schema import create_or_migrate
from warehouse.writer import append

NOW_NS = 1_790_000_000_000_000_000
KINDS: tuple[type[Row], ...] = (
    FundingInterval, FundingRate, FundingSettlement, Instrument, Kline, LeverageTier, Liquidation, LongShortRatio, MarkPrice,
    OpenInterest,
)  # fmt: skip
WHOLE = (0, 1, -1, 2**31, 2**63 - 1, -(2**63), 2**63, 2**64, 10**30, 1_790_000_000_000, 253_402_300_800_000)
FLOATS = (0.0, 1.5, -1.0, 5e-324, 1.7e308, float("inf"), float("-inf"), float("nan"), 10**400)
TEXTS = ("", "BTCUSDT", "\x00", "\ud800", "x" * 70_000, "\U0010ffff", "1m", "USDT", "linear", "⁄")
OTHERS = (None, True, b"x", [], {}, "text", 1, 1.5, 1 + 2j)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """What a parser with an error might put into a field of this type, and sometimes of another."""
    options = [each for each in (get_args(hint) or (hint,)) if each is not type(None)]
    own: list[Any] = []
    for option in options:
        own += {int: WHOLE, float: FLOATS, str: TEXTS, bool: (True, False)}.get(option, [option])
    return st.one_of(st.sampled_from(own), st.sampled_from(own), st.sampled_from(own), st.sampled_from(OTHERS))


ROWS = {
    kind: st.fixed_dictionaries({name: _values(hint) for name, hint in get_type_hints(kind).items()}).map(
        lambda fields, kind=kind: kind(**fields)
    )
    for kind in KINDS
}
GOOD = {
    Liquidation: Liquidation("BTCUSDT", 1_790_000_000_000, "sell", "long", 7.0, "mark", 2.0, "base", "linear", "all", "x"),
    MarkPrice: MarkPrice("BTCUSDT", 1_790_000_000_000, 7.0, 8.0),
    FundingRate: FundingRate("BTCUSDT", 1_790_000_000_000, 0.1),
}  # fmt: skip


def _frame(n: int) -> RawFrame:
    return RawFrame(
        "bybit", "x", "*", "ws", NOW_NS, "bybit-x-1-aaaa", "x", "live", n, b"{}", "raw.liquidation", n % 4, n
    )


def _parsed(rows: list[Row]) -> Parsed:
    facts: dict[type[Row], Facts] = {}
    for n, row in enumerate(rows):
        found = facts.setdefault(type(row), Facts([], []))
        found.rows.append(row)
        found.frames.append(n)
    return Parsed([_frame(n) for n in range(len(rows))], facts, bytearray(repeat(WITH_ROWS, len(rows))), Counter())


extreme = st.sampled_from(KINDS).flatmap(lambda kind: ROWS[kind])
UNHURRIED = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
@given(
    st.lists(extreme, max_size=4), st.lists(st.sampled_from(list(GOOD.values())), max_size=3), st.sampled_from([0, 60])
)
@example([FundingInterval("BTCUSDT", b"x")], [GOOD[FundingRate]], 60)  # type: ignore[arg-type]
def test_no_fact_stops_a_batch_and_none_takes_another_along(bad: list[Row], good: list[Row], grid_s: int) -> None:
    """Whatever a parser lets through; a second reading of the same batch gives the same."""
    rows = [*good, *bad, *good]
    parsed = _parsed(rows)
    tables = normalise(parsed, Instruments(), grid_s).tables
    assert all(dict(table.schema) == schema(name) for name, table in tables.items())
    assert len(parsed.outcomes) == len(rows)
    kept = [n for n, outcome in enumerate(parsed.outcomes) if outcome == WITH_ROWS]
    assert {*range(len(good)), *range(len(rows) - len(good), len(rows))} <= {*kept}
    assert {n for n, outcome in enumerate(parsed.outcomes) if outcome == DEAD} == {*tables["dead_letters"]["seq"]}
    assert all(reason.isprintable() and len(reason) <= 330 for reason in tables["dead_letters"]["reason"])
    again = normalise(parsed, Instruments(), grid_s).tables
    assert all(tables[name].equals(again[name]) for name in tables)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A warehouse that all examples write into."""
    world = tmp_path_factory.mktemp("world")
    create_or_migrate(world)
    with lake.open(world, read_only=False) as opened:
        yield opened


@settings(UNHURRIED, max_examples=20)
@given(st.lists(extreme, min_size=5, max_size=40))
def test_what_fits_a_table_fits_the_warehouse(warehouse: Lake, rows: list[Row]) -> None:
    """No value that polars takes is one that the warehouse refuses for ever."""
    parsed = _parsed(rows)
    tables = normalise(parsed, Instruments()).tables
    append(warehouse, tables)
    assert append(warehouse, tables)["liquidations"].rows == 0
    for name in tables:
        warehouse.connection.execute(f"FROM {name}").fetchall()


@pytest.mark.parametrize("odd", [0, 2**63 - 1, 2**62])
def test_a_frame_of_any_arrival_place_and_number_is_kept(warehouse: Lake, odd: int) -> None:
    frame = msgspec.structs.replace(_frame(1), recv_ns=odd, arrived_ns=odd, seq=odd, offset=odd)
    for row in GOOD.values():
        parsed = Parsed([frame], {type(row): Facts([row], [0])}, bytearray([WITH_ROWS]), Counter())
        append(warehouse, {**normalise(parsed, Instruments()).tables, "raw_frames": raw_frames(parsed)})
    assert warehouse.connection.execute("SELECT count(*) FROM raw_frames WHERE seq = ?", [odd]).fetchone() == (3,)
