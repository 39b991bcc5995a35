"""Whether what was sent is stored, once and right, or named as missing; each promise with its figures."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import duckdb

from tests.chaos.faults import LIQUIDATIONS, POLLS, VENUES
from tests.chaos.reading import Read, read
from tests.chaos.sent import Connection, unmarked
from tests.chaos.world import World
from warehouse import lake
from warehouse.tables import TABLES

SHOWN = 8
ON_ITS_WAY = timedelta(seconds=2)
"""A frame may count to the minute in which it arrived rather than to that in which it was sent."""
KEYLESS_BUT = frozenset((
    "ts_recv", "source", "kafka_topic", "kafka_partition", "kafka_offset", "session", "seq",
))  # fmt: skip
FACTS = (
    "liquidations", "funding_rates", "funding_settlements", "open_interest", "mark_prices", "klines", "long_short_ratios",
    "instruments", "leverage_tiers", "raw_frames", "dead_letters", "collector_events",
)  # fmt: skip
FOLLOWED = f"venue IN {VENUES}"
STORED = f"""
SELECT venue, ts_event, symbol, position_side, qty_raw, price_raw, occurrence FROM liquidations
WHERE source = 'live' AND {FOLLOWED}
"""
FRAMES = f"""
SELECT venue, channel, session, payload FROM raw_frames
WHERE {FOLLOWED}
    AND (channel IN ({", ".join(f"'{name}'" for name in LIQUIDATIONS.values())}) OR kafka_topic = 'dead.letter')
"""


POLLED = f"""
SELECT venue, payload FROM raw_frames WHERE channel IN ({", ".join(f"'{name}'" for name in POLLS.values())})
"""
"""Answers that have liquidations, too."""
NOT_STORED = "SELECT session, fate, recv_before, recv_after FROM frame_numbers WHERE fate IN ('missing', 'dropped')"


class Promise(NamedTuple):
    """What was promised, whether it was kept, the figures, and the first things that break it."""

    name: str
    kept: bool
    figures: str
    broken: tuple[str, ...] = ()


class Gaps:
    """When each venue's liquidations were not heard whole, minute by minute."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        columns = {row[0] for row in connection.execute("DESCRIBE feed_coverage").fetchall()}
        heard = "connected_share" + (" * (state <> 'SILENT')::INT" if "state" in columns else "")
        pushed = "carries_liquidations" if "carries_liquidations" in columns else "topic = 'raw.liquidation'"
        rows = connection.execute(
            f"SELECT venue, minute, {heard}, gap_reason FROM feed_coverage WHERE {pushed}"
        ).fetchall()
        self._shares = {(venue, minute): (share, reason) for venue, minute, share, reason in rows}

    def why(self, venue: str, at: datetime) -> str:
        """Return why not all that was sent at a time (UTC) may have been heard; empty where all is claimed to be."""
        for minute in {_minute(at), _minute(at + ON_ITS_WAY)}:
            share, reason = self._shares.get((venue, minute), (0.0, "no minute of coverage"))
            if share < 1:
                return reason or "coverage below 1"
        return ""


class Accounts:
    """What is said of each session's frames, and of when."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        found = connection.execute("FROM frames_accounted")
        names = [column[0] for column in found.description]
        self._rows = {row["session"]: row for row in (dict(zip(names, each, strict=True)) for each in found.fetchall())}
        self._spans: dict[str, list[tuple[str, datetime, datetime]]] = {}
        for session, fate, before, after in connection.execute(NOT_STORED).fetchall():
            span = (fate, before or datetime.min, after or datetime.max)  # noqa: DTZ901 as the warehouse's, without a zone
            self._spans.setdefault(session, []).append(span)

    def why(self, session: str, at: datetime) -> str:
        """Return why a frame of a session, written to us at a time (UTC), may be missing; empty where nothing says so.

        Numbers that are missing or dropped are named with the times of the frames next to them; of a session that never told
        its last number nothing is claimed after its last frame, and everything before.
        """
        row = self._rows.get(session)
        if row is None:
            return ""
        for fate, before, after in self._spans.get(session, ()):
            if _minus(before) <= at <= _plus(after):
                return fate
        last = row["recv_last"]
        if row["whole"] is None and (last is None or at >= _minus(last)):
            return f"after the last frame of a session that is {row['state']}"
        return ""

    def missing(self) -> int:
        """Return how many frames are said to be missing, over all sessions."""
        return sum(max(0, row["missing"] or 0) for row in self._rows.values())

    def sessions(self) -> int:
        return len(self._rows)


def judge(world: World) -> list[Promise]:
    """Return each promise about what is stored."""
    with lake.open(world.folder) as warehouse:
        connection = warehouse.connection
        gaps, accounts = Gaps(connection), Accounts(connection)
        frames = [
            (venue, session, bytes(payload)) for venue, _, session, payload in connection.execute(FRAMES).fetchall()
        ]
        stored = _stored(connection)
        return [
            _frames(world, frames, gaps, accounts),
            _liquidations(world, stored, gaps),
            _rows(
                frames, [(venue, bytes(payload)) for venue, payload in connection.execute(POLLED).fetchall()], stored
            ),
            _once(connection),
        ]


def _frames(world: World, frames: Iterable[tuple[str, str, bytes]], gaps: Gaps, accounts: Accounts) -> Promise:
    """Each frame of liquidations that was written to a socket of ours is stored once, or named."""
    there: Counter[bytes] = Counter()
    sessions: dict[int, str] = {}
    for _, session, payload in frames:
        connection = unmarked(payload)[1]
        if connection is not None:
            there[payload] += 1
            sessions[connection] = session
    written = world.sent.copies() + world.sent.torn
    twice = {payload: n for payload, n in there.items() if n > written[payload]}
    left, named, unnamed = Counter(there), Counter[str](), list[str]()
    for each in world.sent.passed:
        if left[each.payload] > 0:
            left[each.payload] -= 1
            continue
        one = world.sent.connections[each.connection]
        at = datetime.fromtimestamp(each.at_ns / 1e9, UTC).replace(tzinfo=None)
        session = sessions.get(one.number, "")
        if why := gaps.why(one.venue, at) or accounts.why(session, at):
            named[why.split(":")[0]] += 1
        else:
            unnamed.append(_line(one, session, at, each.payload))
    figures = (
        f"{len(world.sent.passed):,} written to {len(world.sent.connections):,} connections, {there.total():,} stored, "
        f"{named.total():,} named as missing ({_counts(named)}), {len(unnamed):,} missing without a name, "
        f"{len(twice):,} stored twice; accounts of {accounts.sessions():,} sessions name {accounts.missing():,} missing"
    )
    broken = [*unnamed, *(f"stored {n} times: {payload[:120]!r}" for payload, n in twice.items())]
    return Promise("every frame written to us is stored once or named", not broken, figures, tuple(broken))


def _liquidations(world: World, stored: set[Read], gaps: Gaps) -> Promise:
    """No liquidation that a venue sent us, whether or not the network lost it, is missing in a minute of coverage 1."""
    known = {each._replace(occurrence=0) for each in stored}
    sent: dict[Read, int] = {}
    for row in world.simulator.record.rows:
        if row.receivers and row.venue in VENUES:
            one = Read(row.venue, row.symbol, row.ts, row.position_side, float(row.qty_raw), float(row.price))
            sent.setdefault(one, row.sent_ms)
    for each in world.sent.passed:
        venue = world.sent.connections[each.connection].venue
        for one in read(venue, each.payload):
            sent.setdefault(one._replace(occurrence=0), each.at_ns // 1_000_000)
    missing = [(one, _utc(at)) for one, at in sent.items() if one not in known]
    silent = [(one, at) for one, at in missing if not gaps.why(one.venue, at)]
    reasons = Counter(gaps.why(one.venue, at).split(":")[0] for one, at in missing)
    reasons.pop("", None)
    figures = (
        f"{len(sent):,} sent, {len(sent) - len(missing):,} stored, {len(missing) - len(silent):,} missing in minutes below 1 "
        f"({_counts(reasons)}), {len(silent):,} missing in minutes of coverage 1"
    )
    broken = tuple(f"{at:%H:%M:%S.%f} {one}" for one, at in sorted(silent, key=lambda each: each[1]))
    return Promise("no liquidation is missing where coverage is 1", not broken, figures, broken)


def _rows(frames: Iterable[tuple[str, str, bytes]], answers: Iterable[tuple[str, bytes]], stored: set[Read]) -> Promise:
    """The rows are what another reading of the stored frames gives: none less, none more, no side wrong."""
    expected = {one for venue, _, payload in frames if unmarked(payload)[1] for one in read(venue, payload)}
    expected |= {one for venue, payload in answers for one in read(venue, payload)}
    less, more = expected - stored, stored - expected
    broken = tuple([f"no row: {one}" for one in less] + [f"row of no frame: {one}" for one in more])
    figures = f"{len(expected):,} in the stored frames, {len(stored):,} rows, {len(less):,} without a row, {len(more):,} other"
    return Promise("rows are what the frames say", not broken, figures, broken)


def _once(connection: duckdb.DuckDBPyConnection) -> Promise:
    """No row is there twice: by the table's key, else in everything but where it came from."""
    twice: dict[str, int] = {}
    for name in FACTS:
        table = TABLES[name]
        key = table.key or tuple(column for column in table.types if column not in KEYLESS_BUT)
        if name in ("raw_frames", "dead_letters"):
            key = (
                ("session", "seq")
                if name == "raw_frames"
                else ("session", "seq", "item", "kafka_offset", "kafka_topic")
            )
        where = " AND ".join(f'"{column}" IS NOT NULL' for column in table.key) or "true"
        columns = ", ".join(f'"{column}"' for column in key)
        groups = f"SELECT count(*) AS n FROM {name} WHERE {where} GROUP BY {columns}"
        row = connection.execute(f"SELECT coalesce(sum(n - 1), 0) FROM ({groups})").fetchone()
        twice[name] = int(row[0]) if row else 0
    broken = tuple(f"{name}: {n:,} rows too many" for name, n in twice.items() if n)
    return Promise(
        "nothing is there twice", not broken, f"{len(twice)} tables, {sum(twice.values()):,} rows too many", broken
    )


def _stored(connection: duckdb.DuckDBPyConnection) -> set[Read]:
    return {
        Read(venue, symbol, _ms(ts), side, qty, price, occurrence)
        for venue, ts, symbol, side, qty, price, occurrence in connection.execute(STORED).fetchall()
    }


def _line(one: Connection, session: str, at: datetime, payload: bytes) -> str:
    return f"{at:%H:%M:%S.%f} {one.venue} by {one.proxy}, connection {one.number} {session or '?'}: {payload[:100]!r}"


def _counts(found: Mapping[Any, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in Counter(found).most_common(6)) or "none"


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _minus(at: datetime) -> datetime:
    return max(at, datetime.min + ON_ITS_WAY) - ON_ITS_WAY  # noqa: DTZ901


def _plus(at: datetime) -> datetime:
    return min(at, datetime.max - ON_ITS_WAY) + ON_ITS_WAY  # noqa: DTZ901


def _utc(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None)


def _ms(at: datetime) -> int:
    return round(at.replace(tzinfo=UTC).timestamp() * 1000)
