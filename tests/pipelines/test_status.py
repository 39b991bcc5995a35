"""What `liq status` worries about."""

import asyncio
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.status import Lag, _worries, status
from warehouse import lake, schema
from warehouse.place import Place

FEED = {"venue": "okx", "missing": 3}


def test_frames_are_missing_only_once_ingest_has_caught_up() -> None:
    assert _worries([FEED], [Lag("raw.ticker", 10, 2)], 5.0) == []
    (told,) = _worries([FEED], [Lag("raw.ticker", 10, 0)], 5.0)
    assert told.startswith("okx: 3 frames are missing")


def test_an_ingest_that_stands_still_and_a_kafka_that_never_got_anything_are_told() -> None:
    (told,) = _worries([], [Lag("raw.ticker", 10, 2)], 500.0)
    assert told.startswith("ingest is 2 records behind")
    (told,) = _worries([], [Lag("raw.ticker", 0, 0)], None)
    assert told.startswith("nothing has ever reached Kafka")


def test_the_warehouse_is_opened_once_or_told_to_be_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    monkeypatch.delenv("LIQ_KAFKA_BOOTSTRAP", raising=False)
    assert asyncio.run(status(tmp_path)).problems[1] == f"no warehouse in {tmp_path}: `liq ingest` makes it"
    schema.create_or_migrate(tmp_path)
    opened: list[Path] = []
    connect = lake._connect

    def counted(place: Place, *given: Any) -> duckdb.DuckDBPyConnection:
        opened.append(place.world)
        return connect(place, *given)

    monkeypatch.setattr(lake, "_connect", counted)
    found = asyncio.run(status(tmp_path))
    assert (found.kafka, found.feeds, found.commit_age_s) == ("none", [], None)
    assert opened == [tmp_path]
