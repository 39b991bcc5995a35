"""A query of one day opens one day's files, through every view and macro that has a time.

Every .sql file of views and macros is taken as it is found: a new one is tested without a word here, unless it is named
below with the reason why no time can be asked of it. What is opened is read from the executed plans.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.statements import Statement, rollup, statements
from warehouse.tables import TABLES

DAYS = 40
FIRST = datetime(2026, 9, 1)  # noqa: DTZ001
AS_OF = datetime(2026, 10, 5, 12)  # noqa: DTZ001
SINCE, UNTIL = datetime(2026, 10, 3), datetime(2026, 10, 4)  # noqa: DTZ001

TIMES = ("ts_event", "ts", "minute", "hour", "day", "bin_start", "ts_recv")
"""Columns that say when a row happened, the first that there is: asked for one day."""
ARGUMENTS = {
    "instrument": "'x'", "coin": "'x'", "symbol": "'x'", "venue": "'x'", "base": "'x'", "hours": "24", "number": "10",
    "since": "as_of() - INTERVAL 24 HOURS", "until": "as_of()", "starts": "[as_of() - INTERVAL 24 HOURS]",
    "min_usd": "1", "times_normal": "1", "price_bin": "1", "time_bin": "INTERVAL 1 HOUR",
    "named": "'x'", "length": "'1h'", "moment": "as_of()",
}  # fmt: skip
"""What macros are called with, by the parameter's name; `name := default` needs none."""
CALLS = {
    "price_bars": "price_bars('x', '1h', since := as_of() - INTERVAL 24 HOURS)",
    "rsi": "rsi('x', '1h', bars := 24)",
}
"""Macros whose defaults look back for longer than a day, called so that they do not."""
WHOLE = {
    "frame_numbers": "every session from its first frame to its last",
    "frames_accounted": "every session from its first frame to its last",
    "frames_by_venue": "every session from its first frame to its last",
    "instruments_as_of": "a description holds until the next, however old; the table is small and not cut by time",
    "clusters_of": "whatever relation it is given",
    "rsi_series": "whatever relation it is given",
    "zones_of": "whatever relations it is given; zones_at is what is asked",
    "leverage_tiers_as_of": "a margin table holds until the next, however old; the table is small and not cut by time",
}
"""Views and macros that answer for all time, and why."""
LONGER: dict[str, tuple[int, str]] = {
    "liquidation_imbalance": (30, "the last hour is compared with 30 days, as far as their feeds were heard"),
    "feed_gaps": (30, "a gap lasts until the next minute that was heard whole, however many days later"),
    "feed_states": (
        8,
        "a state lasts since its first minute, of the seven days for which a channel that is away has minutes",
    ),
    **dict.fromkeys(
        ("liquidation_clusters", "liquidation_heatmap", "liquidation_map", "liquidation_max_pain"),
        (2, "a map of up to 48 hours ago is shown, as STALE, and swept by the prices since"),
    ),
    "liquidations_against_aggregated": (30, "what a vendor gave is compared over 30 days"),
    "liquidation_signs": (30, "what a sign means takes a hundred reports, which a venue may give in weeks"),
    "levels_against_measured": (8, "the maps of the last seven days are compared"),
    "side_sanity": (8, "each of the last seven days, with the minute before each liquidation"),
}
"""Those that look back from as_of() for more than a day, whatever day is asked of them: for how many days, and why."""
BY_DAY = {name for name, table in TABLES.items() if len(table.partition) == 3}
ASKED = [
    found
    for found in statements()
    if found.name not in WHOLE and (found.kind == "view" or "TABLE" in found.create()[:99])
]


def _made(table: str) -> str:
    """Return the INSERT of a day's rows: every column of time that day's noon, all else at both ends of what it may be, or
    null, so that only a time can leave a file out."""
    of_kind = {"VARCHAR": ("'!'", "'~'"), "BLOB": ("'!'::BLOB", "'~'::BLOB"), "BOOLEAN": ("false", "true")}
    of_kind |= dict.fromkeys(("BIGINT[]", "TIMESTAMP[]"), ("[]", "[]"))
    kinds = TABLES[table].types
    ends = [
        {
            name: "noon" if kind == "TIMESTAMP" else of_kind.get(kind, ("0", "1000000000"))[end]
            for name, kind in kinds.items()
        }
        for end in (0, 1)
    ]
    nulls = {name: "noon" if kind == "TIMESTAMP" else "NULL" for name, kind in kinds.items()}
    chosen = (", ".join(f'{value}::{kinds[name]} AS "{name}"' for name, value in row.items()) for row in (*ends, nulls))
    return f"INSERT INTO {table} " + " UNION ALL ".join(
        f"SELECT {columns} FROM (SELECT TIMESTAMP '{{noon}}' AS noon)" for columns in chosen
    )


@pytest.fixture(scope="module")
def forty_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    world = tmp_path_factory.mktemp("world")
    schema.create_or_migrate(world)
    with lake.open(world, read_only=False) as opened:
        for day in range(DAYS):
            noon = FIRST + timedelta(days=day, hours=12)
            with opened.transaction() as connection:
                for name in BY_DAY:
                    connection.execute(_made(name).format(noon=noon))
        opened.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{AS_OF}'")
        yield opened


def _opened(opened: Lake, sql: str) -> dict[str, int]:
    """Return the most files that a scan opened of each table that is cut by days, from the executed plan."""
    plan = json.loads(opened.connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {sql}").fetchall()[0][1])
    found: dict[str, int] = {}
    for table, files in _scans(plan):
        if table in BY_DAY:
            found[table] = max(found.get(table, 0), files)
    return found


def _most(opened: Lake, sql: str) -> int:
    return max(_opened(opened, sql).values(), default=0)


def _scans(node: dict[str, Any]) -> Iterator[tuple[str, int]]:
    told = node.get("extra_info") or {}
    if "Total Files Read" in told:
        yield told["Table"], int(told["Total Files Read"])
    for child in node.get("children", []):
        yield from _scans(child)


def _call(statement: Statement) -> str:
    """Return what stands behind FROM."""
    if statement.kind == "view" or statement.name in CALLS:
        return CALLS.get(statement.name, statement.name)
    names = [part.split()[0] for part in statement.parameters.strip("()").split(",") if part and ":=" not in part]
    missing = [name for name in names if name not in ARGUMENTS]
    assert not missing, f"{statement.name}: say in ARGUMENTS what {missing} is called with here"
    return f"{statement.name}({', '.join(ARGUMENTS[name] for name in names)})"


def _time(opened: Lake, source: str) -> str | None:
    """Return the column of `source` that says when a row happened."""
    columns = opened.connection.execute(f"DESCRIBE FROM {source}").fetchall()
    named = [name for name, kind, *_ in columns if kind == "TIMESTAMP"]
    return next((name for name in TIMES if name in named), None)


@pytest.mark.parametrize("statement", ASKED, ids=[found.name for found in ASKED])
def test_of_one_day_one_days_files_are_opened_and_of_the_last_24_hours_those_of_two(
    forty_days: Lake, statement: Statement
) -> None:
    source = _call(statement)
    days, _ = LONGER.get(statement.name, (1, ""))
    if _most(forty_days, f"FROM {source}") <= days + 1:  # of the time before as_of()
        return
    time = _time(forty_days, source)
    assert time, f"{statement.name} opens files of {days + 2} days or more, and no day can be asked of it"
    of_a_day = f"FROM {source} WHERE {time} >= TIMESTAMP '{SINCE}' AND {time} < TIMESTAMP '{UNTIL}'"
    assert _most(forty_days, of_a_day) <= (days + 1 if statement.name in LONGER else 1)


def test_what_is_counted_here_are_files(forty_days: Lake) -> None:
    assert _opened(forty_days, "SELECT sum(notional_usd) FROM liquidations_filled_in") == {
        "liquidations": DAYS, "liquidation_reports": 0,
    }  # fmt: skip
    noon = "WHERE epoch(ts_event) = epoch(TIMESTAMP '2026-10-03 12:00:00')"
    assert _opened(forty_days, f"SELECT sum(notional_usd) FROM liquidations {noon}") == {"liquidations": DAYS}


@pytest.mark.parametrize("table", ["liquidations_1m", "liquidations_1h", "liquidations_1d"])
def test_the_query_of_a_rollup_opens_the_files_of_its_time(forty_days: Lake, table: str) -> None:
    body = rollup(table).body.replace("$since", f"TIMESTAMP '{SINCE}'").replace("$until", f"TIMESTAMP '{UNTIL}'")
    assert _most(forty_days, body) <= 1


def test_each_that_answers_for_all_time_is_there() -> None:
    assert WHOLE.keys() | LONGER.keys() <= {found.name for found in statements()}
