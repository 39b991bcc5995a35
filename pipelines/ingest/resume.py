"""What a warehouse already knows: its contracts, what is committed of each log and session, and what Bybit's tickers held
when ingest last committed.

A ticker delta holds only what changed. Every committed bucket ends with a row of each symbol that changed in it, so the last
rows of a session are its state at the committed offsets, and a restarted ingest goes on without a new snapshot.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pipelines.contracts.instruments import Instruments, from_table
from pipelines.ingest.incarnation import Partition
from pipelines.ingest.marks import Mark
from pipelines.ingest.whence import Committed
from pipelines.venues import Held
from pipelines.venues.bybit.tickers import State, state
from warehouse import lake
from warehouse.errors import LostCatalogueError, NoWarehouseError
from warehouse.frames import read
from warehouse.lake import Lake
from warehouse.worlds import told_world

LOOK_BACK = timedelta(days=2)  # funding changes at least at every settlement, at most 8 h apart

LIVE = (
    "venue = 'bybit' AND source = 'live' AND ts_event > $since AND ts_event <= coalesce($until, TIMESTAMP 'infinity')"
)

# Of two sessions of one symbol a bucket keeps the last row only, so rows do not name every session that heard it. All that
# are alive heard the same, so the newest row is of each of them, but of those without any, which have had no snapshot yet
LAST = f"""
WITH funding AS (
    SELECT symbol, arg_max({{'rate': funding_rate, 'next': epoch_ms(next_funding_ts), 'hours': interval_hours}}, ts_event) AS f
    FROM funding_rates WHERE {LIVE} GROUP BY ALL
), interest AS (
    SELECT symbol, arg_max({{'raw': oi_raw, 'unit': oi_unit, 'usd': oi_usd, 'base': oi_base}}, ts_event) AS o
    FROM open_interest WHERE {LIVE} AND period IS NULL GROUP BY ALL
), price AS (
    SELECT symbol, arg_max({{'mark': mark_price * multiplier, 'index': index_price * multiplier}}, ts_event) AS p
    FROM mark_prices WHERE {LIVE} GROUP BY ALL
), heard AS (
    SELECT session, max(recv_last) AS last FROM session_frames
    WHERE venue = 'bybit' AND kafka_topic = 'raw.ticker' AND recv_last > $since
        AND recv_first <= coalesce($until, TIMESTAMP 'infinity')
    GROUP BY session HAVING sum(frames_with_rows) > 0
), alive AS (
    SELECT session FROM heard QUALIFY last > max(last) OVER () - INTERVAL 1 HOUR
)
SELECT session, symbol, f, o, p
FROM funding FULL JOIN interest USING (symbol) FULL JOIN price USING (symbol) CROSS JOIN alive
"""

ENDED = """
SELECT session, max(epoch_ns(ts)) FROM collector_events
WHERE venue = 'bybit' AND event IN ('disconnected', 'stopped') AND ts > $since GROUP BY session
"""


MARKS = """
SELECT session, kafka_topic, kafka_partition, max(seq_max) FROM session_frames
WHERE $ever OR ts_commit > (SELECT max(ts_commit) FROM session_frames) - INTERVAL 8 DAYS
GROUP BY ALL ORDER BY max(ts_commit)
"""

COMMITTED = """
SELECT kafka_topic, kafka_partition, max(offset_next), incarnation, arg_max(last_record, offset_next),
    arg_max(epoch_ms(appended_last), offset_next)
FROM ingest_commits WHERE cluster_id = $cluster GROUP BY ALL
ORDER BY max(ts_commit)
"""

EARLIER = """
SELECT offset_next, last_record FROM ingest_commits
WHERE cluster_id = $cluster AND kafka_topic = $topic AND kafka_partition = $partition AND incarnation = $incarnation
    AND last_record IS NOT NULL
ORDER BY offset_next DESC
"""


def marks_from(warehouse: Lake, ever: bool = False) -> dict[Mark, int]:
    """Return the highest number stored of each session and partition, heard last at the end.

    Of those of the last eight days, longer than a frame may wait in a collector's spool; `ever`: of all, for who reads logs
    again that are kept for longer.
    """
    rows = warehouse.connection.execute(MARKS, {"ever": ever}).fetchall()
    return {(session, topic, partition): seq for session, topic, partition, seq in rows}


def committed_from(warehouse: Lake, cluster_id: str) -> dict[Partition, list[Committed]]:
    """Return the last commit of each log that the cluster's partitions have had, latest last."""
    found: dict[Partition, list[Committed]] = {}
    for topic, partition, offset, incarnation, record, appended_ms in warehouse.connection.execute(
        COMMITTED, {"cluster": cluster_id}
    ).fetchall():
        found.setdefault((topic, partition), []).append(Committed(offset, incarnation, record, appended_ms))
    return found


def earlier_from(warehouse: Lake, cluster_id: str, at: Partition, incarnation: str) -> Sequence[tuple[int, str]]:
    """Return a log's commits, latest first: the offset to go on from, and the last record before it."""
    told = {"cluster": cluster_id, "topic": at[0], "partition": at[1], "incarnation": incarnation}
    return warehouse.connection.execute(EARLIER, told).fetchall()


def known_instruments() -> Instruments | None:
    """Return the contracts that the warehouse at hand knows, None where there is no warehouse."""
    try:
        with lake.open(told_world()) as warehouse:
            return instruments_from(warehouse)
    except (NoWarehouseError, LostCatalogueError):
        return None


def instruments_from(warehouse: Lake, until: datetime | None = None) -> Instruments:
    """Return the contracts that a warehouse knows, with their margin tables; `until`: by frames that came before (UTC)."""
    tables = ("instruments", "leverage_tiers")
    where = "WHERE ts_recv < $until" if until else ""
    told = {"until": until} if until else None
    return from_table(*(read(warehouse.connection, f"FROM {name} {where}", told) for name in tables))


def held_from(warehouse: Lake, until: datetime | None = None) -> Held:
    """Return what every ticker session that is alive knows, at the end or at `until` (UTC)."""
    if (newest := until or _newest(warehouse)) is None:
        return {}
    told = {"since": newest - LOOK_BACK, "until": until}
    rows = warehouse.connection.execute(LAST, told).fetchall()
    return {(session, symbol): _state(symbol, f or {}, o or {}, p or {}) for session, symbol, f, o, p in rows}


def ended_from(warehouse: Lake) -> dict[str, int]:
    """Return Bybit's sessions that have ended in the last two days, and when (UTC nanoseconds)."""
    if (newest := _newest(warehouse)) is None:
        return {}
    return dict(warehouse.connection.execute(ENDED, {"since": newest - LOOK_BACK}).fetchall())


def _newest(warehouse: Lake) -> datetime | None:
    found = warehouse.connection.execute("SELECT max(ts_event) FROM mark_prices WHERE venue = 'bybit'").fetchone()
    return found[0] if found else None


def _state(
    symbol: str, funding: dict[str, float | None], interest: dict[str, Any], price: dict[str, float | None]
) -> State:
    value = interest.get("base" if interest.get("unit") == "usd" else "usd")
    return state(
        symbol,
        fundingRate=funding.get("rate"), nextFundingTime=funding.get("next"), fundingIntervalHour=funding.get("hours"),
        openInterest=interest.get("raw"), openInterestValue=None if value is None else 2 * value,
        markPrice=price.get("mark"), indexPrice=price.get("index"),
    )  # fmt: skip
