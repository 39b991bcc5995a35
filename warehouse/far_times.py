"""Dates and times that only DuckDB can write: infinity, before the year 1, after the year 9999."""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

DAY = 86_400
FIRST, END = -719_162 * DAY, 2_932_897 * DAY
"""Seconds since 1970 of the first instant of the year 1, and of the first after the year 9999."""
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def far_as_text(table: pa.Table) -> pa.Table:
    """Return the table with each column that has such a value as text: those values as DuckDB writes them, the others as
    ISO 8601 has it (2026-10-10T12:00:00.000000Z).
    """
    for number, field in enumerate(table.schema):
        if _is_far(table.column(number), field.type):
            table = table.set_column(number, field.name, _text(table.column(number), field.type))
    return table


def _is_far(column: pa.ChunkedArray, kind: pa.DataType) -> bool:
    if pa.types.is_date32(kind):
        first, end, whole = FIRST // DAY, END // DAY, pa.int32()
    elif pa.types.is_timestamp(kind):
        first, end, whole = FIRST * PER_SECOND[kind.unit], END * PER_SECOND[kind.unit], pa.int64()
    else:
        return False
    found = pc.min_max(pa.chunked_array([chunk.view(whole) for chunk in column.chunks], whole)).as_py()
    most = 2 ** (whole.bit_width - 1) - 1  # infinity
    return found["min"] is not None and (found["min"] < max(first, -most + 1) or found["max"] >= min(end, most))


def _text(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    form = "%Y-%m-%d" if pa.types.is_date32(kind) else "%Y-%m-%dT%H:%M:%S.%fZ"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("liq_times", pa.table({"value": column}))
        near = "isfinite(value) AND year(value) BETWEEN 1 AND 9999"
        text = f"CASE WHEN {near} THEN strftime(value, '{form}') ELSE value::VARCHAR END"
        return connection.execute(f"SELECT {text} FROM liq_times").to_arrow_table().column(0)
