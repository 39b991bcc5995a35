"""What a batch takes in and hands out: no frame left out, none twice, and no more kept in memory than is needed."""

import msgspec
import polars as pl
import pytest

from collectors.envelope import RawFrame
from collectors.topics import EVENTS, LIQUIDATION, REFERENCE, TICKER
from pipelines.facts import Instrument, Row
from pipelines.ingest import grid
from pipelines.ingest.accounting import ACCOUNT, COUNTS, Account, accounts, died, received_again
from pipelines.ingest.batch import Batch
from pipelines.ingest.consume import Malformed, Slice
from pipelines.ingest.marks import Marks
from pipelines.reading.parse import DEAD, WITH_ROWS, WITHOUT_ROWS
from pipelines.venues import Held, parser_of
from tests.pipelines.test_batch import GRID_S, LOG, TICKERS, commits, cut, placed
from tests.pipelines.test_ingest import OKX_SWAP
from tests.pipelines.venue_frames import START_MS, Session, bybit_liquidation
from warehouse.runs import joined, unpacked


def liquidations(number: int) -> list[RawFrame]:
    """Return frames of one session with one liquidation each, as they lie in partition 0."""
    session, message = Session("bybit", "linear-1-aaaa"), bybit_liquidation(START_MS, ("Buy", "1", "100"))
    frames = [session.frame("allLiquidation", "BTCUSDT", message, START_MS, LIQUIDATION) for _ in range(number)]
    return placed(frames, LIQUIDATION)


def lists(*sizes: str) -> list[RawFrame]:
    """Return answers that list one contract of OKX with these sizes, a minute apart by the broker's clock."""
    session = Session("okx", "rest-1-aaaa")
    answers = [{"code": "0", "msg": "", "data": [OKX_SWAP | {"ctVal": size}]} for size in sizes]
    frames = [session.frame("instruments", "*", each, START_MS, REFERENCE, transport="rest") for each in answers]
    return [
        msgspec.structs.replace(frame, appended_ms=START_MS + n * 60_000)
        for n, frame in enumerate(placed(frames, REFERENCE))
    ]


def test_a_record_of_state_that_is_no_raw_record_is_a_dead_letter_of_the_bucket_it_was_taken_in() -> None:
    taken = [
        msgspec.structs.replace(frame, offset=frame.offset + 1, appended_ms=START_MS + frame.offset)
        for frame in TICKERS
    ]
    lost = RawFrame("", "?", "", "ws", 0, "", "a", "live", 0, b"\xff", TICKER, 0, 0, 1, START_MS)
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    batch.add([Slice((TICKER, 0), 0, 1, [], [Malformed(lost, "header v is missing")])])
    end_ms = (START_MS // 1000 // GRID_S + 1) * GRID_S * 1000
    batch.close_buckets(before_ms=end_ms - 1)
    assert not batch, "more of the bucket may come"
    batch.add([Slice((TICKER, 0), 1, 3, taken[:2], [])])
    batch.close_buckets(before_ms=end_ms)
    ready = batch.take()
    assert {at: span[:2] for at, span in ready.spans.items()} == {(TICKER, 0): (0, 3)}
    tables = ready.tables(LOG, GRID_S)
    assert tables["dead_letters"].select("reason", "kafka_offset").rows() == [("header v is missing", 0)]
    assert tables["mark_prices"].height == 1
    assert tables["ingest_commits"].select("offset_next", "frames", "dead_letters").rows() == [(3, 3, 1)]
    alone = Batch(GRID_S, {}, keep_all_frames=False)
    alone.add([Slice((TICKER, 0), 0, 1, [], [Malformed(lost, "header v is missing")])])
    alone.close_buckets(before_ms=end_ms)
    assert alone


def test_however_many_frames_the_broker_took_in_one_millisecond_each_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MOST_IN_RUN", 4)
    taken = [msgspec.structs.replace(frame, appended_ms=START_MS) for frame in TICKERS[:10]]
    (tables,) = commits(cut(taken, ()))[-1:]
    assert joined(unpacked(tables["session_frames"])).select("first", "last").rows() == [(1, 10)]
    assert tables["mark_prices"]["kafka_offset"].to_list() == [9]


def test_a_bucket_with_more_than_is_kept_in_memory_is_closed_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MOST_ROWS", 3)
    batch = Batch(GRID_S, {}, keep_all_frames=True)
    first, second, third = cut([msgspec.structs.replace(frame, appended_ms=START_MS) for frame in TICKERS[:3]], (1, 2))
    batch.add([first, second])
    assert not batch
    batch.add([third])
    assert batch.frames == 3
    assert {at: span[:2] for at, span in batch.take().spans.items()} == {(TICKER, 0): (0, 3)}


def test_a_batch_counts_what_a_commit_would_take_in_and_is_empty_after_it() -> None:
    batch, frames = Batch(GRID_S, {}, keep_all_frames=False), liquidations(3)
    size = sum(len(frame.payload) for frame in frames)
    assert (batch.is_idle, bool(batch)) == (True, False)
    batch.add(cut(frames, (1,)))
    assert (batch.is_idle, bool(batch), batch.frames, batch.bytes) == (False, True, 3, size)
    batch.take()
    assert (batch.is_idle, bool(batch), batch.frames, batch.bytes) == (True, False, 0, 0)
    batch.add(cut(TICKERS[:2], ()))
    assert (batch.is_idle, bool(batch), batch.frames) == (False, False, 0), "an open bucket waits and is not due"


def test_an_event_is_stored_though_another_of_its_session_has_the_same_number() -> None:
    session = Session("okx", "public-1-aaaa")
    told = {"venue": "okx", "session": session.session, "transport": "ws", "ts_ns": START_MS * 10**6, "frames": 9}
    frames = [
        msgspec.structs.replace(session.frame("event", "*", told | {"event": name}, START_MS, EVENTS), seq=9)
        for name in ("silent", "disconnected")
    ]
    batch = Batch(GRID_S, {}, keep_all_frames=False, marks=Marks())
    batch.add(cut(placed(frames, EVENTS), ()))
    events = batch.take().tables(LOG, GRID_S)["collector_events"]
    assert events["event"].to_list() == ["silent", "disconnected"]


def test_frames_that_are_stored_already_are_left_out_and_counted_as_received_again() -> None:
    frames = liquidations(5)
    batch = Batch(GRID_S, {}, keep_all_frames=False, marks=Marks({(frames[0].session, LIQUIDATION, 0): 2}))
    batch.add(cut([*frames, *(msgspec.structs.replace(frame, offset=frame.offset + 5) for frame in frames[3:])], (3,)))
    tables = batch.take().tables(LOG, GRID_S)
    assert tables["raw_frames"]["seq"].to_list() == [3, 4, 5]
    assert tables["session_frames"].select(pl.col(COUNTS).sum()).row(0) == (3, 3, 0, 0, 4)
    assert tables["ingest_commits"].select("offset_next", "frames").rows() == [(7, 7)]


def of(account: Account) -> dict[str, object]:
    return dict(zip(ACCOUNT, account.row, strict=True))


def counts(account: Account) -> tuple[object, ...]:
    return tuple(of(account)[name] for name in COUNTS)


def test_each_session_and_partition_has_an_account_of_its_own_also_where_they_are_mixed() -> None:
    one, two = (
        liquidations(4),
        [msgspec.structs.replace(frame, session="bybit-linear-2-b") for frame in liquidations(3)],
    )
    elsewhere = [msgspec.structs.replace(frame, partition=1) for frame in one[2:]]
    mixed = [one[0], two[0], one[1], *two[1:], *elsewhere]
    found = accounts(mixed, bytes([WITH_ROWS, DEAD, WITH_ROWS, DEAD, WITH_ROWS, WITHOUT_ROWS, WITH_ROWS]))
    assert [(each.session, of(each)["kafka_partition"], counts(each)[:4], each.seqs.to_list()) for each in found] == [
        (one[0].session, 0, (2, 2, 0, 0), [1, 2]),
        (two[0].session, 0, (3, 1, 0, 2), [1, 2, 3]),
        (one[0].session, 1, (2, 1, 1, 0), [3, 4]),
    ]
    together = accounts([*one[:2], *two], bytes([WITH_ROWS] * 5))
    assert [(each.session, counts(each)[0]) for each in together] == [(one[0].session, 2), (two[0].session, 3)]


def test_what_makes_an_account_right_of_a_frame_that_died_later_changes_its_fate_and_no_number() -> None:
    frames = liquidations(3)
    (found,) = died(frames, bytes([WITH_ROWS, DEAD, WITH_ROWS]), bytes([WITH_ROWS, DEAD, DEAD]))
    assert dict(zip(COUNTS, counts(found), strict=True)) == {
        "frames": 0,
        "frames_with_rows": -1,
        "frames_without_rows": 0,
        "frames_dead": 1,
        "received_again": 0,
    }
    assert found.seqs.is_empty()
    assert (of(found)["seq_min"], of(found)["seq_max"]) == (3, 3), "that of the frame that died"


@pytest.mark.parametrize(("topics", "partitions"), [(2, 2), (2, 1), (1, 2)])
def test_frames_of_several_logs_are_never_taken_for_those_of_one(topics: int, partitions: int) -> None:
    places = [((LIQUIDATION, TICKER)[n % topics], n % partitions) for n in range(2)]
    frames = [
        msgspec.structs.replace(frame, session=f"bybit-x-{topic}-{partition}", topic=topic, partition=partition)
        for frame, (topic, partition) in zip(liquidations(2), places, strict=True)
    ]
    assert [counts(each)[0] for each in accounts(frames, bytes([WITH_ROWS] * 2))] == [1, 1]
    again = received_again(frames)
    assert [(counts(each)[0], counts(each)[4], len(each.seqs)) for each in again] == [(0, 1, 0), (0, 1, 0)]


def test_a_list_of_contracts_is_kept_with_its_frame_and_counted() -> None:
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    batch.add(cut(lists("0.01", "0.02"), ()))
    assert batch
    tables = batch.take().tables(LOG, GRID_S)
    assert tables["raw_frames"]["kafka_topic"].to_list() == [REFERENCE, REFERENCE]
    assert tables["instruments"]["contract_size"].to_list() == [0.01, 0.02]
    assert tables["session_frames"].select("frames", "frames_with_rows").rows() == [(2, 2)]
    assert batch.is_idle


@pytest.mark.parametrize("before_ms", [30_000, 0])
def test_a_list_of_contracts_waits_for_the_open_bucket_that_began_before_it_or_in_its_millisecond(
    before_ms: int,
) -> None:
    """Else an ingest that is killed in between would read the bucket again with a book that is too new."""
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    before, after = cut(lists("0.01", "0.02"), (1,))
    state = msgspec.structs.replace(TICKERS[0], appended_ms=START_MS + 60_000 - before_ms)
    batch.add([before, *cut([state], ()), after])
    assert {at: span[:2] for at, span in batch.take().spans.items()} == {(REFERENCE, 0): (0, 1)}
    assert not batch
    batch.close_buckets()
    assert {at: span[:2] for at, span in batch.take().spans.items()} == {(REFERENCE, 0): (1, 2), (TICKER, 0): (0, 1)}


def test_a_list_that_no_table_can_hold_is_a_dead_letter_and_the_others_are_learned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parsers refuse what cannot be; here one lets a number beyond 64 bits through."""
    parse = parser_of("okx", "rest", "instruments")

    def lets_through(frame: RawFrame, held: Held) -> list[Row]:
        rows = parse(frame, held)
        if frame.seq == 2 and isinstance(rows[0], Instrument):
            rows[0].multiplier = 1 << 64
        return rows

    monkeypatch.setattr("pipelines.reading.parse.parser_of", lambda *_: lets_through)
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    batch.add(cut(lists("0.01", "0.02", "0.03"), (1,)))
    tables = batch.take().tables(LOG, GRID_S)
    assert tables["instruments"]["contract_size"].to_list() == [0.01, 0.03]
    assert tables["dead_letters"].select("seq", "kafka_offset").rows() == [(2, 1)]
    assert tables["dead_letters"]["reason"].str.starts_with("no table can hold it: ").all()
    assert tables["session_frames"].select(pl.col(COUNTS).sum()).row(0) == (3, 2, 0, 1, 0)


def test_books_of_contracts_that_no_frame_to_come_needs_are_forgotten_but_not_those_of_an_open_bucket() -> None:
    batch = Batch(GRID_S, {}, keep_all_frames=False)
    batch.add(cut(lists("0.01", "0.02", "0.03"), ()))
    books = batch._books._books
    assert len(books) == 4
    batch.add(cut([msgspec.structs.replace(TICKERS[0], appended_ms=START_MS + 60_000)], ()))
    batch.forget(START_MS + 120_000)
    assert list(batch._books._books) == books[2:], "the frame that waits came when the second was known"
    batch.close_buckets()
    batch.forget(START_MS + 120_000)
    assert batch._books._books == books[3:]


def test_an_account_has_when_its_frames_arrived_by_kafkas_clock_and_where_that_is_not_known_by_the_collectors() -> None:
    first, second = liquidations(2)
    (found,) = accounts([msgspec.structs.replace(first, arrived_ns=5_000_000), second], bytes([WITH_ROWS] * 2))
    assert found.arrived.to_list() == [5_000, second.recv_ns // 1000]
    assert found.row[-4:] == (1, 2, 5_000, second.recv_ns // 1000)
