"""The proof that no frame was lost: exact by number, whatever else came twice, over topics, partitions, commits and folding."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.envelope import Origin, RawFrame
from collectors.events import event_frame
from collectors.topics import EVENTS, LIQUIDATION, TICKER
from pipelines.ingest.accounting import received_again, session_frames
from pipelines.ingest.batch import Batch
from pipelines.ingest.commits import Log
from pipelines.ingest.consume import Slice
from tests.pipelines.venue_frames import START_MS, Session, bybit_liquidation, bybit_ticker
from warehouse import lake
from warehouse.fold import fold
from warehouse.lake import Lake
from warehouse.writer import append

NUMBERS = range(1, 101)
SECOND = timedelta(seconds=1)
START = datetime.fromtimestamp(START_MS / 1000, UTC).replace(tzinfo=None)


@pytest.fixture
def warehouse(fresh_world: Path) -> Iterator[Lake]:
    with lake.open(fresh_world, read_only=False) as opened:
        as_of(opened, START + timedelta(hours=1))
        yield opened


def as_of(warehouse: Lake, moment: datetime) -> None:
    warehouse.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [moment])


def a_session(name: str = "linear-1-aaaa") -> dict[int, RawFrame]:
    """Return a hundred frames by their number, a second apart: a liquidation each tenth, else tickers."""
    session = Session("bybit", name)
    frames = {}
    for number in NUMBERS:
        at = START_MS + number * 1000
        if number % 10 == 0:
            message, channel, topic = bybit_liquidation(at, ("Buy", "1", "100")), "allLiquidation", LIQUIDATION
        else:
            message, channel, topic = bybit_ticker(at, "snapshot", number, markPrice="1"), "tickers", TICKER
        frames[number] = session.frame(channel, "BTCUSDT", message, at, topic)
    return frames


def commit(warehouse: Lake, frames: Iterable[RawFrame]) -> None:
    """Commit frames as they lie in two partitions of each topic."""
    lie: dict[tuple[str, int], list[RawFrame]] = {}
    for frame in frames:
        own = lie.setdefault((frame.topic, frame.seq % 2), [])
        own.append(msgspec.structs.replace(frame, partition=frame.seq % 2, offset=len(own)))
    batch = Batch(60, {}, keep_all_frames=False)
    batch.add(Slice(at, 0, len(own), own, []) for at, own in lie.items())
    batch.close_buckets()
    append(warehouse, batch.take().tables(Log("cluster", {}, "commit"), 60))


def told(warehouse: Lake, frame: RawFrame, event: Any, frames: int, **detail: Any) -> None:
    """Commit an event of the frame's session, told when that frame came."""
    origin = Origin(frame.venue, frame.transport, frame.session, frame.feed, frame.source)
    record = event_frame(origin, frames, event, "why", detail)
    value = msgspec.json.decode(record.payload) | {"ts_ns": frame.recv_ns}
    payload = msgspec.json.encode(value)
    commit(warehouse, [msgspec.structs.replace(record, recv_ns=frame.recv_ns, payload=payload, topic=EVENTS)])


def accounted(warehouse: Lake, columns: str) -> list[tuple[Any, ...]]:
    return warehouse.connection.execute(f"SELECT {columns} FROM frames_accounted").fetchall()


def numbers(warehouse: Lake, fate: str) -> list[int]:
    query = "SELECT seq_from, seq_to FROM frame_numbers WHERE fate = ? ORDER BY seq_from"
    rows = warehouse.connection.execute(query, [fate]).fetchall()
    return [number for first, last in rows for number in range(first, last + 1)]


def test_two_lost_and_two_twice_of_a_hundred_are_two_missing_and_two_duplicates(warehouse: Lake) -> None:
    frames = a_session()
    commit(warehouse, [frames[number] for number in NUMBERS if number not in (50, 53)])
    commit(warehouse, [frames[51], frames[52]])
    told(warehouse, frames[100], "stopped", 100)
    assert accounted(warehouse, "state, frames, highest_seq, missing, duplicates, whole, unknown") == [
        ("ended", 100, 100, 2, 2, False, None)
    ]
    assert numbers(warehouse, "missing") == [50, 53]
    assert numbers(warehouse, "stored more than once") == [51, 52]


def test_ten_lost_are_ten_missing_though_eleven_came_twice(warehouse: Lake) -> None:
    frames = a_session()
    commit(warehouse, [frames[number] for number in NUMBERS if not 20 < number <= 30])
    commit(warehouse, [frames[number] for number in range(70, 81)])
    told(warehouse, frames[100], "disconnected", 100)
    assert accounted(warehouse, "frames, missing, duplicates, whole") == [(101, 10, 11, False)]
    assert numbers(warehouse, "missing") == list(range(21, 31))


def test_a_missing_number_lies_between_the_times_its_neighbours_arrived(warehouse: Lake) -> None:
    frames = a_session()
    commit(warehouse, [frames[number] for number in NUMBERS if number not in (41, 42, 99, 100)])
    told(warehouse, frames[100], "stopped", 100)
    query = "SELECT seq_from, seq_to, recv_before, recv_after FROM frame_numbers WHERE fate = 'missing'"
    arrived = [datetime.fromtimestamp(frames[n].recv_ns / 1e9, UTC).replace(tzinfo=None) for n in (40, 43, 98)]
    assert warehouse.connection.execute(query).fetchall() == [
        (41, 42, arrived[0], arrived[1]),
        (99, 100, arrived[2], None),
    ]


def test_of_a_session_that_was_killed_it_is_not_known_whether_it_is_whole(warehouse: Lake) -> None:
    """Twelve liquidations that were heard after the last one stored may be lost, and nothing can tell."""
    frames = a_session()
    commit(warehouse, [frames[number] for number in NUMBERS if number <= 88])
    as_of(warehouse, START + 88 * SECOND + 80 * SECOND)
    assert accounted(warehouse, "state, highest_seq, missing, whole") == [("running", 88, 0, None)]
    as_of(warehouse, START + 88 * SECOND + 100 * SECOND)
    assert accounted(warehouse, "state, highest_seq, missing, whole") == [("killed", 88, 0, None)]
    ((unknown,),) = accounted(warehouse, "unknown")
    assert unknown == f"it was killed: frames after number 88 ({START + 88 * SECOND}) are not known"


def test_a_killed_session_lacks_what_it_told_of_and_is_not_stored(warehouse: Lake) -> None:
    frames = a_session()
    commit(warehouse, [frames[number] for number in NUMBERS if number <= 88])
    told(warehouse, frames[100], "alive", 100)
    assert accounted(warehouse, "state, highest_seq, missing, whole") == [("killed", 100, 12, False)]
    assert numbers(warehouse, "missing") == list(range(89, 101))


def test_a_session_that_goes_on_is_not_known_to_be_whole(warehouse: Lake) -> None:
    frames = a_session()
    as_of(warehouse, START + 101 * SECOND)
    commit(warehouse, [frame for frame in frames.values() if frame.topic == LIQUIDATION])
    assert accounted(warehouse, "state, missing, whole, unknown") == [("running", 90, None, "it goes on")]
    commit(warehouse, [frame for frame in frames.values() if frame.topic == TICKER])
    assert accounted(warehouse, "state, missing, whole, unknown") == [("running", 0, None, "it goes on")]
    told(warehouse, frames[100], "stopped", 100)
    assert accounted(warehouse, "state, missing, whole, unknown") == [("ended", 0, True, None)]


def test_frames_that_the_collector_gave_up_are_named_and_not_called_missing(warehouse: Lake) -> None:
    frames = a_session()
    commit(warehouse, [frames[number] for number in NUMBERS if not 31 <= number <= 38 or number == 34])
    told(warehouse, frames[100], "dropped", 100, topic=TICKER, first_seq=32, last_seq=37, runs=[[32, 33], [35, 37]])
    told(warehouse, frames[100], "stopped", 100)
    assert accounted(warehouse, "missing, dropped, whole") == [(2, 5, False)]
    assert (numbers(warehouse, "missing"), numbers(warehouse, "dropped")) == ([31, 38], [32, 33, 35, 36, 37])


def test_records_that_came_again_and_were_left_out_are_counted_and_harm_nothing(warehouse: Lake) -> None:
    frames = a_session()
    commit(warehouse, frames.values())
    again = [msgspec.structs.replace(frames[number], partition=1) for number in (3, 4, 5)]
    append(warehouse, {"session_frames": session_frames(received_again(again), START)})
    told(warehouse, frames[100], "stopped", 100)
    assert accounted(warehouse, "frames, missing, duplicates, received_again, whole") == [(100, 0, 0, 3, True)]


@pytest.mark.parametrize("seed", range(8))
def test_any_loss_and_repetition_is_told_by_number_before_and_after_folding(warehouse: Lake, seed: int) -> None:
    chance, frames = random.Random(seed), a_session()
    sent = Counter({number: chance.choices((0, 1, 2, 3), (10, 70, 15, 5))[0] for number in NUMBERS})
    come: Sequence[int] = chance.sample(sorted(sent.elements()), sent.total())
    cuts = sorted(chance.sample(range(len(come)), 5))
    for start, end in zip([0, *cuts], [*cuts, len(come)], strict=True):
        commit(warehouse, [frames[number] for number in come[start:end]])
    told(warehouse, frames[100], "stopped", 100)
    wanted = (sum(not n for n in sent.values()), sum(n - 1 for n in sent.values() if n), sent.total())
    fates = "SELECT seq_from, seq_to, fate, copies FROM frame_numbers ORDER BY seq_from"
    before = warehouse.connection.execute(fates).fetchall()
    assert {n: copies for first, last, _, copies in before for n in range(first, last + 1)} == dict(sent)
    for _ in range(2):
        assert accounted(warehouse, "missing, duplicates, frames") == [wanted]
        assert warehouse.connection.execute(fates).fetchall() == before
        fold(warehouse, datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1))
