"""Ingest on a real Kafka and a real lake: exactly once however it ends, and nothing dropped for being bad."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from collectors.envelope import RawFrame, to_record
from collectors.topics import LIQUIDATION, REFERENCE, TICKER
from pipelines.ingest import reading, store
from pipelines.ingest.run import Ingest, Totals
from pipelines.settings import IngestSettings
from tests.pipelines.venue_frames import (
    START_MS,
    Session,
    binance_liquidation,
    bybit_liquidation,
    bybit_ticker,
    okx_liquidation,
)  # fmt: skip
from warehouse import query
from warehouse.lake import Lake

OKX_SWAP = {
    "instType": "SWAP", "instId": "BTC-USDT-SWAP", "uly": "BTC-USDT", "instFamily": "BTC-USDT", "settleCcy": "USDT",
    "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "ctType": "linear", "state": "live", "listTime": "1600000000000",
    "expTime": "", "baseCcy": "", "quoteCcy": "", "ruleType": "normal",
}  # fmt: skip
GRID_S = 2

FOLLOW = """
import asyncio, signal, sys
from pathlib import Path
from pipelines.ingest.run import Ingest
from pipelines.settings import IngestSettings
async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = IngestSettings(data=Path(sys.argv[1]), grid_s=1, commit_interval_s=0.05, batch_frames=100)
    await Ingest(settings, lambda totals: print(totals.commits, flush=True)).run({"bootstrap_servers": sys.argv[2]}, True, stop)
asyncio.run(main())
"""


async def publish(kafka: dict[str, Any], frames: Iterable[RawFrame]) -> None:
    async with AIOKafkaProducer(**kafka, max_request_size=40 * 1024 * 1024) as producer:
        waiting = [
            await producer.send(frame.topic, value=record.value, key=record.key, headers=record.headers)
            for frame in frames
            if (record := to_record(frame))
        ]
        await asyncio.gather(*waiting)


async def drain(kafka: dict[str, Any], world: Path) -> Totals:
    return await Ingest(IngestSettings(data=world, grid_s=1)).run(kafka, follow=False, stop=asyncio.Event())


def liquidations(number: int) -> list[RawFrame]:
    """Return frames of one session, each with one liquidation of its own time."""
    session = Session("bybit", "linear-1-aaaa")
    told = [bybit_liquidation(START_MS + n, ("Buy", "0.5", "100")) for n in range(number)]
    return [session.frame("allLiquidation", "BTCUSDT", each, START_MS, LIQUIDATION) for each in told]


def rows(world: Path, sql: str) -> list[tuple[Any, ...]]:
    return query.query(sql, world).rows()


async def test_what_is_in_kafka_is_committed_once_and_a_second_run_changes_nothing(
    fresh_kafka: dict[str, Any], tmp_path: Path
) -> None:
    frames = liquidations(500)
    await publish(fresh_kafka, frames)
    first = await drain(fresh_kafka, tmp_path)
    assert (first.records, first.rows["liquidations"], first.rows["raw_frames"]) == (500, 500, 500)
    second = await drain(fresh_kafka, tmp_path)
    assert (second.records, second.commits) == (0, 0)
    assert rows(tmp_path, "SELECT highest_seq, frames, missing, duplicates FROM frames_accounted") == [(500, 500, 0, 0)]
    stored = rows(tmp_path, "SELECT seq, payload FROM raw_frames ORDER BY seq")
    assert stored == [(frame.seq, frame.payload) for frame in frames]


async def test_a_row_says_of_its_contract_what_had_reached_kafka_before_its_frame(
    fresh_kafka: dict[str, Any], tmp_path: Path
) -> None:
    """However far behind ingest is: read at once after all is over, or while it comes."""
    okx, rest = Session("okx", "public-1-aaaa"), Session("okx", "rest-1-aaaa")
    told = [okx_liquidation(START_MS + n, "BTC-USDT-SWAP", "sell", "3", "100") for n in range(50)]
    frames = [okx.frame("liquidation-orders", "*", each, START_MS, LIQUIDATION) for each in told]
    answer = {"code": "0", "msg": "", "data": [OKX_SWAP]}
    listed = rest.frame("instruments", "*", answer, START_MS, REFERENCE, transport="rest")
    along, after = tmp_path / "along", tmp_path / "after"
    for part in (frames[:20], [listed], frames[20:]):
        await publish(fresh_kafka, part)
        await asyncio.sleep(0.005)  # the broker's clock counts in milliseconds
        await drain(fresh_kafka, along)
    await drain(fresh_kafka, after)
    for world in (along, after):
        query = "SELECT seq <= 20, count(*), any_value(metadata), any_value(qty_base) FROM liquidations"
        assert rows(world, f"{query} GROUP BY ALL ORDER BY ALL") == [
            (False, 30, "venue", 0.03),
            (True, 20, "symbol", None),
        ]


async def test_more_state_frames_in_one_bucket_than_a_batch_may_hold_are_read_to_the_end(
    fresh_kafka: dict[str, Any], fresh_world: Path
) -> None:
    bybit = Session("bybit", "linear-1-aaaa")
    frames = [bybit.frame("tickers", "BTCUSDT", bybit_ticker(START_MS, "snapshot", 1, markPrice="1"), START_MS, TICKER)]
    frames += [
        bybit.frame(
            "tickers", "BTCUSDT", bybit_ticker(START_MS + n, "delta", 1 + n, markPrice=f"{1 + n}"), START_MS, TICKER
        )
        for n in range(1, 300)
    ]
    await publish(fresh_kafka, frames)
    settings = IngestSettings(data=fresh_world, grid_s=60, batch_frames=100)
    async with asyncio.timeout(60):
        totals = await Ingest(settings).run(fresh_kafka, follow=False, stop=asyncio.Event())
    assert totals.records == 300
    assert rows(fresh_world, "SELECT mark_price FROM mark_prices") == [(300.0,)]


async def test_an_ingest_that_goes_on_for_long_renews_its_connection_and_stores_the_same(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "RENEW_COMMITS", 2)
    monkeypatch.setattr(reading, "AT_A_TIME", 10)
    renewed, renew = [], Lake.renew
    monkeypatch.setattr(Lake, "renew", lambda opened: renewed.append(renew(opened)))
    frames = liquidations(60)
    for first in range(0, 60, 10):  # what the broker took in one millisecond is one commit
        await publish(fresh_kafka, frames[first : first + 10])
        await asyncio.sleep(0.005)
    totals = await Ingest(IngestSettings(data=fresh_world, batch_frames=10)).run(
        fresh_kafka, follow=False, stop=asyncio.Event()
    )
    assert len(renewed) == totals.commits // 2 > 0
    assert rows(fresh_world, "SELECT count(*), count(DISTINCT ts_event) FROM liquidations") == [(60, 60)]


async def test_following_closes_an_old_bucket_only_when_all_of_its_frames_have_been_read(
    fresh_kafka: dict[str, Any], fresh_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_A_TIME", 50)
    bybit, stop = Session("bybit", "linear-1-aaaa"), asyncio.Event()
    frames = [
        bybit.frame(
            "tickers", "BTCUSDT", bybit_ticker(START_MS, "snapshot", 1 + n, markPrice=f"{1 + n}"), START_MS, TICKER
        )
        for n in range(400)
    ]
    began_s = time.time()
    await publish(fresh_kafka, frames)
    buckets = int(time.time() // GRID_S - began_s // GRID_S) + 1
    await asyncio.sleep(GRID_S)  # by the broker's clock the bucket is over before anything is read of it

    def told(totals: Totals) -> None:
        if totals.records == len(frames):
            stop.set()

    async with asyncio.timeout(60):
        await Ingest(IngestSettings(data=fresh_world, grid_s=GRID_S), told).run(fresh_kafka, follow=True, stop=stop)
    marks = rows(fresh_world, "SELECT mark_price FROM mark_prices ORDER BY mark_price")
    assert (marks[-1], len(marks) <= buckets) == ((400.0,), True), marks


async def test_what_is_more_than_a_commit_takes_follows_in_the_next_ones(
    fresh_kafka: dict[str, Any], fresh_world: Path
) -> None:
    stop, sizes, frames = asyncio.Event(), list[int](), liquidations(300)
    for first in range(0, 300, 30):
        await publish(fresh_kafka, frames[first : first + 30])
        await asyncio.sleep(0.005)  # the broker's clock counts in milliseconds

    def told(totals: Totals) -> None:
        sizes.append(totals.records - sum(sizes))
        if totals.records == len(frames):
            stop.set()

    settings = IngestSettings(data=fresh_world, batch_frames=40, commit_interval_s=0.01)
    async with asyncio.timeout(120):
        await Ingest(settings, told).run(fresh_kafka, follow=True, stop=stop)
    assert sum(sizes) == 300
    assert max(sizes) <= 40 + 30, "and those of the same millisecond"
    assert rows(fresh_world, "SELECT count(*), sum(missing) FROM liquidations, frames_accounted") == [(300, 0)]


async def test_bad_frames_are_dead_letters_and_everything_else_is_stored(
    fresh_kafka: dict[str, Any], fresh_world: Path
) -> None:
    good = Session("bybit", "linear-1-aaaa")
    bad = {
        "broken JSON": b'{"topic":"allLiquidation.BTCUSDT","data":[',
        "20 MB": b'{"topic":"allLiquidation.BTCUSDT","data":"' + b"x" * 20 * 1024 * 1024 + b'"}',
        "wrong types": {
            "topic": "allLiquidation.BTCUSDT",
            "type": "snapshot",
            "ts": START_MS,
            "data": [{"T": "soon", "s": 1}],
        },
        "negative": bybit_liquidation(START_MS, ("Buy", "-1", "100")),
        "zero": bybit_liquidation(START_MS, ("Buy", "0", "100")),
        "seconds": bybit_liquidation(START_MS // 1000, ("Buy", "1", "100")),
        "1970": bybit_liquidation(5, ("Buy", "1", "100")),
        "not text": b"\xff\xfe\x00",
    }
    frames = [good.frame("allLiquidation", "BTCUSDT", payload, START_MS, LIQUIDATION) for payload in bad.values()]
    frames.append(good.frame("nobodyKnows", "BTCUSDT", {"a": 1}, START_MS, LIQUIDATION))
    frames.append(
        good.frame(
            "allLiquidation", "BTCUSDT", bybit_liquidation(START_MS, ("Sell", "1", "100")), START_MS, LIQUIDATION
        )
    )
    unknown = okx_liquidation(START_MS, "NEVERHEARD-USDT-SWAP", "buy", "7", "2")
    frames.append(Session("okx", "public-1-aaaa").frame("liquidation-orders", "*", unknown, START_MS, LIQUIDATION))
    await publish(fresh_kafka, frames)
    totals = await drain(fresh_kafka, fresh_world)
    assert totals.records == len(frames)
    letters = rows(fresh_world, "SELECT seq, payload, reason FROM dead_letters ORDER BY seq")
    assert [(seq, payload) for seq, payload, _ in letters] == [(frame.seq, frame.payload) for frame in frames[:9]]
    assert all(reason for _, _, reason in letters)
    assert rows(fresh_world, "SELECT venue, symbol, notional_usd, null_reason FROM liquidations ORDER BY venue") == [
        ("bybit", "BTCUSDT", 100.0, None),
        ("okx", "NEVERHEARD-USDT-SWAP", None, "contract size not known"),
    ]
    assert rows(fresh_world, "SELECT sum(missing), sum(frames_dead) FROM frames_accounted") == [(0, 9)]


async def test_two_collectors_side_by_side_give_the_table_of_one(
    fresh_kafka: dict[str, Any], fresh_world: Path
) -> None:
    messages = [binance_liquidation(START_MS + n * 1000, "SELL", f"{n + 1}", "1800") for n in range(30)]
    one, two = Session("binance", "um-1-aaaa"), Session("binance", "um-2-bbbb")
    first = [one.frame("forceOrder", "*", each, START_MS, LIQUIDATION) for each in messages[:20]]
    late = [two.frame("forceOrder", "*", each, START_MS, LIQUIDATION) for each in messages[10:]]
    await publish(fresh_kafka, first[:15] + late[:7])
    await drain(fresh_kafka, fresh_world)
    await publish(fresh_kafka, first[15:] + late[7:])
    totals = await drain(fresh_kafka, fresh_world)
    assert totals.duplicates > 0
    stored = rows(fresh_world, "SELECT qty_raw FROM liquidations ORDER BY ts_event")
    assert stored == [(float(n + 1),) for n in range(30)]


async def test_ingest_killed_three_times_stores_what_an_undisturbed_one_stores(
    fresh_kafka: dict[str, Any], tmp_path: Path
) -> None:
    frames = _mixed_frames(2000)
    disturbed, quiet = tmp_path / "killed", tmp_path / "quiet"
    for part in range(4):
        process = await follow(disturbed, fresh_kafka["bootstrap_servers"])
        await publish(fresh_kafka, frames[part * 500 : (part + 1) * 500])
        await _committed(process)
        if part < 3:
            process.kill()
            assert await process.wait() == -signal.SIGKILL
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    await drain(fresh_kafka, disturbed)
    await drain(fresh_kafka, quiet)
    for table in ("liquidations", "raw_frames", "funding_rates", "open_interest", "mark_prices", "dead_letters"):
        select = f"SELECT * FROM {table} ORDER BY kafka_topic, kafka_partition, kafka_offset"
        killed, whole = query.query(select, disturbed), query.query(select, quiet)
        assert killed.equals(whole), table
        assert killed.height or table == "dead_letters"
    assert rows(disturbed, "SELECT sum(frames), sum(missing), sum(duplicates) FROM frames_accounted") == [
        (len(frames), 0, 0)
    ]


def _mixed_frames(count: int) -> list[RawFrame]:
    bybit = Session("bybit", "linear-1-aaaa")
    full = {
        "fundingRate": "0.0001", "nextFundingTime": str(START_MS + 3_600_000), "fundingIntervalHour": "8",
        "openInterest": "2000", "openInterestValue": "2000000", "markPrice": "1000", "indexPrice": "1001",
    }  # fmt: skip
    frames = [bybit.frame("tickers", "BTCUSDT", bybit_ticker(START_MS, "snapshot", 1, **full), START_MS, TICKER)]
    for n in range(1, count):
        at = START_MS + n * 10
        if n % 2:
            message = bybit_liquidation(at, ("Buy" if n % 3 else "Sell", f"{n}", "100"))
            frames.append(bybit.frame("allLiquidation", "BTCUSDT", message, at, LIQUIDATION))
        else:
            changed = {"markPrice": f"{1000 + n}"} if n % 4 else {"openInterest": f"{2000 + n}"}
            frames.append(bybit.frame("tickers", "BTCUSDT", bybit_ticker(at, "delta", 1 + n, **changed), at, TICKER))
    return frames


async def follow(world: Path, bootstrap: str) -> asyncio.subprocess.Process:
    """Start an ingest in a process of its own, that follows until SIGTERM."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", FOLLOW, str(world), bootstrap, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )


async def _committed(process: asyncio.subprocess.Process) -> None:
    """Wait until the process has told of a commit."""
    assert process.stdout
    async with asyncio.timeout(60):
        assert await process.stdout.readline(), "ingest ended by itself"
