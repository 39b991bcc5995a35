"""SQL that others may send to the sandbox: allowed and not, mixed and damaged; and what must hold of each answer.

`python -m tests.fuzz.statements --number 10000` sends as many to a real service, and prints what broke.
"""

import argparse
import hashlib
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import httpx
import psutil
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

CANARY = "a canary that no answer may have"
MOST_BYTES = 1800 * 1024 * 1024
GOOD_TABLES = (
    "liquidations", "lake.main.liquidations", "liquidation_totals", "totals(24)", "range(3)", "unnest([1, 2])",
    "(SELECT 1 AS x)",
    "(VALUES (1), (2)) AS v(x)", "cte", "heatmap('BTC/USDT:USDT', as_of() - INTERVAL 1 DAY)", "json_each('[1]')",
)  # fmt: skip
BAD_TABLES = (
    "read_csv('{canary}')", "read_text('{canary}')", "read_blob('{canary}')", "'{canary}'", '"{canary}"', "glob('/tmp/*')",
    "sqlite_scan('{lake}/catalog.sqlite', 'ducklake_metadata')", "query('SELECT 1')", "query_table('liquidations')",
    "duckdb_settings()", "duckdb_databases()", "duckdb_secrets()", "pragma_database_list()", "parquet_scan('{canary}')",
    "read_text('/proc/self/environ')", "postgres_scan('host=127.0.0.1', 'public', 'x')", "information_schema.tables",
    "__ducklake_metadata_lake.ducklake_data_file", "ducklake_snapshots('lake')", "lake.snapshots()", "sqlite_master",
    "json_execute_serialized_sql('x')", "read_json('{canary}')", "pg_catalog.pg_settings",
)  # fmt: skip
GOOD_VALUES = (
    "1", "'x'", "venue", "notional_usd", "count(*)", "sum(notional_usd)", "max(ts_event)", "NULL", "[1, 2, 3]", "{'a': 1}", "x",
    "row_number() OVER (ORDER BY 1)", "CASE WHEN true THEN 1 END", "as_of()", "upper('a')", "list_transform([1], y -> y + 1)",
    "(SELECT 1)", "DATE '2026-01-01'", "1e308 * 10", "repeat('x', 10)", "*", "COLUMNS(*)", "try_cast('x' AS INT)", "?", "$1",
)  # fmt: skip
BAD_VALUES = (
    "getenv('HOME')", "current_setting('temp_directory')", "pg_sleep(5)", "sleep_ms(5000)", "getvariable('as_of')",
    "current_query()",
    "(SELECT content FROM read_text('{canary}'))", "write_log('x')", "nextval('s')", "current_database()", "version()",
    "json_serialize_sql('SELECT 1')", "txid_current()", "error('x')", "set_config('a', 'b')", "repeat('x', 2000000000)",
    "in_search_path('a', 'b')", "lake.main.getenv('HOME')", "system.main.getenv('HOME')", '"getenv"(\'HOME\')',
)  # fmt: skip
WHOLE = (
    "ATTACH '{lake}/catalog.sqlite' AS c", "DETACH lake", "COPY liquidations TO '{lake}/x.csv'", "DELETE FROM liquidations",
    "DROP TABLE liquidations", "UPDATE liquidations SET venue = 'x'", "INSERT INTO liquidations DEFAULT VALUES", "USE memory",
    "SET lock_configuration = false", "PRAGMA database_list", "CALL ducklake_expire_snapshots('lake')", "LOAD httpfs", "BEGIN",
    "INSTALL httpfs", "CREATE TABLE t (a INT)", "CREATE MACRO f() AS 1", "EXPORT DATABASE '{lake}/all'", "CHECKPOINT", "VACUUM",
    "EXPLAIN ANALYZE SELECT 1", "SHOW TABLES", "DESCRIBE liquidations", "SUMMARIZE liquidations", "EXECUTE p",
    "PREPARE p AS SELECT 1",
)  # fmt: skip
GLUE = (
    " ", "\n", "\t", "/**/", "--\n", ";", "; ", "(", ")", ",", "''", '"', "$$", "\\", "\u00a0",
    "\u200b", "\ufeff", "\u0430", "\u2028",
    " UNION ALL ", " WHERE ", " LIMIT 1 ", " FROM ", "/*", "*/", "::", "E'", "x'00'", "@", "#1", "%", "\u0000",
)  # fmt: skip

TABLES = st.sampled_from((*GOOD_TABLES, *BAD_TABLES))
VALUES = st.sampled_from((*GOOD_VALUES, *GOOD_VALUES, *BAD_VALUES))
JOINS = st.sampled_from((", ", " JOIN ", " CROSS JOIN ", " LEFT JOIN ", " POSITIONAL JOIN ", " ASOF JOIN "))
ENDS = st.sampled_from(
    ("", " WHERE true", " GROUP BY ALL", " ORDER BY 1", " LIMIT 3", " USING SAMPLE 10%", " QUALIFY true", ";")
)


@st.composite
def _query(draw: st.DrawFn) -> str:
    values = ", ".join(draw(st.lists(VALUES, min_size=1, max_size=3)))
    tables = draw(JOINS).join(draw(st.lists(TABLES, min_size=1, max_size=2)))
    shape = draw(st.sampled_from((
        "SELECT {v} FROM {t}", "FROM {t}", "FROM {t} SELECT {v}", "SELECT {v}", "WITH cte AS (SELECT {v} FROM {t}) FROM cte",
        "SELECT * FROM (SELECT {v} FROM {t})", "SELECT {v} UNION ALL SELECT {v} FROM {t}", "PIVOT {t} ON venue USING count(*)",
        "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 5) SELECT {v} FROM r, {t}",
        "SELECT (SELECT {v} FROM {t} LIMIT 1)", "VALUES ({v})", "TABLE {t}",
        "WITH cte AS MATERIALIZED (FROM {t}) SELECT {v} FROM cte",
    )))  # fmt: skip
    return shape.replace("{v}", values).replace("{t}", tables) + draw(ENDS)


@st.composite
def statements(draw: st.DrawFn) -> str:
    """Draw a statement; `{canary}` and `{lake}` in it stand for a file and the lake's folder."""
    text = draw(st.one_of(_query(), _query(), _query(), st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            text = text[:at] + draw(st.sampled_from(GLUE)) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + draw(st.integers(1, 8)) :]
        elif kind == 2:
            text = text[:at] + text[at:].swapcase()
        elif kind == 3:
            text = (
                text
                + draw(st.sampled_from(("; ", " ", " UNION ", "\n")))
                + draw(st.one_of(_query(), st.sampled_from(WHOLE)))
            )
        else:
            text = text[:at] + draw(st.one_of(VALUES, TABLES)) + text[at:]
    return text


class Sandbox:
    """A service that statements are sent to, and what must hold afterwards. `told`: how many answers had which status."""

    def __init__(self, world: Path, process: int, client: httpx.Client, canary: Path) -> None:
        self._world = world
        self._process = psutil.Process(process)
        self._client = client
        self._canary = canary
        canary.write_text(CANARY)
        self._before = contents(world)
        self.told: Counter[int] = Counter()
        self.most_bytes = 0

    def send(self, statement: str) -> None:
        """Send one statement. Raises AssertionError where its answer is none that may be."""
        sql = statement.replace("{canary}", str(self._canary)).replace("{lake}", str(self._world / "lake"))
        answer = self._client.post("/v1/sql", json={"query": sql, "limit": 5}, timeout=60)
        self.told[answer.status_code] += 1
        assert answer.status_code in (200, 400, 503), (sql, answer.status_code, answer.text)
        if answer.status_code == 200:
            assert CANARY not in answer.text, sql
            assert "ducklake_" not in answer.text, sql
        else:
            assert answer.json()["detail"].strip(), sql
            assert CANARY not in answer.text, sql
        if sum(self.told.values()) % 50 == 0:
            self.look()

    def look(self) -> None:
        """Look whether the service answers, within its memory, and the lake is what it was. Raises AssertionError."""
        every = [self._process, *self._process.children(recursive=True)]
        self.most_bytes = max(self.most_bytes, sum(each.memory_info().rss for each in every))
        assert self.most_bytes < MOST_BYTES
        assert self._client.get("/health").status_code == 200
        changed = set(contents(self._world).items()) ^ set(self._before.items())
        assert not changed, sorted(changed)


def contents(world: Path) -> dict[str, str]:
    """Return the files of a lake, with their sums."""
    files = (
        path for path in (world / "lake").rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    )
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def run(send: Callable[[str], None], number: int) -> None:
    """Draw so many statements and send each."""

    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(statements())
    def sent(statement: str) -> None:
        send(statement)

    sent()


def main(words: Sequence[str] | None = None) -> int:
    """Send statements to a service of an invented world; return the exit code."""
    from tests.pipelines.serve.conftest import make_world, service

    parser = argparse.ArgumentParser(prog="make fuzz-sql", description=__doc__)
    parser.add_argument("--number", type=int, default=10_000)
    given_number = parser.parse_args(words).number
    began = datetime.now()  # noqa: DTZ005
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder) / "world")
        with service(world, LIQ_SERVE_SQL_S="8", LIQ_SERVE_SQL_MB="400") as served:
            sandbox = Sandbox(world, served.process.pid, served.client, Path(folder) / "canary.csv")
            run(sandbox.send, given_number)
            sandbox.look()
    told = ", ".join(f"{status}: {number:,}" for status, number in sorted(sandbox.told.items()))
    print(f"{sum(sandbox.told.values()):,} statements in {datetime.now() - began} ({told}); "  # noqa: DTZ005
          f"at most {sandbox.most_bytes // 1024**2:,} MB; nothing broke")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
