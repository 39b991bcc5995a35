"""What is stored depends on the logs alone: not on when or in which order they are read, how many commits, or which kill."""

import random
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from collectors.topics import EVENTS, TICKER
from tests.day.sessions import Poller
from tests.day.simulated import START_MS as DAY_MS
from tests.day.simulated import Day
from tests.pipelines.logs import ALL, Kafka, Plain, Reader, differences, drained, partition_of
from tests.pipelines.venue_frames import START_MS, Session, bybit_ticker

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
LENGTH_MS = 20 * MINUTE_MS
SPOOLED_MS = (5 * MINUTE_MS, 8 * MINUTE_MS)
"""In this time the second collector does not reach Kafka."""
STOPPED_MS = (15_000, 40_000)
"""Once in this it stands still for seconds: what it heard just before is sent after it, what comes meanwhile is not heard."""


class Minutes(Day):
    """The first minutes of the simulated day, as they come: every venue's sockets and pollers begin at once."""

    def run(self) -> list[RawFrame]:
        self._clock.now = DAY_MS
        self._open_all()
        pollers = {name: Poller(venue, self._clock, self.frames) for name, venue in self._venues.items()}
        for at, job in sorted(self._jobs(pollers), key=lambda job: job[0]):
            if at < DAY_MS + LENGTH_MS:
                self._advance(at)
                job()
        self._advance(DAY_MS + LENGTH_MS)
        return self.frames


@cache
def minutes() -> list[RawFrame]:
    return Minutes().run()


def twice(rng: random.Random) -> Iterator[RawFrame]:
    """Yield what two collectors hear of the same minutes, the second up to 300 ms later."""
    last: dict[str, int] = defaultdict(int)
    for frame in minutes():
        yield frame
        if frame.topic != EVENTS:
            late = last[frame.session] = max(last[frame.session], frame.recv_ns + rng.randrange(300) * 10**6)
            yield msgspec.structs.replace(frame, session=f"{frame.session}bb", recv_ns=late)


def stopped(rng: random.Random) -> list[tuple[int, int, int]]:
    """Return when the second collector sends nothing more, stands still, and goes on, each time."""
    found, at = [], DAY_MS
    while (at := at + rng.randrange(*STOPPED_MS)) < DAY_MS + LENGTH_MS - MINUTE_MS:
        found.append((at - rng.randrange(100, 3_000), at, at + rng.randrange(6_000, 14_000)))
        at = found[-1][2]
    return found


def world(rng: random.Random, off_ms: int) -> Kafka:
    """Return the logs of two collectors; the second's clock is `off_ms` ahead, it stands still now and then, and for a while
    it does not reach Kafka."""
    stops = stopped(rng)
    last: dict[tuple[str, str, int], int] = defaultdict(int)
    sent = []
    for frame in sorted(twice(rng), key=lambda frame: frame.recv_ns):
        second, heard_ms = frame.session.endswith("bb"), frame.recv_ns // 10**6
        at = heard_ms + rng.choice([3, 5, 20, 60, 400])
        if second and (stop := next((each for each in stops if each[0] < heard_ms < each[2]), None)):
            if heard_ms > stop[1]:
                continue
            at = stop[2]
        if second and SPOOLED_MS[0] < heard_ms - DAY_MS < SPOOLED_MS[1]:
            at = DAY_MS + SPOOLED_MS[1] + rng.randrange(400)
        lane = (frame.session, frame.topic, partition_of(frame))
        at = last[lane] = max(at, last[lane])
        off_ns = off_ms * 10**6 if second else 0
        sent.append((at, msgspec.structs.replace(frame, recv_ns=frame.recv_ns + off_ns), (at - 1) * 10**6 + off_ns))
    kafka = Kafka()
    for at, frame, sent_ns in sorted(sent, key=lambda each: each[0]):
        kafka.put(frame, at, sent_ns)
    return kafka


def read_at_random(kafka: Kafka, rng: random.Random, kills: bool) -> Plain:
    """Read along while the logs grow, some partitions sooner than others; be killed, and come late, where asked for."""
    warehouse = Plain()
    reader = Reader(kafka, warehouse)
    reader.now_ms, end_ms = DAY_MS, DAY_MS + LENGTH_MS + 1000
    while reader.now_ms < end_ms:
        reader.now_ms = min(end_ms, reader.now_ms + rng.choice([1, 10, 300, 5_000, 40_000, 200_000]))
        for _ in range(rng.randrange(30)):
            reader.read(rng.choice(ALL), rng.choice([1, 3, 1000]))
        if rng.random() < 0.5:
            for at in ALL:
                reader.read(at, rng.choice([5, 1000, 1000]))
        what = rng.random()
        if what < 0.6:
            reader.look(rng.choice([None, 0, 1, 40, 1000]))
            if rng.random() < 0.7:
                reader.commit()
        elif what < 0.8 and kills:
            reader.kill() if what < 0.7 else reader.drain()
    reader.drain()
    return warehouse


@given(st.integers(0, 10**9), st.booleans(), st.sampled_from([0, HOUR_MS, -HOUR_MS, -MINUTE_MS // 2]))
@settings(deadline=None, max_examples=8)
def test_read_live_killed_in_slices_or_in_one_go_the_logs_give_the_same_rows(
    seed: int, kills: bool, off_ms: int
) -> None:
    rng = random.Random(seed)
    kafka = world(rng, off_ms)
    whole = drained(kafka)
    assert differences(read_at_random(kafka, rng, kills), whole) == {}
    for table in (
        "liquidations",
        "funding_rates",
        "funding_settlements",
        "open_interest",
        "mark_prices",
        "instruments",
    ):
        assert whole.rows(table), table


def marks(session: Session, *times: tuple[int, float]) -> list[RawFrame]:
    """Return ticker frames: at these times (ms) these marks, the first as a snapshot."""
    return [
        session.frame("tickers", "BTCUSDT", bybit_ticker(at, "delta" if n else "snapshot", n, markPrice=f"{mark}"), at, TICKER)
        for n, (at, mark) in enumerate(times)
    ]  # fmt: skip


def put(kafka: Kafka, frame: RawFrame, off_ms: int = 0, waited_ms: int = 0) -> None:
    """Send a frame by a collector whose clock is ahead; it reaches the broker after it waited."""
    at_ms = frame.recv_ns // 10**6 + waited_ms
    wrong = msgspec.structs.replace(frame, recv_ns=frame.recv_ns + off_ms * 10**6)
    kafka.put(wrong, at_ms + 2, (at_ms + off_ms) * 10**6)


def stored(warehouse: Plain, what: str = "mark_price") -> list[float]:
    found = warehouse.connection.execute(f"SELECT {what} FROM (FROM mark_prices ORDER BY ts_event)").fetchall()
    return [value for (value,) in found]


def test_one_frame_an_hour_ahead_holds_nothing_up_and_loses_nothing() -> None:
    kafka, start = Kafka(), START_MS // MINUTE_MS * MINUTE_MS
    good = marks(Session("bybit", "linear-1-a"), *((start + n * 30_000, 1.0 + n) for n in range(8)))
    (ahead,) = marks(Session("bybit", "linear-2-b"), (start + 45_000, 9.0))
    for frame in good[:2]:
        put(kafka, frame)
    put(kafka, ahead, HOUR_MS)
    for frame in good[2:]:
        put(kafka, frame)
    reader = Reader(kafka, Plain())
    committed = []
    for minute in range(1, 5):
        reader.now_ms = start + minute * MINUTE_MS + 1000
        for at in ALL:
            reader.read(at, 1000)
        reader.now_ms += 5
        reader.look()
        reader.commit()
        committed.append(len(stored(reader.warehouse)))
    assert committed == [1, 2, 3, 4], "every minute is committed when it is over"
    assert stored(reader.warehouse) == [9.0, 4.0, 6.0, 8.0]


@pytest.mark.parametrize("off_ms", [0, -HOUR_MS, HOUR_MS])
def test_whatever_the_collectors_clock_says_there_is_one_row_a_minute_and_symbol(off_ms: int) -> None:
    kafka, start = Kafka(), START_MS // MINUTE_MS * MINUTE_MS
    for n, frame in enumerate(
        marks(Session("bybit", "linear-1-a"), *((start + n * 9_000, 1.0 + n) for n in range(60)))
    ):
        put(kafka, frame, off_ms, waited_ms=n % 3)
    warehouse = drained(kafka)
    assert len(stored(warehouse)) == 9
    assert stored(warehouse, "count(DISTINCT ts)") == [9]
    assert stored(warehouse, "max(abs(epoch(ts_recv - ts_event)))")[0] <= 31


def test_frames_that_waited_for_kafka_keep_their_own_minutes() -> None:
    kafka, start = Kafka(), START_MS // MINUTE_MS * MINUTE_MS
    frames = marks(Session("bybit", "linear-1-a"), *((start + n * 20_000, 1.0 + n) for n in range(12)))
    for n, frame in enumerate(frames):
        put(kafka, frame, waited_ms=max(0, 6 * 20_000 - n * 20_000) if n > 1 else 0)
    assert stored(drained(kafka)) == [3.0, 6.0, 9.0, 12.0]


def test_after_a_restart_a_session_that_never_had_a_last_row_is_still_understood() -> None:
    kafka, start = Kafka(), START_MS // MINUTE_MS * MINUTE_MS
    one = marks(Session("bybit", "linear-1-a"), (start, 1.0), (start + 20_000, 2.0), (start + 120_000, 5.0))
    two = marks(Session("bybit", "linear-2-b"), (start + 1, 1.0), (start + 20_001, 2.0))
    for frame in sorted([*one, *two], key=lambda frame: frame.recv_ns):
        put(kafka, frame)
    reader = Reader(kafka, Plain())
    reader.now_ms = start + 61_000
    reader.drain()
    reader.kill()
    reader.now_ms = start + 200_000
    reader.drain()
    assert stored(reader.warehouse) == [2.0, 5.0]
