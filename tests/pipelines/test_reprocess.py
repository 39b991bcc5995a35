"""Stored frames again through today's parsers, on a real lake: right rows stay, wrong and missing ones are put right."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from collectors.envelope import RawFrame
from collectors.topics import DEAD_LETTER, FUNDING, LIQUIDATION, OPEN_INTEREST, REFERENCE, TICKER
from pipelines.errors import UsageError
from pipelines.reprocess.run import FED_BY, reprocess
from pipelines.reprocess.stored_frames import stretches
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
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

SINCE, UNTIL = datetime(2026, 9, 1), datetime(2026, 10, 1)  # noqa: DTZ001
HOUR_MS = 3_600_000
EACH = 9
CONTRACT = {
    "instType": "SWAP", "instId": "BTC-USDT-SWAP", "uly": "BTC-USDT", "instFamily": "BTC-USDT", "settleCcy": "USDT",
    "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "ctType": "linear", "state": "live", "listTime": "1600000000000",
    "expTime": "", "ruleType": "normal",
}  # fmt: skip


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        yield opened


def listed(session: Session, at_ms: int, *contracts: dict[str, str]) -> RawFrame:
    answer = {"code": "0", "msg": "", "data": list(contracts)}
    return session.frame("instruments", "*", answer, at_ms, REFERENCE, transport="rest")


def everything() -> list[RawFrame]:
    """A day and a half of every kind of frame, garbage and a second collector's repetitions among them."""
    okx, rest = Session("okx", "public-1-aaaa"), Session("okx", "rest-1-aaaa")
    one, two = Session("binance", "um-1-aaaa"), Session("binance", "um-2-bbbb")
    bybit = Session("bybit", "linear-1-aaaa")
    frames = [listed(rest, START_MS, CONTRACT)] * EACH
    for n in range(75):
        at = START_MS + n * 1_742_000
        amounts = {"oi": str(1000 + n), "oiCcy": str(10 + n / 100), "oiUsd": str(9000 + n), "ts": str(at)}
        message = {
            "arg": {"channel": "open-interest", "instId": "BTC-USDT-SWAP"},
            "data": [{"instType": "SWAP", "instId": "BTC-USDT-SWAP", **amounts}],
        }
        event = binance_liquidation(at, "SELL", f"{n + 1}", "1800")
        rate = {"instId": "BTC-USDT-SWAP", "fundingTime": str(at + HOUR_MS), "fundingRate": f"0.000{n}", "ts": str(at)}
        ticker = bybit_ticker(at, "delta" if n else "snapshot", n, markPrice=str(100 + n))
        frames += [
            okx.frame("open-interest", "BTC-USDT-SWAP", message, at, OPEN_INTEREST),
            okx.frame("open-interest", "BTC-USDT-SWAP", message, at + 1, OPEN_INTEREST),
            okx.frame(
                "liquidation-orders", "*", okx_liquidation(at, "BTC-USDT-SWAP", "sell", "3", "100"), at, LIQUIDATION
            ),
            okx.frame("funding-rate", "BTC-USDT-SWAP", {"data": [rate]}, at, FUNDING),
            bybit.frame("allLiquidation", "BTCUSDT", bybit_liquidation(at, *[("Buy", "1", "9")] * 2), at, LIQUIDATION),
            bybit.frame("allLiquidation", "BTCUSDT", b"{", at, LIQUIDATION),
            bybit.frame("tickers", "BTCUSDT", ticker, at, TICKER),
            one.frame("forceOrder", "ETHUSDT", event, at, LIQUIDATION),
            two.frame("forceOrder", "ETHUSDT", event, at - 5, LIQUIDATION),
        ]
    return placed(frames)


def contents(warehouse: Lake) -> dict[str, list[tuple[Any, ...]]]:
    aside = ("schema_history", "rollup_pending")
    return {name: sorted(rows(warehouse, f"FROM {name}"), key=repr) for name in TABLES if name not in aside}


def rows(warehouse: Lake, sql: str) -> list[tuple[Any, ...]]:
    return warehouse.connection.execute(sql).fetchall()


def changed(warehouse: Lake, table: str | None = None, **given: Any) -> dict[str, tuple[int, int]]:
    """Reprocess all; return taken out and stored, by table where there is any."""
    done = reprocess(warehouse, SINCE, UNTIL, table, **given).tables
    return {name: (each.gone, each.stored) for name, each in done.items() if each.gone or each.stored}


def given(warehouse: Lake, table: str, frame: RawFrame, **columns: Any) -> None:
    """Store a row as an older version might have made it from a frame."""
    trace = {
        "ts_recv": datetime.fromisoformat("1970-01-01") + timedelta(microseconds=frame.recv_ns // 1000),
        "kafka_topic": frame.topic, "kafka_partition": 0, "kafka_offset": frame.offset, "session": frame.session,
        "seq": frame.seq,
    }  # fmt: skip
    types = TABLES[table].schema
    append(warehouse, {table: pl.DataFrame([dict.fromkeys(types) | trace | columns], schema=types)})


def without_rows(warehouse: Lake, frames: list[RawFrame]) -> None:
    """Commit frames and take out what they gave."""
    commit(warehouse, frames)
    for table in FED_BY:
        warehouse.connection.execute(f"DELETE FROM {table}")


def test_what_is_right_is_left_as_it_is(warehouse: Lake) -> None:
    frames = everything()
    book = None
    for start in range(0, len(frames), 10 * EACH):  # no bucket is cut, as ingest cuts none
        book = commit(warehouse, frames[start : start + 10 * EACH], book)
    before = contents(warehouse)
    assert all(before[name] for name in ("liquidations", "open_interest", "mark_prices", "instruments", "dead_letters"))
    assert changed(warehouse) == {}
    assert contents(warehouse) == before


@pytest.mark.parametrize("table", [None, "liquidations"])
def test_rows_of_a_contract_that_was_not_known_are_completed_once_and_for_good(
    warehouse: Lake, table: str | None
) -> None:
    okx, rest = Session("okx", "public-1-aaaa"), Session("okx", "rest-1-aaaa")
    liquidation = okx_liquidation(START_MS, "BTC-USDT-SWAP", "sell", "3", "100")
    frames = placed(
        [
            okx.frame("liquidation-orders", "*", liquidation, START_MS, LIQUIDATION),
            listed(rest, START_MS + HOUR_MS, CONTRACT),
        ]
    )
    book = commit(warehouse, frames[:1])
    commit(warehouse, frames[1:], book)
    amounts = "SELECT qty_base, notional_usd, metadata, null_reason FROM liquidations"
    assert rows(warehouse, amounts) == [(None, None, "symbol", "contract size not known")]
    completed = rows(warehouse, "SELECT qty_base, notional_usd FROM liquidations_filled_in")
    accounts = [rows(warehouse, f"FROM {name}") for name in ("session_frames", "ingest_commits", "raw_frames")]
    assert changed(warehouse, table) == {"liquidations": (1, 1)}
    assert rows(warehouse, amounts) == [(*completed[0], "venue", None)] == [(0.03, 3.0, "venue", None)]
    assert changed(warehouse, table) == {}
    assert [rows(warehouse, f"FROM {name}") for name in ("session_frames", "ingest_commits", "raw_frames")] == accounts


def test_a_dead_letter_that_can_be_read_becomes_a_row_and_a_row_that_should_not_be_a_dead_letter(
    warehouse: Lake,
) -> None:
    session = Session("bybit", "linear-1-aaaa")
    good, bad = placed(
        session.frame("allLiquidation", "BTCUSDT", payload, START_MS, LIQUIDATION)
        for payload in (bybit_liquidation(START_MS, ("Buy", "2", "100")), bybit_liquidation(5, ("Buy", "1", "100")))
    )
    without_rows(warehouse, [good, bad])
    given(warehouse, "dead_letters", good, venue="bybit", reason="unknown channel", payload=good.payload)
    given(warehouse, "liquidations", bad, venue="bybit", ts_event=datetime(1970, 1, 1), event_key=1, occurrence=0)  # noqa: DTZ001
    assert changed(warehouse) == {"liquidations": (1, 1), "dead_letters": (1, 1)}
    assert rows(warehouse, "SELECT seq, notional_usd FROM liquidations") == [(1, 200.0)]
    assert [seq for seq, _ in rows(warehouse, "SELECT seq, reason FROM dead_letters")] == [2]
    assert changed(warehouse) == {}


def test_a_frame_the_collector_could_not_name_is_read_once_its_channel_is_known(warehouse: Lake) -> None:
    payload = bybit_liquidation(START_MS, ("Buy", "2", "100"))
    frames = placed([Session("bybit", "linear-1-aaaa").frame("?", "*", payload, START_MS, DEAD_LETTER)])
    commit(warehouse, frames)
    assert rows(warehouse, "SELECT count(*) FROM dead_letters") == [(1,)]
    assert changed(warehouse) == {"liquidations": (0, 1), "dead_letters": (1, 0)}
    assert changed(warehouse) == {}


def test_only_rows_of_kept_frames_of_the_time_and_table_are_touched(warehouse: Lake) -> None:
    frames = everything()
    commit(warehouse, frames)
    warehouse.connection.execute("UPDATE liquidations SET notional_usd = -1")
    warehouse.connection.execute("UPDATE open_interest SET oi_usd = -1")
    warehouse.connection.execute("UPDATE mark_prices SET mark_price = -1")
    late = datetime(2026, 9, 22, 12)  # noqa: DTZ001
    done = reprocess(warehouse, late, UNTIL, "liquidations").tables
    wrong = "SELECT count(*) FROM {} WHERE {} = -1 AND ts_recv {} TIMESTAMP '2026-09-22 12:00'"
    assert done["liquidations"].stored > 0
    assert rows(warehouse, wrong.format("liquidations", "notional_usd", ">=")) == [(0,)]
    assert rows(warehouse, wrong.format("liquidations", "notional_usd", "<"))[0][0] > 0
    assert rows(warehouse, "SELECT DISTINCT oi_usd FROM open_interest") == [(-1,)]
    assert set(changed(warehouse)) == {"liquidations", "open_interest"}
    assert rows(warehouse, "SELECT DISTINCT mark_price FROM mark_prices") == [(-1,)], "its frames are not kept"


def test_a_row_stored_by_the_later_of_two_collectors_stays_its(warehouse: Lake) -> None:
    one, two = Session("binance", "um-1-aaaa"), Session("binance", "um-2-bbbb")
    event = binance_liquidation(START_MS, "SELL", "1", "1800")
    late, early = placed(
        session.frame("forceOrder", "ETHUSDT", event, at, LIQUIDATION)
        for session, at in ((one, START_MS + 60), (two, START_MS))
    )
    commit(warehouse, [late, early])
    assert changed(warehouse) == {}
    assert rows(warehouse, "SELECT session FROM liquidations") == [(one.session,)]


def test_frames_that_ingest_stores_meanwhile_are_read_too(warehouse: Lake) -> None:
    session = Session("bybit", "linear-1-aaaa")
    frames = placed(
        session.frame(
            "allLiquidation", "BTCUSDT", bybit_liquidation(START_MS + n, ("Buy", "2", "100")), START_MS, LIQUIDATION
        )
        for n in range(3)
    )
    commit(warehouse, frames[:2])
    waiting = [frames[2:]]

    def told(_: int) -> None:
        if waiting:
            commit(warehouse, waiting.pop())

    assert reprocess(warehouse, SINCE, UNTIL, "liquidations", told=told).frames == 3
    assert rows(warehouse, "SELECT count(*) FROM liquidations") == [(3,)]


def test_contracts_and_margin_tables_are_made_anew_from_the_lists(warehouse: Lake) -> None:
    rest = Session("okx", "rest-1-aaaa")
    tiers = {
        "instFamily": "BTC-USDT",
        "tier": "1",
        "minSz": "0",
        "maxSz": "100",
        "mmr": "0.004",
        "imr": "0.01",
        "maxLever": "100",
    }
    frames = []
    for day in range(3):
        at = START_MS + day * 24 * HOUR_MS
        frames.append(listed(rest, at, CONTRACT | {"ctVal": ("0.01", "0.01", "0.1")[day]}))
        answer = {"code": "0", "data": [tiers | {"maxLever": ("100", "75", "75")[day]}]}
        frames.append(rest.frame("position-tiers", "*", answer, at, REFERENCE, transport="rest"))
    book = None
    for frame in placed(frames):
        book = commit(warehouse, [frame], book)
    before = contents(warehouse)
    assert [len(before[name]) for name in ("instruments", "leverage_tiers")] == [2, 2]
    assert changed(warehouse) == {}
    warehouse.connection.execute("UPDATE instruments SET contract_size = 7 WHERE contract_size = 0.1")
    warehouse.connection.execute("DELETE FROM leverage_tiers")
    assert changed(warehouse, "instruments") == {"instruments": (1, 1), "leverage_tiers": (0, 2)}
    assert contents(warehouse) == before


def test_time_is_cut_so_that_no_frame_is_read_twice_or_left_out(warehouse: Lake) -> None:
    frames = everything()
    commit(warehouse, frames)
    topics = FED_BY["dead_letters"]
    cuts = stretches(warehouse, topics, SINCE, UNTIL)
    assert len(cuts) > 24
    assert sum(cut.frames for cut in cuts) == len(frames) - sum(frame.topic == TICKER for frame in frames)
    assert all(before.until <= after.since for before, after in pairwise(cuts))


def test_a_table_that_no_frame_feeds_is_refused(warehouse: Lake) -> None:
    with pytest.raises(UsageError, match="Known: liquidations"):
        reprocess(warehouse, SINCE, UNTIL, "ingest_commits")


def test_frames_of_unknown_arrival_are_let_alone(warehouse: Lake) -> None:
    frame = Session("bybit", "linear-1-aaaa").frame("allLiquidation", "BTCUSDT", b"{", START_MS, LIQUIDATION)
    commit(warehouse, placed([msgspec.structs.replace(frame, recv_ns=0)]))
    assert reprocess(warehouse, datetime(1960, 1, 1), UNTIL).frames == 0  # noqa: DTZ001
