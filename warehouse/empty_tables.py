"""Statistics of tables that hold nothing yet, so that planning a query over them is fast."""

from warehouse.lake import METADATA, Lake

_STATISTICS = f"{METADATA}.ducklake_table_stats"
_OF_COLUMNS = f"{METADATA}.ducklake_table_column_stats"
_KNOWN = f"""
INSERT INTO {_STATISTICS}
SELECT table_id, 0, 0, 0 FROM {METADATA}.ducklake_table AS made
WHERE end_snapshot IS NULL AND NOT EXISTS (FROM {_STATISTICS} AS known WHERE known.table_id = made.table_id);
INSERT INTO {_OF_COLUMNS}
SELECT table_id, column_id, false, false, NULL, NULL, NULL FROM {METADATA}.ducklake_column AS made
WHERE end_snapshot IS NULL
    AND EXISTS (FROM {_STATISTICS} AS known WHERE known.table_id = made.table_id AND record_count = 0 AND next_row_id = 0)
    AND NOT EXISTS (FROM {_OF_COLUMNS} AS known WHERE known.table_id = made.table_id AND known.column_id = made.column_id);
"""


def note_empty(opened: Lake) -> None:
    """Write down that tables without statistics have no rows, no nulls and no bounds, as DuckLake counts on from there.

    DuckLake remembers a table's statistics for as long as nothing is committed, but not that there are none: it then asks
    its catalogue again for every column of every mention of the table (1.5.5; mended upstream in
    duckdb/ducklake 1313). A query over a dozen empty tables was planned in 0.7 s, and in 0.12 s since.
    """
    with opened.write_lock():
        opened.connection.execute(_KNOWN)
