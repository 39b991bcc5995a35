"""Which SQL a reading command runs: queries, and nothing that could write to the lake or a file.

DuckDB's own settings (`attached.py`) keep a reader inside the lake's folder, but inside it they allow what a writer needs:
COPY TO, attaching the catalogue again, DuckLake's maintenance. So only the kinds of statements and the table functions that
are listed here may run. DuckDB's own parser reads the query, so no spelling gets past it.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import duckdb

from warehouse.errors import QueryError
from warehouse.statements import statements

UNLOCKED = "`liq sql --unlocked` and `liq shell --unlocked` allow it"

_FUNCTIONS = """
range generate_series unnest repeat repeat_row summary json_each json_tree test_all_types test_vector_types glob
read_csv read_csv_auto read_json read_json_auto read_json_objects read_json_objects_auto read_ndjson read_ndjson_auto
read_ndjson_objects read_parquet parquet_scan read_text read_blob sniff_csv query_table parquet_bloom_probe
parquet_file_metadata parquet_full_metadata parquet_kv_metadata parquet_metadata parquet_schema
ducklake_current_snapshot ducklake_last_committed_snapshot ducklake_list_files ducklake_options ducklake_settings
ducklake_snapshots ducklake_table_changes ducklake_table_deletions ducklake_table_info ducklake_table_insertions
current_snapshot last_committed_snapshot snapshots table_changes table_deletions table_info table_insertions options
settings histogram histogram_values icu_calendar_names pg_timezone_names pragma_collations pragma_database_list
pragma_database_size pragma_metadata_info pragma_platform pragma_show pragma_storage_info pragma_table_info
pragma_user_agent pragma_version
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Table functions that only read. If they read files, DuckDB's settings limit them to the lake's folder."""
LISTING = frozenset(["glob"])
"""Those that list files by a pattern. DuckDB checks the pattern, not the files that it finds. So if the name of the lake's own
folder is a pattern, such as liq[1], they would list files of other folders."""
DUCKDB = re.compile(r"duckdb_(?!secret|logs?$|log_)\w+")
"""DuckDB's tables about itself, except those of secrets and logs."""

_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_OPTIONS = re.compile(
    r"\A(?:ANALY[ZS]E\b\s*)?(?:\((?:\s*(?:ANALY[ZS]E|FORMAT\s+\w+)\s*,?)+\)\s*)?", re.IGNORECASE
)  # of EXPLAIN
_VARIABLE = re.compile(r'\ASET\s+VARIABLE\s+(?:\w+|"[^"]*")\s*(?:=|\bTO\b)\s*(.*)\Z', re.IGNORECASE | re.DOTALL)
_RESET = re.compile(r"\ARESET\s+VARIABLE\s", re.IGNORECASE)


def check(connection: duckdb.DuckDBPyConnection, sql: str, functions: frozenset[str] = FUNCTIONS) -> None:
    """Raise QueryError if `sql` has a statement that does more than query, or calls a table function that is not one of
    `functions`. Raises duckdb.Error for a syntax error.
    """
    found = connection.extract_statements(sql)
    kinds = [statement.type.name for statement in found]
    if kinds == ["CREATE", "SELECT"] and not any(statement.query for statement in found):
        _check_pivot(
            connection, sql, functions
        )  # PIVOT … ON column: DuckDB makes a type of its values first, and keeps no text
        return
    for statement, kind in zip(found, kinds, strict=True):
        _check(connection, kind, functions, _COMMENTS.sub("", statement.query))


def _check(connection: duckdb.DuckDBPyConnection, kind: str, functions: frozenset[str], text: str) -> None:
    if kind == "SELECT":
        _check_query(connection, text, functions)
    elif kind == "EXPLAIN" and text[: len(kind)].upper() == kind:
        check(connection, _OPTIONS.sub("", _COMMENTS.sub("", text[len(kind) :])), functions)
    elif kind == "SET" and (given := _VARIABLE.match(text)):
        _check_query(connection, f"SELECT ({given[1].rstrip().rstrip(';')}\n)", functions)
    elif kind != "TRANSACTION" and not (kind == "SET" and _RESET.match(text)):
        raise _refused(f"{text.split(maxsplit=1)[0].upper() if text else kind} is refused")


def _check_query(connection: duckdb.DuckDBPyConnection, text: str, functions: frozenset[str]) -> None:
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        raise _refused(f"this statement cannot be looked through ({tree.get('error_message', '')})")
    for name in _called(tree):
        _check_function(name, functions)


def _called(tree: Any) -> Iterator[str]:
    """Yield the names of the table functions of a parsed query, however deep; the tree's depth is DuckDB's bounded one."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                yield str(node["function"].get("function_name", "")).lower()
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _check_function(name: str, functions: frozenset[str]) -> None:
    if name not in functions and name not in _macros() and not DUCKDB.fullmatch(name):
        raise _refused(f"the table function {name} is refused")


def _check_pivot(connection: duckdb.DuckDBPyConnection, sql: str, functions: frozenset[str]) -> None:
    """As DuckDB shows no tree of it: refuse it for the mere word of a table function that is not allowed."""
    rows = connection.execute(
        "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type = 'table'"
    )
    names = {name for (name,) in rows.fetchall()}
    for word in sorted(names & {word.lower() for word in re.findall(r"\w+", sql)}):
        _check_function(word, functions)


@lru_cache(maxsize=1)
def _macros() -> frozenset[str]:
    return frozenset(one.name for one in statements() if one.kind == "macro")


def _refused(what: str) -> QueryError:
    return QueryError(f"this command only reads the warehouse: {what}; {UNLOCKED}")
