"""Query results as programs take them: csv, JSON, Parquet, Arrow."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.arrow import Batches, batches
from warehouse.errors import QueryError
from warehouse.far_times import far_as_text
from warehouse.formats import Format
from warehouse.messages import one_line
from warehouse.query import Rows
from warehouse.values import readable


def export(rows: Rows, kind: Format, file: BinaryIO) -> None:
    """Write `rows` into the file, as they come. Raises QueryError, also where a value does not fit the format."""
    export_batches(batches(rows), kind, file)


def export_batches(rows: Batches, kind: Format, file: BinaryIO) -> None:
    """Write batches likewise."""
    try:
        _WRITERS[kind](rows, file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException) as error:
        raise QueryError(f"{kind} cannot hold these rows: {one_line(error)}; cast the column, as to VARCHAR") from error


def _csv(rows: Batches, file: BinaryIO) -> None:
    file.write(_csv_head(rows))
    for frame in _frames(rows):
        file.write(frame.write_csv(include_header=False).encode())


def csv_lines(rows: Batches, is_more: bool) -> bytes:
    """Return rows as lines of csv; `is_more`: below others, without the names."""
    head = _csv_head(rows)
    lines = [frame.write_csv(include_header=False).encode() for frame in _frames(rows)]
    return b"".join(lines if is_more else [head, *lines])


def json_lines(rows: Batches) -> bytes:
    """Return rows as JSON, an object a line."""
    return b"".join(_json_lines(rows))


def _csv_head(rows: Batches) -> bytes:
    if any(pa.types.is_nested(kind) for kind in rows.schema.types):
        raise QueryError("csv cannot hold lists or structs: choose json, parquet or arrow, or select their fields")
    return (",".join(_quoted(name) for name in rows.schema.names) + "\n").encode()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n\r') else name


def _json(rows: Batches, file: BinaryIO) -> None:
    before = b"[\n"
    for lines in _json_lines(rows):
        file.write(before + lines.rstrip(b"\n").replace(b"\n", b",\n"))  # a line has no break: JSON writes it as \\n
        before = b",\n"
    file.write(b"[]\n" if before == b"[\n" else b"\n]\n")


def _jsonl(rows: Batches, file: BinaryIO) -> None:
    for lines in _json_lines(rows):
        file.write(lines)


def _json_lines(rows: Batches) -> Iterator[bytes]:
    """Yield the rows of each batch that has some, an object a line."""
    for frame in _frames(rows):
        whole = (pl.col(name).cast(pl.Int128) for name, kind in frame.schema.items() if kind == pl.Decimal(38, 0))
        if frame.height:
            yield frame.with_columns(*whole).with_columns(cs.decimal().cast(pl.Float64)).write_ndjson().encode()


def _frames(rows: Batches) -> Iterator[pl.DataFrame]:
    """Yield the batches as text has them: times as ISO 8601 in UTC with a Z, as the warehouse's times are UTC."""
    for batch in rows.batches:
        frame = cast(pl.DataFrame, pl.from_arrow(far_as_text(pa.Table.from_batches([batch]))))
        yield _readable(frame).with_columns(
            cs.datetime(time_zone=None).dt.to_string("iso:strict") + "Z",
            cs.datetime(time_zone="*").dt.convert_time_zone("UTC").dt.replace_time_zone(None).dt.to_string("iso:strict")
            + "Z",
        )


def _readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with BLOBs as text."""
    blobs = (frame[name] for name, kind in frame.schema.items() if kind == pl.Binary)
    return frame.with_columns(
        pl.Series(blob.name, [None if value is None else readable(value) for value in blob], pl.String)
        for blob in blobs
    )


def _parquet(rows: Batches, file: BinaryIO) -> None:
    with pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
        for batch in rows.batches:
            writer.write_batch(batch)


def _arrow(rows: Batches, file: BinaryIO) -> None:
    with pa.ipc.new_file(file, rows.schema) as writer:
        for batch in rows.batches:
            writer.write_batch(batch)


def _arrows(rows: Batches, file: BinaryIO) -> None:
    with pa.ipc.new_stream(file, rows.schema) as writer:
        for batch in rows.batches:
            writer.write_batch(batch)


_WRITERS: dict[Format, Callable[[Batches, BinaryIO], None]] = {
    Format.CSV: _csv,
    Format.JSON: _json,
    Format.JSONL: _jsonl,
    Format.PARQUET: _parquet,
    Format.ARROW: _arrow,
    Format.ARROWS: _arrows,
}
