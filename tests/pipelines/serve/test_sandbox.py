"""SQL of others: a query is answered, everything else is refused or harmless, and the service answers throughout."""

from pathlib import Path

import httpx
import psutil
import pytest

from tests.fuzz.statements import Sandbox, contents, run
from tests.pipelines.serve.conftest import Served
from tests.warehouse.test_allowed import ATTEMPTS

MORE = (
    "FROM query('DELETE FROM liquidations')",
    "FROM query_table('/etc/passwd')",
    "SELECT * FROM query(query('SELECT 1'))",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT json_deserialize_sql(json_serialize_sql('SELECT 1'))",
    "ATTACH '/other.sqlite' (TYPE sqlite)",
    "FROM postgres_scan('host=127.0.0.1', 'public', 'x')",
    "FROM sqlite_scan('/any/file', 't')",
    "SELECT 1; SELECT 2",
    "FROM duckdb_databases()",
    "FROM duckdb_settings()",
    "FROM duckdb_functions()",
    "FROM duckdb_secrets",
    "FROM duckdb_logs",
    "FROM information_schema.tables",
    "FROM pg_catalog.pg_tables",
    "FROM sqlite_master",
    "FROM system.main.duckdb_tables()",
    "SELECT current_setting('temp_directory')",
    "SELECT current_query()",
    "SELECT current_database(), current_schema(), current_user",
    "SELECT getvariable('as_of')",
    "SELECT pg_sleep(1)",
    "SELECT sleep_ms(1000)",
    "SELECT write_log('x')",
    "SELECT nextval('s')",
    "SELECT setseed(0.1)",
    "SELECT * FROM glob('{lake}/**')",
    "FROM read_text('{lake}/catalog.sqlite')",
    "FROM read_blob('{file}')",
    "FROM read_parquet('{file}')",
    "FROM parquet_metadata('{file}')",
    "FROM '{file}'",
    'FROM "{file}"',
    "WITH \"{file}\" AS (SELECT 1) SELECT * FROM (SELECT 1), '{file}'",
    "SELECT * FROM (WITH \"/etc/passwd\" AS (SELECT 1) FROM \"/etc/passwd\"), '/etc/passwd'",
    "COPY liquidations TO '/tmp/x.csv'",
    "DESCRIBE FROM liquidations",
    "SUMMARIZE liquidations",
    "SHOW TABLES",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "FROM pragma_version()",
    "FROM pragma_storage_info('liquidations')",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "SET memory_limit = '100GB'",
    "SET VARIABLE as_of = now()",
    "RESET threads",
    "BEGIN",
    "USE memory",
    "DETACH lake",
    "FROM test_all_types()",
    "FROM ducklake_snapshots('lake')",
    "FROM lake.snapshots()",
    "FROM ducklake_list_files('lake', 'liquidations')",
    "FROM __liq_catalogue.ducklake_data_file",
    "FROM __ducklake_metadata_lake.main.taken",
    "FROM temp.information_schema.tables",
    "FROM rsi_series('liquidations', 14)",
    "SELECT lake.main.nothing(1)",
    "",
    "   -- nothing",
    "SELECT",
    "SELECT * FROM",
    "\\x00",
    "SELECT $1",
    "SELECT ?",
)  # fmt: skip
HUNGRY = (
    "SELECT repeat('x', 2000000000)",
    "SELECT length(repeat(repeat('x', 1000000), 3000))",
    "SELECT list(a.i) FROM range(100000000) a(i), range(100) b(j)",
    "SELECT count(*) FROM range(10000000000) a, range(10000000000) b",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "SELECT string_agg(i, repeat('y', 1000)) FROM range(10000000) t(i)",
    "SELECT regexp_matches(repeat('a', 100000), '(a*)*b')",
    "FROM range(5000000) a(i), range(5) SELECT i, repeat('z', 1000)",
)
QUERIES = (
    "FROM liquidations",
    "SELECT base, sum(notional_usd) FROM lake.main.liquidations GROUP BY base ORDER BY 2 DESC LIMIT 3",
    "FROM liquidation_totals WHERE hours = 24",
    "FROM totals(24)",
    "FROM heatmap('BTC/USDT:USDT', as_of() - INTERVAL 1 DAY)",
    "WITH a AS (FROM liquidations), b AS (SELECT venue, count(*) AS n FROM a GROUP BY venue) FROM b JOIN a USING (venue)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) FROM n",
    "SELECT venue, row_number() OVER (PARTITION BY venue ORDER BY ts_event) FROM liquidations LIMIT 5",
    "SELECT time_bucket(INTERVAL 5 MINUTES, ts_event), sum(1) FILTER (position_side = 'long') FROM liquidations GROUP BY 1",
    "SELECT list_transform([1, 2], lambda x: x + 1), {'a': 1}.a, [x FOR x IN range(3)], CASE WHEN true THEN 1 END",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT * EXCLUDE (event_key) REPLACE (upper(venue) AS venue) FROM liquidations UNION ALL BY NAME SELECT NULL AS venue",
    "SELECT unnest([1, 2, 3])",
    "FROM liquidations AS l ASOF JOIN (SELECT as_of() AS ts) AS n ON l.ts_event <= n.ts SELECT count(*)",
)


def _named(sql: str, world: Path) -> str:
    file = next((world / "lake/files/main/liquidations").rglob("*.parquet"))
    return (
        sql.replace("{lake}", str(world / "lake"))
        .replace("{outside}", str(world / "x.csv"))
        .replace("{file}", str(file))
    )


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_is_answered(ask: httpx.Client, sql: str) -> None:
    answer = ask.post("/v1/sql", json={"query": sql})
    assert (answer.status_code, bool(answer.json()["data"])) == (200, True), answer.text


def test_every_attempt_to_do_more_is_refused(served: Served) -> None:
    before = contents(served.world)
    attempts = [_named(sql, served.world) for sql in (*ATTEMPTS, *MORE)]
    assert len(attempts) > 140
    for sql in attempts:
        answer = served.client.post("/v1/sql", json={"query": sql})
        assert answer.status_code == 400, (sql, answer.text)
        assert answer.json()["detail"].strip(), sql
    assert contents(served.world) == before
    assert served.client.post("/v1/sql", json={"query": "SELECT 1 AS one"}).json()["data"] == [{"one": 1}]


@pytest.mark.parametrize("sql", HUNGRY)
def test_what_takes_too_much_is_stopped_and_the_service_answers_on(served: Served, sql: str) -> None:
    before = contents(served.world)
    answer = served.client.post("/v1/sql", json={"query": sql, "limit": 10}, timeout=60)
    assert answer.status_code in (200, 400, 503), answer.text
    assert served.client.get("/health").status_code == 200
    parent = psutil.Process(served.process.pid)
    taken = sum(each.memory_info().rss for each in [parent, *parent.children(recursive=True)])
    assert taken < 1500 * 1024 * 1024
    assert contents(served.world) == before, "not even an empty file of what does not fit memory"
    assert served.client.post("/v1/sql", json={"query": "SELECT 1 AS one"}).json()["data"] == [{"one": 1}]


def test_an_answer_has_no_more_rows_than_asked_for(ask: httpx.Client) -> None:
    answer = ask.get("/v1/sql", params={"query": "FROM range(100)", "limit": 7}).json()
    assert (len(answer["data"]), answer["meta"]["rows"], answer["meta"]["more"]) == (7, 7, True)
    assert ask.get("/v1/sql", params={"query": "FROM range(7)", "limit": 7}).json()["meta"]["more"] is False


def test_the_statement_is_as_of_the_moment_given(ask: httpx.Client) -> None:
    answer = ask.get("/v1/sql", params={"query": "SELECT as_of() AS t", "as_of": "2026-01-02T03:04:05Z"}).json()
    assert answer["data"] == [{"t": "2026-01-02T03:04:05.000000Z"}]


def test_mutated_statements_are_refused_or_harmless(served: Served, tmp_path: Path) -> None:
    """As `make fuzz-sql` does with 10,000 of them."""
    sandbox = Sandbox(served.world, served.process.pid, served.client, tmp_path / "canary.csv")
    run(sandbox.send, 250)
    sandbox.look()
    assert sandbox.told[200] > 10
    assert sandbox.told[400] > 100
