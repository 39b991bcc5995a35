"""What a restarted ingest finds in the warehouse: logs, sessions and tickers as the one before left them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from collectors.envelope import RawFrame
from collectors.topics import LIQUIDATION, REFERENCE, TICKER
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.consume import Slice
from pipelines.ingest.resume import committed_from, earlier_from, ended_from, held_from, instruments_from, marks_from
from pipelines.ingest.whence import Committed
from pipelines.venues import Held
from tests.pipelines.heard import event, table
from tests.pipelines.logs import GRID_S, Plain
from tests.pipelines.test_ingest import OKX_SWAP
from tests.pipelines.venue_frames import START_MS, Session, bybit_liquidation, bybit_ticker
from warehouse.writer import append

START = datetime.fromtimestamp(START_MS / 1000, UTC).replace(tzinfo=None)
AT = (LIQUIDATION, 3)


@pytest.fixture
def warehouse() -> Any:
    return Plain()


def committed(
    warehouse: Any, minute: int, offset: int, incarnation: str | None, cluster: str = "c1", **more: Any
) -> None:
    """Store a commit of a log; its last record's name is that of its offset."""
    row = {
        "ts_commit": START + timedelta(minutes=minute), "cluster_id": cluster, "kafka_topic": AT[0], "kafka_partition": AT[1],
        "offset_from": 0, "offset_next": offset, "incarnation": incarnation, "last_record": f"record {offset}",
        "appended_last": START + timedelta(seconds=offset),
    }  # fmt: skip
    append(warehouse, {"ingest_commits": table("ingest_commits", [row | more])})


def test_of_each_log_of_a_partition_the_last_commit_is_known_and_the_latest_log_is_last(warehouse: Any) -> None:
    committed(warehouse, 0, 900, "a/0")
    committed(warehouse, 1, 950, "a/0")
    committed(warehouse, 2, 10, "b/0")
    committed(warehouse, 3, 25, "b/0")
    committed(warehouse, 4, 7, "b/0", cluster="c2")
    assert committed_from(warehouse, "c1") == {
        AT: [
            Committed(950, "a/0", "record 950", START_MS + 950_000),
            Committed(25, "b/0", "record 25", START_MS + 25_000),
        ]
    }
    assert committed_from(warehouse, "c3") == {}


def test_the_earlier_commits_of_one_log_come_latest_first_and_those_without_a_record_not_at_all(warehouse: Any) -> None:
    for minute, offset in enumerate((10, 30, 20)):
        committed(warehouse, minute, offset, "a/0")
    committed(warehouse, 4, 40, "a/0", last_record=None)
    committed(warehouse, 5, 50, "a/1")
    committed(warehouse, 6, 60, "a/0", cluster="c2")
    committed(warehouse, 7, 70, "a/0", kafka_partition=1)
    assert list(earlier_from(warehouse, "c1", AT, "a/0")) == [(30, "record 30"), (20, "record 20"), (10, "record 10")]


def store(warehouse: Any, frames: Sequence[RawFrame], held: Held, commit: datetime | None = None) -> None:
    """Commit frames of one topic as they lie in its partition 0."""
    batch = Batch(GRID_S, held, keep_all_frames=False)
    placed = [msgspec.structs.replace(frame, offset=n, partition=0) for n, frame in enumerate(frames)]
    batch.add([Slice((frames[0].topic, 0), 0, len(placed), placed, [])])
    batch.close_buckets()
    tables = batch.take().tables(Log("c1", {}, "commit"), GRID_S)
    append(warehouse, tables)


@pytest.mark.parametrize(("symbol", "interest", "value"), [("BTCUSDT", "5", "500"), ("BTCUSD", "500", "5")])
def test_a_ticker_session_knows_after_a_restart_what_it_knew_before(
    warehouse: Any, symbol: str, interest: str, value: str
) -> None:
    full = {
        "markPrice": "100.5", "indexPrice": "100.25", "openInterest": interest, "openInterestValue": value,
        "fundingRate": "0.001", "nextFundingTime": str(START_MS + 3_600_000), "fundingIntervalHour": "8",
    }  # fmt: skip
    session, held = Session("bybit", "linear-1-a"), dict[Any, Any]()
    payload = bybit_ticker(START_MS, "snapshot", 1, symbol, **full)
    store(warehouse, [session.frame("tickers", symbol, payload, START_MS, TICKER)], held)
    known = held_from(warehouse)
    assert known.keys() == held.keys() == {(session.session, symbol)}
    before, after = (msgspec.structs.asdict(each[session.session, symbol].ticker) for each in (held, known))
    assert {name: float(after[name]) for name in full} == {name: float(before[name]) for name in full}
    assert held_from(warehouse, START - timedelta(minutes=5)) == {}, "then it had not begun"
    assert held_from(Plain()) == {}  # type: ignore[arg-type]


def test_the_highest_number_of_each_session_and_partition_is_known_those_heard_last_at_the_end(warehouse: Any) -> None:
    for name, count in (("linear-2-b", 2), ("linear-1-a", 3)):
        session = Session("bybit", name)
        message = bybit_liquidation(START_MS, ("Buy", "1", "100"))
        store(warehouse, [session.frame("allLiquidation", "BTCUSDT", message, START_MS, LIQUIDATION)] * count, {})
    assert list(marks_from(warehouse).items()) == [
        (("bybit-linear-2-b", LIQUIDATION, 0), 1),
        (("bybit-linear-1-a", LIQUIDATION, 0), 1),
    ]
    assert ended_from(warehouse) == {}, "no ticker was ever stored"


def test_sessions_that_ended_in_the_last_two_days_are_known_and_those_of_long_ago_not(warehouse: Any) -> None:
    session = Session("bybit", "linear-1-a")
    payload = bybit_ticker(START_MS, "snapshot", 1, "BTCUSDT", markPrice="100")
    store(warehouse, [session.frame("tickers", "BTCUSDT", payload, START_MS, TICKER)], {})
    rows = [
        event("bybit-linear-2-b", "stopped", START - timedelta(hours=47)),
        event("bybit-linear-3-c", "disconnected", START - timedelta(hours=49)),
        event("bybit-linear-4-d", "alive", START),
        event("okx-public-5-e", "stopped", START),
    ]
    append(warehouse, {"collector_events": table("collector_events", rows)})
    assert ended_from(warehouse) == {"bybit-linear-2-b": (START_MS - 47 * 3_600_000) * 10**6}


def test_contracts_are_those_that_were_known_at_a_time(warehouse: Any) -> None:
    session = Session("okx", "rest-1-a")
    answer = {"code": "0", "msg": "", "data": [OKX_SWAP]}
    listed = session.frame("instruments", "*", answer, START_MS, REFERENCE, transport="rest")
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    batch.add([Slice((REFERENCE, 0), 0, 1, [listed], [])])
    append(warehouse, batch.take().tables(Log("c1", {}, "commit"), GRID_S))
    assert instruments_from(warehouse).resolve("okx", "BTC-USDT-SWAP").contract_size == 0.01
    assert len(instruments_from(warehouse, START + timedelta(seconds=1))) == 1
    assert len(instruments_from(warehouse, START)) == 0
