"""Rows of a resource as an answer: what it says of itself, and the rows in the format that was asked for."""

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from pipelines.serve.asked import MEDIA, Asked, Cursor, next_cursor
from pipelines.serve.figures import ROWS
from pipelines.serve.problems import ProblemError
from pipelines.serve.resources import Resource
from pipelines.serve.standing import Standings, told
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


def answer(lake: Lake, resource: Resource, wanted: Asked, standings: Standings, most_bytes: int) -> Answer:
    """Return the answer to what was asked. Raises QueryError; ProblemError where it would be too large."""
    lake.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{wanted.as_of}'")
    standing = standings.of(lake, wanted.is_now)
    page, is_more = _page(lake, wanted, most_bytes)
    meta = told(standing, wanted.as_of, page, resource.subject in OF_LIQUIDATIONS)
    ROWS.labels("/v1/rows").inc(page.num_rows)
    meta |= {
        "resource": resource.name,
        "rows": page.num_rows,
        "lake_changed": wanted.snapshot not in (None, standing.snapshot),
    }
    cursor = next_cursor(Cursor(wanted.as_of, wanted.offset + page.num_rows, standing.snapshot)) if is_more else None
    meta["next"] = cursor
    return written(page, wanted.format, meta)


def _page(lake: Lake, wanted: Asked, most_bytes: int) -> tuple[pa.Table, bool]:
    found = batches(run(lake, wanted.sql, held=HELD[wanted.format]))
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


def written(rows: pa.Table, kind: Format, meta: dict[str, Any]) -> Answer:
    """Return rows in a format. JSON has what the answer says of itself beside them; all have it as the header Liq-Meta.

    The ETag is that of the rows and of what is known of them, whenever that was asked.
    """
    file = BytesIO()
    if kind in (Format.PARQUET, Format.ARROW, Format.ARROWS):
        rows = rows.replace_schema_metadata({**(rows.schema.metadata or {}), b"liq": orjson.dumps(_lasting(meta))})
    export_batches(Batches(rows.schema, rows.to_batches()), kind, file)
    body = file.getvalue()
    headers = {"Liq-Meta": orjson.dumps(meta).decode(), "ETag": _tag(body, meta)}
    if kind is Format.JSON:
        body = enveloped(body, meta)
    return Answer(body, MEDIA[kind], headers)


def enveloped(rows: bytes, meta: Mapping[str, Any]) -> bytes:
    """Return rows, written as a JSON array, beside what is said of them."""
    return b'{"meta":' + orjson.dumps(meta) + b',"data":' + rows.rstrip(b"\n") + b"}\n"


def _lasting(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if name not in ("as_of", "age_s", "next")}


def _tag(rows: bytes, meta: Mapping[str, Any]) -> str:
    return f'W/"{hashlib.blake2b(rows + orjson.dumps(_lasting(meta)), digest_size=16).hexdigest()}"'
