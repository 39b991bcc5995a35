"""Every alert from when it is found until it is delivered and stored, in a file of the world's own: <world>/alerts.sqlite.

It is not in the lake, because an alert must outlive a full disk of the lake, a lock that another writer holds, and a lake that
is gone: those are what some alerts are about. An alert is written here, to the disk, before anybody is told; it is marked
afterwards. So whoever is killed in between tells it once more, and never not at all.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.alerts.found import Found
from pipelines.alerts.kinds import Rule

FILE = "alerts.sqlite"
FAILS = 20
"""A rule that fails so often in a row is switched off."""
KEPT = timedelta(days=60)
_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, ts TEXT, rule TEXT, kind TEXT, key TEXT, title TEXT, text TEXT,
    row TEXT, stored INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS deliveries (id TEXT, target TEXT, state TEXT DEFAULT 'waiting', tries INTEGER DEFAULT 0, due REAL,
    done_ts TEXT, error TEXT, PRIMARY KEY (id, target));
CREATE TABLE IF NOT EXISTS raised (rule TEXT, key TEXT, at REAL, PRIMARY KEY (rule, key));
CREATE TABLE IF NOT EXISTS rules (name TEXT PRIMARY KEY, is_of TEXT, since TEXT, fails INTEGER DEFAULT 0, due REAL DEFAULT 0,
    is_off INTEGER DEFAULT 0, error TEXT);
"""


class Alert(NamedTuple):
    """An alert. `ts`: when it was found, UTC; `row`: its figures as JSON."""

    id: str
    ts: str
    rule: str
    kind: str
    key: str
    title: str
    text: str
    row: str


class Delivery(NamedTuple):
    """An alert that is to go to a target; `tries`: how often that failed."""

    alert: Alert
    target: str
    tries: int


class Standing(NamedTuple):
    """How a rule fares. `since`: from when on it looks; `due`: not before, seconds of the epoch."""

    since: datetime
    fails: int
    due: float
    is_off: bool
    error: str


class Outbox:
    """The file. One process at a time; close it."""

    def __init__(self, world: Path) -> None:
        self._file = sqlite3.connect(world / FILE, timeout=10)
        self._file.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def standing(self, rule: Rule, now: datetime) -> Standing:
        """Return how a rule fares; one that is new, or was changed, begins anew."""
        is_of = hashlib.sha256(rule.model_dump_json().encode()).hexdigest()
        row = self._file.execute(
            "SELECT is_of, since, fails, due, is_off, error FROM rules WHERE name = ?", [rule.name]
        ).fetchone()
        if row is None or row[0] != is_of:
            since = now.isoformat() if row is None else row[1]
            with self._file:
                self._file.execute(
                    "INSERT OR REPLACE INTO rules (name, is_of, since) VALUES (?, ?, ?)", [rule.name, is_of, since]
                )
            return self.standing(rule, now)
        return Standing(datetime.fromisoformat(row[1]), row[2], row[3], bool(row[4]), row[5] or "")

    def worked(self, rule: Rule) -> None:
        """Forget a rule's failures."""
        with self._file:
            self._file.execute(
                "UPDATE rules SET fails = 0, due = 0, error = NULL WHERE name = ? AND fails > 0", [rule.name]
            )

    def failed(self, rule: Rule, error: str, due: float) -> bool:
        """Note that a rule failed and is due again then; return whether it is switched off by that."""
        with self._file:
            self._file.execute(
                "UPDATE rules SET fails = fails + 1, due = ?, error = ? WHERE name = ?", [due, error, rule.name]
            )
            self._file.execute("UPDATE rules SET is_off = 1 WHERE name = ? AND fails >= ?", [rule.name, FAILS])
        row = self._file.execute("SELECT is_off FROM rules WHERE name = ?", [rule.name]).fetchone()
        return bool(row and row[0])

    def put(self, rule: Rule, found: Found, targets: Sequence[str], now: datetime, due: float) -> bool:
        """Keep what was found, to be delivered from `due` on; return False where it was told already."""
        at = now.replace(tzinfo=UTC).timestamp()
        row = self._file.execute("SELECT at FROM raised WHERE rule = ? AND key = ?", [rule.name, found.key]).fetchone()
        if row and (not rule.lasts or at - row[0] < rule.again.total_seconds()):
            return False
        number = hashlib.sha256(json.dumps([rule.name, found.key, now.isoformat()]).encode()).hexdigest()[:32]
        with self._file:
            self._file.execute("INSERT OR REPLACE INTO raised VALUES (?, ?, ?)", [rule.name, found.key, at])
            self._file.execute(
                "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
                [
                    number,
                    now.isoformat(),
                    rule.name,
                    rule.kind,
                    found.key,
                    found.title,
                    found.text,
                    json.dumps(found.row),
                ],
            )
            self._file.executemany(
                "INSERT OR IGNORE INTO deliveries (id, target, due) VALUES (?, ?, ?)",
                [(number, target, due) for target in targets],
            )
        return True

    def due(self, at: float) -> list[Delivery]:
        """Return what is to be delivered by now, the oldest first."""
        rows = self._file.execute(
            "SELECT a.id, ts, rule, kind, key, title, text, row, target, tries FROM deliveries JOIN alerts AS a USING (id) "
            "WHERE state = 'waiting' AND due <= ? ORDER BY ts, a.rowid",
            [at],
        )
        return [Delivery(Alert(*row[:8]), row[8], row[9]) for row in rows]

    def delivered(self, delivery: Delivery, now: datetime) -> None:
        """Note that it arrived."""
        self._note(delivery, "delivered", now, "", 0.0)

    def postponed(self, delivery: Delivery, error: str, due: float) -> None:
        """Note that it did not arrive, and when it is tried again."""
        self._note(delivery, "waiting", None, error, due)

    def given_up(self, delivery: Delivery, error: str, now: datetime) -> None:
        """Note that it is not tried any more."""
        self._note(delivery, "given_up", now, error, 0.0)

    def _note(self, delivery: Delivery, state: str, now: datetime | None, error: str, due: float) -> None:
        with self._file:
            self._file.execute(
                "UPDATE deliveries SET state = ?, tries = tries + 1, done_ts = ?, error = ?, due = ? "
                "WHERE id = ? AND target = ?",
                [state, now and now.isoformat(), error, due, delivery.alert.id, delivery.target],
            )

    def to_store(self) -> list[dict[str, Any]]:
        """Return the alerts of which nothing waits any more, and that are not in the lake yet."""
        rows = self._file.execute("""
            SELECT id, ts, rule, kind, key, title, text, row,
                (SELECT coalesce(group_concat(target, ', '), '') FROM deliveries d WHERE d.id = a.id AND state = 'delivered'),
                (SELECT coalesce(group_concat(target, ', '), '') FROM deliveries d WHERE d.id = a.id AND state = 'given_up'),
                (SELECT max(done_ts) FROM deliveries AS d WHERE d.id = a.id AND state = 'delivered'),
                (SELECT coalesce(sum(tries), 0) FROM deliveries AS d WHERE d.id = a.id)
            FROM alerts AS a WHERE stored = 0
                AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id = a.id AND state = 'waiting') ORDER BY ts
        """).fetchall()
        names = (*Alert._fields, "delivered_to", "given_up_to", "ts_delivered", "tries")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def stored(self, ids: Sequence[str], now: datetime) -> None:
        """Note that they are in the lake, and forget what has been there for long."""
        before = (now - KEPT).isoformat()
        with self._file:
            self._file.executemany("UPDATE alerts SET stored = 1 WHERE id = ?", [(each,) for each in ids])
            self._file.execute("DELETE FROM alerts WHERE stored = 1 AND ts < ?", [before])
            self._file.execute("DELETE FROM deliveries WHERE id NOT IN (SELECT id FROM alerts)")
            self._file.execute("DELETE FROM raised WHERE at < ?", [(now - KEPT).replace(tzinfo=UTC).timestamp()])

    def waiting(self) -> int:
        """Return how many deliveries wait."""
        row = self._file.execute("SELECT count(*) FROM deliveries WHERE state = 'waiting'").fetchone()
        return int(row[0])
