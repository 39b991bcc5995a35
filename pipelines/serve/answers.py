"""Rows of a resource as an answer: what it says of itself, and the rows in the format that was asked for."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from pipelines.serve.asked import MEDIA, Asked, Cursor, next_cursor
from pipelines.serve.problems import ProblemError
from pipelines.serve.resources import Resource
from pipelines.serve.standing import Standings, aged, told
from warehouse.arrow import Batches, batches
from warehouse.exported import export_batches
from warehouse.formats import HELD, Format
from warehouse.lake import Lake
from warehouse.query import run

OF_LIQUIDATIONS = ("Liquidations", "Cascades", "Signals")
"""Subjects whose rows are liquidations, or made of them."""


class Answer(NamedTuple):
    """A body, its media type and headers."""

    body: bytes
    media: str
    headers: Mapping[str, str]


class Made(NamedTuple):
    """Rows written in a format, and what is said of them. `tag`: their ETag."""

    rows: bytes
    kind: Format
    meta: dict[str, Any]
    tag: str

    def answer(self, now: datetime | None = None) -> Answer:
        """Return the answer to be sent; its age is that of `now` if it is given, else as of its moment.

        JSON has what the answer says of itself beside the rows; all have it as the header Liq-Meta.
        """
        meta = aged(self.meta, now) if now else self.meta
        headers = {"Liq-Meta": orjson.dumps(meta).decode(), "ETag": self.tag}
        return Answer(enveloped(self.rows, meta) if self.kind is Format.JSON else self.rows, MEDIA[self.kind], headers)


def made(lake: Lake, resource: Resource, wanted: Asked, standings: Standings, most_bytes: int) -> Made:
    """Return the rows that were asked for. Raises QueryError; ProblemError where they would be too large."""
    lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{wanted.as_of}'")
    standing = standings.of(lake, wanted.is_now)
    page, is_more = _page(lake, wanted, most_bytes)
    meta = told(standing, wanted.as_of, page, resource.subject in OF_LIQUIDATIONS)
    meta |= {
        "resource": resource.name,
        "rows": page.num_rows,
        "lake_changed": wanted.snapshot not in (None, standing.snapshot),
    }
    cursor = next_cursor(Cursor(wanted.as_of, wanted.offset + page.num_rows, standing.snapshot)) if is_more else None
    meta["next"] = cursor
    return written(page, wanted.format, meta)


def _page(lake: Lake, wanted: Asked, most_bytes: int) -> tuple[pa.Table, bool]:
    found = batches(run(lake, wanted.sql, held=HELD[wanted.format], known=wanted.columns))
    taken, size = list[pa.RecordBatch](), 0
    for batch in found.batches:
        taken.append(batch)
        size += batch.nbytes
        if size > most_bytes:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                f"more than {most_bytes // 1024**2} MB: ask for fewer columns, or a smaller limit",
            )
    table = pa.Table.from_batches(taken, found.schema)
    return table.slice(0, wanted.limit), table.num_rows > wanted.limit


def written(rows: pa.Table, kind: Format, meta: dict[str, Any]) -> Made:
    """Return rows in a format. The ETag is that of the rows and of what is known of them, whenever that was asked."""
    file = BytesIO()
    if kind in (Format.PARQUET, Format.ARROW, Format.ARROWS):
        rows = rows.replace_schema_metadata({**(rows.schema.metadata or {}), b"liq": orjson.dumps(_lasting(meta))})
    export_batches(Batches(rows.schema, rows.to_batches()), kind, file)
    body = file.getvalue()
    return Made(body, kind, meta, tag(body + orjson.dumps(_lasting(meta))))


def enveloped(rows: bytes, meta: Mapping[str, Any]) -> bytes:
    """Return rows, written as a JSON array, beside what is said of them."""
    return b'{"meta":' + orjson.dumps(meta) + b',"data":' + rows.rstrip(b"\n") + b"}\n"


def _lasting(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name not in ("as_of", "age_s", "next")}


def tag(told: bytes) -> str:
    """Return the ETag of what an answer tells."""
    return f'W/"{hashlib.blake2b(told, digest_size=16).hexdigest()}"'
