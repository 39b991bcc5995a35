"""Puts alerts that are done with into the table `alerts`; what cannot be stored now stays in the outbox."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.alerts.outbox import Outbox
from warehouse import lake, schema
from warehouse.errors import WarehouseError
from warehouse.settings import WarehouseSettings
from warehouse.tables import TABLES
from warehouse.writer import append

LOCK_S = 5.0
"""A writer that holds the lock for longer does not keep alerts from being delivered."""

log = logging.getLogger(__name__)


def store(world: Path, outbox: Outbox, now: datetime) -> None:
    """Store what is done with; a row that is stored already is not stored again."""
    done = outbox.to_store()
    if not done:
        return
    try:
        if not lake.exists(world):
            return
        settings = WarehouseSettings(lock_timeout_s=LOCK_S)
        if not _has_table(world):
            schema.create_or_migrate(world)
        with lake.open(world, read_only=False, settings=settings) as opened:
            append(opened, {"alerts": pl.DataFrame([_row(each) for each in done], schema=TABLES["alerts"].schema)})
    except WarehouseError as error:
        log.warning("alerts wait to be stored: %s", error)
        return
    outbox.stored([each["id"] for each in done], now)


def _has_table(world: Path) -> bool:
    with lake.open(world) as opened:
        row = opened.connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'lake' AND table_name = 'alerts'"
        ).fetchone()
        return bool(row and row[0])


def _row(given: dict[str, Any]) -> dict[str, Any]:
    delivered = given["ts_delivered"]
    return {
        "ts": datetime.fromisoformat(given["ts"]), "alert_id": given["id"], "rule": given["rule"], "kind": given["kind"],
        "key": given["key"], "title": given["title"], "text": given["text"], "details": given["row"],
        "delivered_to": given["delivered_to"], "given_up_to": given["given_up_to"], "tries": given["tries"],
        "ts_delivered": datetime.fromisoformat(delivered) if delivered else None,
    }  # fmt: skip
