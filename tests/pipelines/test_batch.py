"""How frames become the rows of commits: whatever the cuts, whoever collected, the same table."""

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from collectors.topics import EVENTS, KLINE, LIQUIDATION, TICKER
from pipelines.facts import Liquidation, Row
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.consume import Malformed, Slice
from pipelines.venues import Held, parser_of
from tests.pipelines.venue_frames import START_MS, Session, binance_liquidation, bybit_liquidation, bybit_ticker
from warehouse.runs import joined, unpacked

GRID_S = 60
LOG = Log("cluster", {}, "commit")


def placed(frames: Iterable[RawFrame], topic: str) -> list[RawFrame]:
    """Return frames as they lie in partition 0 of a topic."""
    return [msgspec.structs.replace(frame, topic=topic, partition=0, offset=at) for at, frame in enumerate(frames)]


def cut(frames: Sequence[RawFrame], cuts: Iterable[int]) -> list[Slice]:
    """Return a partition's frames as slices cut before the given offsets."""
    ends = sorted({at for at in cuts if 0 < at < len(frames)} | {len(frames)})
    starts = [0, *ends[:-1]]
    return [Slice((frames[0].topic, 0), a, b, list(frames[a:b]), []) for a, b in zip(starts, ends, strict=True)]


def commits(slices: Iterable[Slice]) -> list[dict[str, pl.DataFrame]]:
    """Return what each commit holds, one after every slice."""
    batch, found = Batch(GRID_S, {}, keep_all_frames=False), []
    for part in slices:
        batch.add([part])
        if batch:
            found.append(batch.take().tables(LOG, GRID_S))
    batch.close_buckets()
    return [*found, batch.take().tables(LOG, GRID_S)]


def committed(slices: Iterable[Slice], table: str) -> pl.DataFrame:
    """Return the rows that a table gets, a commit after every slice."""
    return pl.concat([each[table] for each in commits(slices)])


def ticker_frames() -> list[RawFrame]:
    session = Session("bybit", "linear-1-aaaa")
    full = {
        "fundingRate": "0.0001", "nextFundingTime": str(START_MS + 3_600_000), "fundingIntervalHour": "8",
        "openInterest": "2000", "openInterestValue": "2000000", "markPrice": "1000", "indexPrice": "1001",
    }  # fmt: skip
    messages = [bybit_ticker(START_MS, "snapshot", 1, **full)]
    for n in range(1, 60):
        changed = ({"markPrice": f"{1000 + n}"}, {"openInterest": f"{2000 + n}"}, {"fundingRate": f"0.000{n}"})[n % 3]
        messages.append(bybit_ticker(START_MS + n * 7_000, "delta", 1 + n, **changed))
    return placed([session.frame("tickers", "BTCUSDT", each, each["ts"], TICKER) for each in messages], TICKER)


TICKERS = ticker_frames()


@cache
def at_once() -> list[dict[str, pl.DataFrame]]:
    return commits(cut(TICKERS, ()))


@given(st.sets(st.integers(1, 59)))
@settings(deadline=None, max_examples=60)
def test_state_rows_do_not_depend_on_where_batches_were_cut(cuts: set[int]) -> None:
    several, (once, last) = commits(cut(TICKERS, cuts)), at_once()
    for table in ("funding_rates", "open_interest", "mark_prices"):
        whole = pl.concat([once[table], last[table]])
        assert whole.height >= 7
        assert pl.concat([each[table] for each in several]).rows() == whole.rows()


def test_a_bucket_keeps_the_last_state_and_the_frames_before_the_next_bucket() -> None:
    rows = committed(cut(ticker_frames(), ()), "mark_prices")
    assert rows["ts"].is_unique().all()
    frames = ticker_frames()
    marks = [msgspec.json.decode(frame.payload)["data"].get("markPrice") for frame in frames]
    last: dict[int, float] = {}
    for frame, mark in zip(frames, marks, strict=True):
        if mark:
            last[frame.recv_ns // (GRID_S * 10**9)] = float(mark)
    assert rows["mark_price"].to_list() == list(last.values())


def test_a_row_of_state_has_the_time_at_which_the_broker_took_its_frame_where_the_topic_has_one() -> None:
    taken = [msgspec.structs.replace(frame, appended_ms=frame.recv_ns // 10**6 + 7) for frame in TICKERS]
    for table in ("funding_rates", "open_interest", "mark_prices"):
        rows = committed(cut(taken, ()), table)
        offsets = rows["kafka_offset"].to_list()
        assert rows["ts_append"].dt.epoch("ms").to_list() == [taken[offset].appended_ms for offset in offsets]
        assert committed(cut(TICKERS, ()), table)["ts_append"].null_count() == rows.height


def test_only_closed_buckets_are_offered_for_a_commit() -> None:
    frames = ticker_frames()
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    batch.add(cut(frames, ()))
    ready = batch.take()
    open_from = ready.spans[(TICKER, 0)].next
    assert ready.spans[(TICKER, 0)].start == 0
    buckets = [frame.recv_ns // (GRID_S * 10**9) for frame in frames]
    assert open_from == buckets.index(buckets[-1])
    batch.close_buckets(before_ms=frames[-1].recv_ns // 10**6)
    assert not batch
    batch.close_buckets(before_ms=frames[-1].recv_ns // 10**6 + GRID_S * 1000)
    assert {at: span[:2] for at, span in batch.take().spans.items()} == {(TICKER, 0): (open_from, len(frames))}


def test_accounts_name_every_frame_of_a_session_once() -> None:
    session = Session("bybit", "linear-1-aaaa")
    frames = [
        session.frame(
            "allLiquidation", "BTCUSDT", bybit_liquidation(START_MS, ("Buy", "1", "100")), START_MS, LIQUIDATION
        ),
        session.frame("allLiquidation", "BTCUSDT", b"{", START_MS, LIQUIDATION),
        session.frame("publicTrade", "BTCUSDT", {"topic": "publicTrade.BTCUSDT"}, START_MS, LIQUIDATION),
    ]
    rows = committed(cut(placed(frames, LIQUIDATION), (1,)), "session_frames").drop("ts_commit")
    assert rows.select(pl.col("frames", "frames_with_rows", "frames_without_rows", "frames_dead").sum()).row(0) == (
        3, 1, 1, 1,
    )  # fmt: skip
    assert rows["runs"].to_list() == [[1, 1], [2, 3]]
    assert (rows["seq_min"].min(), rows["seq_max"].max()) == (1, 3)


@pytest.mark.parametrize(("keep_all_frames", "kept"), [(False, [LIQUIDATION]), (True, [KLINE, LIQUIDATION, TICKER])])
def test_frames_of_tickers_and_klines_are_stored_only_if_asked_for_and_their_rows_always(
    keep_all_frames: bool, kept: list[str]
) -> None:
    session = Session("bybit", "linear-1-aaaa")
    candle = [str(START_MS - 60_000), "1", "2", "1", "2", "10", "15"]
    klines = {"retCode": 0, "result": {"category": "linear", "symbol": "BTCUSDT", "list": [candle]}}
    liquidation = bybit_liquidation(START_MS, ("Buy", "1", "100"))
    polled = session.frame("kline@1", "BTCUSDT", klines, START_MS + 60_000, KLINE, transport="rest")
    frames = [
        session.frame("tickers", "BTCUSDT", bybit_ticker(START_MS, "snapshot", 1, markPrice="1"), START_MS, TICKER),
        polled,
        session.frame("allLiquidation", "BTCUSDT", liquidation, START_MS, LIQUIDATION),
    ]
    batch = Batch(GRID_S, {}, keep_all_frames=keep_all_frames)
    batch.add(cut(placed([frame], frame.topic), ())[0] for frame in frames)
    batch.close_buckets()
    tables = batch.take().tables(LOG, GRID_S)
    assert sorted(tables["raw_frames"]["kafka_topic"]) == kept
    assert [tables[name].height for name in ("mark_prices", "klines", "liquidations")] == [1, 1, 1]
    assert tables["session_frames"]["frames_with_rows"].sum() == 3


def test_a_record_that_is_no_raw_record_is_a_dead_letter_and_moves_the_offset() -> None:
    lost = RawFrame("", "?", "", "ws", 0, "", "a", "live", 0, b"\xff", LIQUIDATION, 0, 0)
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    batch.add([Slice((LIQUIDATION, 0), 0, 1, [], [Malformed(lost, "header v is missing")])])
    ready = batch.take()
    tables = ready.tables(LOG, GRID_S)
    assert tables["dead_letters"].select("reason", "payload", "kafka_offset").rows() == [
        ("header v is missing", b"\xff", 0)
    ]
    assert tables["ingest_commits"].select("offset_next", "frames", "dead_letters").rows() == [(1, 1, 1)]


def test_collector_events_become_rows_and_count_as_no_frames() -> None:
    session = Session("okx", "public-1-aaaa")
    told = {"event": "stopped", "venue": "okx", "session": session.session, "transport": "ws", "ts_ns": START_MS * 10**6,
            "frames": 9}  # fmt: skip
    frames = placed(
        [session.frame("event", "*", told, START_MS, EVENTS), session.frame("event", "*", b"[]", START_MS, EVENTS)],
        EVENTS,
    )
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    batch.add(cut(frames, ()))
    tables = batch.take().tables(LOG, GRID_S)
    assert tables["collector_events"].select("event", "frames").rows() == [("stopped", 9)]
    assert tables["dead_letters"].height == 1
    assert tables["session_frames"].is_empty()
    assert tables["raw_frames"].is_empty()


@pytest.mark.parametrize("duplicated", [(), (0,), (1, 2)])
def test_identical_liquidations_in_a_frame_stay_apart_and_a_repeated_frame_adds_none(
    duplicated: tuple[int, ...],
) -> None:
    one, two = Session("bybit", "linear-1-aaaa"), Session("bybit", "linear-2-bbbb")
    messages = [
        bybit_liquidation(START_MS, ("Buy", "0.001", "100"), ("Buy", "0.001", "100"), ("Sell", "2", "101")),
        bybit_liquidation(START_MS + 500, ("Buy", "0.001", "100")),
        bybit_liquidation(START_MS + 900, ("Sell", "3", "102")),
    ]
    frames = [one.frame("allLiquidation", "BTCUSDT", each, START_MS, LIQUIDATION) for each in messages]
    frames += [two.frame("allLiquidation", "BTCUSDT", messages[n], START_MS, LIQUIDATION) for n in duplicated]
    rows = committed(cut(placed(frames, LIQUIDATION), (2,)), "liquidations")
    keys = rows.select("ts_event", "event_key", "occurrence").unique()
    assert keys.height == 5
    assert rows.height == 5 + sum((3, 1, 1)[n] for n in duplicated)


def test_a_symbol_on_both_binance_hosts_has_one_key() -> None:
    payload = binance_liquidation(START_MS, "SELL", "2", "1800")
    frames = [
        Session("binance", name).frame("forceOrder", "*", payload, START_MS, LIQUIDATION)
        for name in ("um-1-a", "cm-1-b")
    ]
    rows = committed(cut(placed(frames, LIQUIDATION), ()), "liquidations")
    assert rows["event_key"].n_unique() == 1


@pytest.mark.parametrize("topic", [LIQUIDATION, TICKER])
def test_a_frame_whose_facts_fit_no_column_is_a_dead_letter_and_stops_nothing(
    topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsers refuse what cannot be; here one lets a time beyond 64 bits through."""
    session = Session("bybit", "linear-1-aaaa")
    messages = [bybit_liquidation(START_MS + n, ("Buy", "1", "100"), ("Sell", "2", "101")) for n in range(9)]
    frames = [session.frame("allLiquidation", "BTCUSDT", message, START_MS, topic) for message in messages]
    parse = parser_of("bybit", "ws", "allLiquidation")

    def lets_through(frame: RawFrame, held: Held) -> list[Row]:
        rows = parse(frame, held)
        if frame.seq in (3, 8) and isinstance(rows[-1], Liquidation):
            rows[-1].ts_event = 1 << 64
        return rows

    monkeypatch.setattr("pipelines.reading.parse.parser_of", lambda *_: lets_through)
    found = commits(cut(placed(frames, topic), ()))
    tables = {name: pl.concat([each[name] for each in found]) for name in found[0]}
    letters = tables["dead_letters"]
    assert sorted(letters["seq"]) == [3, 8]
    assert letters["reason"].str.starts_with("no table can hold it: ").all()
    kept = 7 * 2 if topic == LIQUIDATION else 7 * 2 + 2  # a bucket's rows stand alone: those of the frame that fit stay
    assert tables["liquidations"].height == kept
    counts = tables["session_frames"].select(pl.col("frames", "frames_with_rows", "frames_dead").sum())
    assert counts.row(0) == (9, 7, 2)
    assert joined(unpacked(tables["session_frames"])).select("first", "last").rows() == [(1, 9)]
    assert tables["ingest_commits"]["dead_letters"].sum() == 2
