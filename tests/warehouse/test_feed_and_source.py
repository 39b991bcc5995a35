"""Feed and source of what was stored before there were such columns: filled in, or said by one expression in SQL."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.session_names import feed_and_source
from tests.warehouse.conftest import NOON
from tests.warehouse.keeping.destroyed import lose_catalogue, quiet
from warehouse import lake, schema
from warehouse.fold import fold
from warehouse.keeping.rebuild import from_files
from warehouse.keeping.salvage import without_manifest
from warehouse.tables import TABLES, Table
from warehouse.tables.frames import FRAMES_FEED, FRAMES_SOURCE
from warehouse.tables.session_names import OLD_FEED, OLD_SOURCE
from warehouse.writer import append

NEW = ("feed", "source")
FILLED = ("collector_events", "session_frames")
OLD = {
    name: TABLES[name]._replace(columns=tuple(each for each in TABLES[name].columns if each.name not in NEW))
    for name in (*FILLED, "raw_frames")
}
KNOWN = {name: TABLES[name] for name in OLD}
SESSIONS = [
    ("bybit", "bybit-linear-2-18f0-ab12", "linear-2", "live"),
    ("kraken-futures", "kraken-futures-public-18f0-ab12", "public", "live"),
    ("kraken-futures", "kraken-futures-import-18f0-ab12", "import", "import"),
    ("data-backfill", "data-backfill-backfill-18f0-ab12", "backfill", "backfill"),
    ("data-backfill", "data-backfill-linear-18f0-ab12", "linear", "live"),
    ("", "collector-18f0-ab12", "collector", "live"),
]
TOLD = [(session, feed, source) for _, session, feed, source in SESSIONS]
PARTS = st.sampled_from(
    ["bybit", "-", "kraken-futures", "-backfill-", "-import-", "import", "linear", "18f0", "ab12", "é", "[a].*", ""]
)
NAMES = st.lists(PARTS, max_size=6).map("".join)


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=20))
def test_sql_says_of_a_sessions_name_what_the_envelope_says(names: list[tuple[str, str, str]]) -> None:
    told = [(venue, f"{venue}-{session}{end}") for venue, session, end in names]
    told += [(venue, session) for venue, session, _ in names]
    rows = pl.DataFrame(told, ["venue", "session"], orient="row")
    found = duckdb.sql(f"SELECT {OLD_FEED}, {OLD_SOURCE} FROM rows").fetchall()
    assert rows.height == len(found)
    assert found == [feed_and_source(session, venue) for venue, session in told]


def _table(name: str, of: Table, given: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(of.schema, None) | row for row in given], schema=of.schema)


def _before(venue: str, session: str, at: datetime) -> dict[str, dict[str, Any]]:
    """Return a row of each table as it was stored before; the event has no key."""
    own = {
        "venue": venue,
        "session": session,
        "transport": "ws",
        "kafka_topic": "raw.liquidation",
        "kafka_partition": 0,
    }
    return {
        "collector_events": own | {"ts": at, "event": "started", "frames": 0, "kafka_offset": 1},
        "session_frames": own | {"ts_commit": at, "frames": 1, "seq_min": 1, "seq_max": 1, "seq_sum": 1},
        "raw_frames": own | {"ts_recv": at, "seq": 1, "payload": b"{}", "channel": "c", "symbol": "*"},
    }


REBUILT = pytest.mark.local("a catalogue made again from files in a folder")


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Path]:
    """A world with the tables of before and rows in them."""
    schema.create_or_migrate(tmp_path, OLD.values(), [])
    with lake.open(tmp_path, read_only=False) as writer:
        made = [_before(venue, session, NOON) for venue, session, _, _ in SESSIONS]
        append(writer, {name: _table(name, of, [each[name] for each in made]) for name, of in OLD.items()}, OLD)
    return tmp_path


def _rows(world: Path, name: str, columns: str = "feed, source") -> list[tuple[Any, ...]]:
    with lake.open(world) as reader:
        return reader.connection.execute(f"SELECT session, {columns} FROM {name} ORDER BY session").fetchall()


def test_a_world_of_before_is_filled_in_when_it_is_brought_to_todays_tables(older: Path) -> None:
    assert "table session_frames: rows of before filled in" in schema.create_or_migrate(older, KNOWN.values(), [])
    for name in FILLED:
        assert _rows(older, name) == sorted(TOLD)
    assert schema.create_or_migrate(older, KNOWN.values(), []) == []


def test_of_raw_frames_of_before_one_expression_says_it_and_nothing_is_written_anew(older: Path) -> None:
    files = sorted((older / "lake/files/main/raw_frames").rglob("*.parquet"))
    schema.create_or_migrate(older, KNOWN.values(), [])
    with lake.open(older, read_only=False) as writer:
        new = _before("bybit", "bybit-import-18f0-ab12", NOON)["raw_frames"] | {"feed": "x", "source": "live"}
        append(writer, {"raw_frames": _table("raw_frames", KNOWN["raw_frames"], [new])}, KNOWN)
    assert set(files) <= set((older / "lake/files/main/raw_frames").rglob("*.parquet"))
    told = sorted([*TOLD, ("bybit-import-18f0-ab12", "x", "live")])
    assert _rows(older, "raw_frames", f"{FRAMES_FEED}, {FRAMES_SOURCE}") == told


@REBUILT
def test_files_that_are_older_than_the_columns_are_filled_in_when_a_catalogue_is_made_anew(older: Path) -> None:
    with lake.open(older, read_only=False) as writer:
        assert writer.manifest.state(writer.connection).entries
    lose_catalogue(older)
    assert from_files(older, quiet, known=KNOWN).faults == ()
    for name in FILLED:
        assert _rows(older, name) == sorted(TOLD)


@REBUILT
def test_without_a_manifest_a_row_and_the_same_filled_in_are_one(older: Path) -> None:
    schema.create_or_migrate(older, KNOWN.values(), [])  # the files of before still lie there
    lose_catalogue(older)
    for manifest in (older / "lake/files").glob("manifest-*"):
        manifest.unlink()
    without_manifest(older, quiet, known=KNOWN)
    for name in FILLED:
        assert _rows(older, name) == sorted(TOLD)


def test_folded_accounts_keep_feed_and_source(older: Path) -> None:
    schema.create_or_migrate(older, KNOWN.values(), [])
    with lake.open(older, read_only=False) as writer:
        for n in range(1, 4):
            made = [_before(venue, session, NOON + timedelta(minutes=n))["session_frames"] | {"feed": feed, "source": source}
                    for venue, session, feed, source in SESSIONS]  # fmt: skip
            append(writer, {"session_frames": _table("session_frames", KNOWN["session_frames"], made)}, KNOWN)
        assert fold(writer, NOON + timedelta(days=1), KNOWN) == 3 * len(SESSIONS)
    assert _rows(older, "session_frames", "feed, source, frames") == [(*told, 4) for told in sorted(TOLD)]
