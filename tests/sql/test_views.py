"""Views: rows in, rows out. A case is a JSON file sql/<view>/<what must hold>.json.

as_of: the instant the view is asked at; from: what is asked, such as a call of a macro, where it is not the view; where: a
condition for the rows asked; in: rows per table, columns not given are null; out: the rows that must come, in any order, only
the columns given are compared; numbers to twelve digits. A row with times: n is n rows, each a minute after
the one before.
"""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl
import pytest

from warehouse.catalogue import example
from warehouse.lake import Lake
from warehouse.statements import statements
from warehouse.tables import TABLES
from warehouse.writer import append

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*/*.json"))
VIEWS = [found.name for found in statements() if found.kind == "view"]
EXAMPLES = {found.name: example(found) for found in statements() if found.kind == "macro" and example(found)}
OF_TABLES = [found.name for found in statements() if found.kind == "view" and "Reads nothing" not in found.notes]

TIME = re.compile(r"(?:TIMESTAMP )?'(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)'")
TIMED = {path.parent.name: path for path in CASES if TIME.search(json.loads(path.read_text()).get("from", ""))}


def as_rows(table: str, given: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows of a table out of JSON: times are text, columns not given are null."""
    wanted = TABLES[table].schema
    moments = [name for name, kind in wanted.items() if kind == pl.Datetime("us")]
    lists = [name for name, kind in wanted.items() if kind == pl.List(pl.Datetime("us"))]
    text = pl.DataFrame(
        [dict.fromkeys(wanted, None) | row for row in given],
        pl.Schema({**wanted, **dict.fromkeys(moments, pl.String()), **dict.fromkeys(lists, pl.List(pl.String()))}),
    )
    return text.with_columns(
        pl.col(moments).str.to_datetime(time_unit="us"),
        pl.col(lists).list.eval(pl.element().str.to_datetime(time_unit="us")),
    )


def _frame(table: str, given: list[dict[str, Any]]) -> pl.DataFrame:
    wanted = TABLES[table].schema
    rows = as_rows(table, [one for row in given for one in (_each_minute(row) if "times" in row else [row])])
    made = [
        f'coalesce("{each.name}", {each.made_of}) AS "{each.name}"' for each in TABLES[table].columns if each.made_of
    ]
    return duckdb.sql(f"SELECT * REPLACE ({', '.join(made)}) FROM rows").pl().cast(dict(wanted)) if made else rows


def _each_minute(row: dict[str, Any]) -> list[dict[str, Any]]:
    own = {name: value for name, value in row.items() if name != "times"}
    first = datetime.fromisoformat(row["ts_event"])
    return [own | {"ts_event": (first + timedelta(minutes=number)).isoformat()} for number in range(row["times"])]


def _same(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return float(f"{value:.12g}") if isinstance(value, float) else value


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in an order of their own, numbers rounded to twelve digits."""
    return sorted(({name: _same(value) for name, value in row.items()} for row in rows), key=repr)


class Memory(NamedTuple):
    """Every table, without rows, and every view and macro, in a database in memory instead of a lake."""

    connection: duckdb.DuckDBPyConnection


def _put(empty: Lake | Memory, rows: dict[str, pl.DataFrame]) -> None:
    if isinstance(empty, Lake):
        append(empty, rows)
        return
    for table, frame in rows.items():
        empty.connection.register("given_rows", frame)
        empty.connection.execute(f"INSERT INTO {table} BY NAME FROM given_rows")


def asked(empty: Lake | Memory, of: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of `out` that the view or macro `of` has as of the case's instant, of the rows in `in` alone."""
    columns = ", ".join(f'"{name}"' for name in given["out"][0]) if given["out"] else "*"
    empty.connection.execute("SET VARIABLE as_of = ?::TIMESTAMP", [given["as_of"]])
    _put(empty, {table: _frame(table, rows) for table, rows in given["in"].items()})
    try:
        source = f"{given.get('from', of)} WHERE {given.get('where', 'true')}"
        cursor = empty.connection.execute(f"SELECT {columns} FROM {source}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        for table in given["in"]:
            empty.connection.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("case", CASES, ids=[f"{path.parent.name}: {path.stem}" for path in CASES])
def test_rows_in_rows_out(empty: Lake, case: Path) -> None:
    given = json.loads(case.read_text())
    assert comparable(asked(empty, case.parent.name, given)) == comparable(given["out"])


@pytest.mark.parametrize("form", ["'{}'", "TIMESTAMPTZ '{}+00'"])
@pytest.mark.parametrize("macro", TIMED)
def test_a_macro_takes_a_time_as_text_and_with_a_zone_as_it_takes_a_timestamp(
    empty: Lake, macro: str, form: str
) -> None:
    given = json.loads(TIMED[macro].read_text())
    given["from"] = TIME.sub(lambda time: form.format(time[1]), given["from"])
    assert comparable(asked(empty, macro, given)) == comparable(given["out"])


@pytest.mark.parametrize("view", OF_TABLES)
def test_a_view_of_nothing_is_empty(empty: Lake, view: str) -> None:
    assert empty.connection.execute(f"FROM {view}").fetchall() == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_a_case_and_says_what_it_reads_and_its_grain(view: str) -> None:
    found = next(found for found in statements() if found.name == view)
    assert "Reads " in found.notes
    assert "Grain: " in found.notes
    assert list((HERE / view).glob("*.json"))


@pytest.mark.parametrize("macro", EXAMPLES)
def test_a_macros_example_runs_and_it_has_a_case(empty: Lake, macro: str) -> None:
    assert empty.connection.execute(EXAMPLES[macro]).fetchall() == []
    assert list((HERE / macro).glob("*.json"))
