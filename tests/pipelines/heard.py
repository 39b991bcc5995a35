"""What collectors tell and what came, as rows of a real lake, for tests of coverage."""

import itertools
import json
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from collectors.session_names import feed_and_source
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

TEN = datetime(2026, 10, 10, 10)  # noqa: DTZ001
_offsets = itertools.count()


def at(minute: float, start: datetime = TEN) -> datetime:
    """Return so many minutes after ten o'clock."""
    return start + timedelta(minutes=minute)


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = TABLES[name].schema
    return pl.DataFrame([dict.fromkeys(schema, None) | row for row in rows], schema=schema)


def own(session: str, venue: str | None = None) -> dict[str, Any]:
    """Return what rows of a session have in common; `venue` None: the session's name has it before its first hyphen."""
    venue = session.partition("-")[0] if venue is None else venue
    feed, source = feed_and_source(session, venue)
    return {"venue": venue, "session": session, "feed": feed, "source": source}


def event(session: str, event: str, ts: datetime, reason: str = "", **detail: Any) -> dict[str, Any]:
    """Return a row of `collector_events`."""
    return own(session) | {
        "ts": ts, "event": event, "reason": reason, "frames": 0,
        "transport": "rest" if "-rest-" in session or "-import-" in session else "ws",
        "detail": json.dumps(detail) if detail else None,
        "kafka_topic": "collector.events", "kafka_partition": 0, "kafka_offset": next(_offsets),
    }  # fmt: skip


def brings(*channels: str, topic: str = "raw.liquidation", arguments: int = 1) -> list[dict[str, Any]]:
    """Return what `subscribed` tells of these channels."""
    return [{"channel": channel, "topic": topic, "arguments": arguments} for channel in channels]


def heard(session: str, first: datetime, last: datetime, ts_commit: datetime | None = None) -> dict[str, Any]:
    """Return a row of `session_frames`, of which only the count is known."""
    return own(session) | {
        "transport": "ws", "kafka_topic": "raw.ticker",
        "kafka_partition": 0, "frames": 1, "seq_min": 1, "seq_max": 1, "seq_sum": 1, "recv_first": first,
        "recv_last": last, "frames_with_rows": 1, "frames_without_rows": 0, "frames_dead": 0,
        "ts_commit": ts_commit or last,
    }  # fmt: skip


def numbered(session: str, first: datetime, last: datetime, seq_from: int, seq_to: int) -> dict[str, Any]:
    """Return a row of `session_frames` with frames of these numbers."""
    frames = seq_to - seq_from + 1
    return heard(session, first, last) | {
        "frames": frames, "frames_with_rows": frames, "seq_min": seq_from, "seq_max": seq_to, "seq_sum": None,
        "runs": [seq_from, seq_to], "run_times": [first, last],
    }  # fmt: skip


def liquidation(
    venue: str, symbol: str, ts: datetime, completeness: str, source: str = "live", **more: Any
) -> dict[str, Any]:
    """Return a row of `liquidations`."""
    offset = next(_offsets)
    return {
        "venue": venue, "symbol": symbol, "ts_event": ts, "completeness": completeness, "source": source, "occurrence": 0,
        "event_key": offset, "order_side": "sell", "position_side": "long", "notional_usd": 1.0, "qty_base": 1.0,
        "qty_raw": 1.0, "qty_unit": "base", "ts_recv": ts, "kafka_topic": "raw.liquidation", "kafka_partition": 0,
        "kafka_offset": offset,
    } | more  # fmt: skip


def frame(session: str, channel: str, ts: datetime) -> dict[str, Any]:
    """Return a row of `raw_frames`."""
    return own(session) | {
        "channel": channel, "symbol": "*", "ts_recv": ts,
        "transport": "rest" if "-rest-" in session else "ws", "payload": b"{}", "kafka_topic": "raw.liquidation",
    }  # fmt: skip


def commit(
    lake: Lake, ts_commit: datetime, heard: list[dict[str, Any]] | None = None, **tables: list[dict[str, Any]]
) -> None:
    """Store rows as one commit of ingest made at `ts_commit`, with the offsets they lie at."""
    spans: dict[str, list[int]] = {}
    for rows in tables.values():
        for row in rows:
            if row.get("kafka_offset") is not None:
                spans.setdefault(row["kafka_topic"], []).append(row["kafka_offset"])
    commits = [
        {"ts_commit": ts_commit, "cluster_id": "c", "kafka_topic": topic, "kafka_partition": 0, "frames": len(offsets),
         "offset_from": min(offsets), "offset_next": max(offsets) + 1, "rows": len(offsets), "dead_letters": 0}
        for topic, offsets in spans.items()
    ]  # fmt: skip
    if not commits:
        commits = [{"ts_commit": ts_commit, "cluster_id": "c", "kafka_topic": "raw.ticker", "kafka_partition": 0,
                    "offset_from": 0, "offset_next": 1, "frames": 0, "rows": 0, "dead_letters": 0}]  # fmt: skip
    frames = {name: table(name, rows) for name, rows in tables.items()}
    frames["session_frames"] = table("session_frames", [row | {"ts_commit": ts_commit} for row in heard or []])
    append(lake, {**frames, "ingest_commits": table("ingest_commits", commits)})
