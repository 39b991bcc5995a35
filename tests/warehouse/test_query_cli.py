import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from liq import app
from warehouse import lake
from warehouse.errors import NoWarehouseError, QueryError
from warehouse.formats import HELD
from warehouse.lake import Lake
from warehouse.query import query, reading_world, run
from warehouse.writer import append

Maker = Callable[..., pl.DataFrame]


@pytest.fixture
def liq(world: Path, writer: Lake, liquidations: Maker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a caller of the commands on a world with two liquidations of October 10th, 2026, at noon."""
    append(writer, {"liquidations": liquidations(2)})
    monkeypatch.setenv("LIQ_DATA", str(world))
    return lambda *arguments, **more: CliRunner().invoke(app, arguments, **more)


def test_python_readers_get_polars_frames_and_pass_parameters(world: Path, writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(3)})
    frame = query(
        "SELECT event_key, notional_usd FROM liquidations WHERE event_key > $least ORDER BY 1", world, {"least": 0}
    )
    assert frame.rows() == [(1, 101.0), (2, 102.0)]
    assert query("FROM liquidations LIMIT 0", world).schema == liquidations(0).schema


def test_errors_of_a_query_are_one_line(world: Path) -> None:
    for wrong in ("SELEC 1", "FROM nothing", "SELECT error('half way') FROM range(10)"):
        with pytest.raises(QueryError) as caught:
            query(wrong, world)
        assert "\n" not in str(caught.value)


def test_now_is_utc_whatever_the_zone_of_the_machine(world: Path, writer: Lake, liquidations: Maker) -> None:
    append(writer, {"liquidations": liquidations(1)})
    asked = """SELECT count(*) FROM liquidations WHERE ts_event = TIMESTAMPTZ '2026-10-10 12:00:00+00'
        AND abs(epoch(now()::TIMESTAMP) - epoch(as_of())) < 1"""
    code = f"from pathlib import Path\nfrom warehouse.query import query\nprint(query({asked!r}, Path({str(world)!r})).item())"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"TZ": "America/New_York"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "1"


def test_from_first_sql_prints_a_table(liq: Callable[..., Result]) -> None:
    done = liq("sql", "set variable as_of = '2026-10-10 12:30:00'; from liquidation_totals where hours = 4")
    assert done.exit_code == 0
    assert [word for word in done.output.split() if word not in "┃│"][-12:-2] == [
        "BTC", "bybit", "long", "4", "201", "2", "101", "0", "all", "201"]  # fmt: skip


def test_json_is_one_object_a_line_and_csv_has_a_head(liq: Callable[..., Result]) -> None:
    sql = "select event_key, ts_event, status, encode('é') as text, '\\xff'::blob as bytes from liquidations order by 1"
    lines = [json.loads(line) for line in liq("sql", sql, "--format", "jsonl").output.splitlines()]
    assert lines[1] == {
        "event_key": 1,
        "ts_event": "2026-10-10T12:00:01.000000Z",
        "status": None,
        "text": "é",
        "bytes": "ff",
    }
    assert liq("sql", sql, "-f", "csv").output.splitlines()[:2] == [
        "event_key,ts_event,status,text,bytes",
        "0,2026-10-10T12:00:00.000000Z,,é,ff",
    ]


READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "csv": pl.read_csv, "json": pl.read_json, "jsonl": pl.read_ndjson, "ndjson": pl.read_ndjson, "parquet": pl.read_parquet,
    "arrow": pl.read_ipc, "arrows": pl.read_ipc_stream,
}  # fmt: skip


@pytest.mark.parametrize("ending", READERS)
def test_a_files_ending_chooses_the_format_and_each_is_read_by_what_reads_such_files(
    liq: Callable[..., Result], tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"out.{ending.upper()}"
    done = liq("sql", "select notional_usd, ts_event from liquidations", "-o", str(file))
    assert (done.exit_code, READERS[ending](file)["notional_usd"].sum()) == (0, 201.0)
    kind = {"ndjson": "jsonl"}.get(ending, ending)
    assert (
        liq("sql", "select notional_usd, ts_event from liquidations", "-f", kind, "-o", str(tmp_path / "out")).exit_code
        == 0
    )
    assert (tmp_path / "out").read_bytes() == file.read_bytes()
    assert {path.name for path in tmp_path.glob("*out*")} == {"out", file.name}


def test_an_ending_that_is_no_formats_or_anothers_is_a_wrong_argument(
    liq: Callable[..., Result], tmp_path: Path
) -> None:
    for name, words, told in (
        ("out.xlsx", (), "the ending is not a known format (.txt, .csv, .json"),
        ("out", (), "or use --format"),
        ("out.csv", ("-f", "json"), "has the ending of csv, but --format is json"),
    ):
        done = liq("sql", "select 1", "-o", str(tmp_path / name), *words)
        assert (done.exit_code, told in " ".join(done.stderr.split())) == (2, True)
    assert not list(tmp_path.glob("out*"))


def test_nothing_is_cut_in_a_file(liq: Callable[..., Result], tmp_path: Path) -> None:
    sql = "select i, repeat('x', 5000) || i as long from range(1000) as t(i)"
    assert liq("sql", sql, "-o", str(tmp_path / "out.txt")).exit_code == 0
    text = (tmp_path / "out.txt").read_text()
    assert all(f"{'x' * 5000}{number}" in text for number in (0, 999))
    assert "…" not in text
    command = [sys.executable, "-m", "liq", "sql", sql]
    with (tmp_path / "redirected").open("w") as file:
        subprocess.run(command, stdout=file, check=True)
    assert (tmp_path / "redirected").read_text().split() == text.split()
    piped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "the first 100 rows; --limit shows more" in piped


@pytest.mark.parametrize("sql", ["select 1", "from liquidation_totals", "from liquidations where venue = 'nowhere'"])
def test_a_query_printed_as_a_table_imports_neither_polars_nor_what_other_commands_need(
    liq: Callable[..., Result], sql: str
) -> None:
    code = f"import sys, liq; sys.argv = ['liq', 'sql', {sql!r}]\ntry: liq.main()\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    libraries = {
        "polars",
        "pyarrow",
        "numpy",
        "scipy",
        "pandas",
        "prefect",
        "matplotlib",
        "aiokafka",
        "websockets",
        "httpx",
    }
    others = {
        f"warehouse.{name}" for name in ("describe", "catalogue", "maintain", "writer", "shell", "follow", "tables")
    }
    assert {"duckdb", "warehouse.shown"} <= set(done.stdout.splitlines()[-1].split())
    assert (libraries | others).isdisjoint(done.stdout.splitlines()[-1].split())


def test_a_query_that_fails_on_the_way_leaves_the_file_as_it_was(liq: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("of before")
    sql = "select if(i < 400_000, i, error('half way')) from range(500_000) as t(i)"
    assert liq("sql", sql, "-o", str(tmp_path / "out.csv")).exit_code == 1
    assert (tmp_path / "out.csv").read_text() == "of before"
    assert [path.name for path in tmp_path.glob("*out*")] == ["out.csv"]


def test_arrow_goes_through_a_pipe_and_no_rows_are_an_empty_array(liq: Callable[..., Result]) -> None:
    command = [sys.executable, "-m", "liq", "sql", "select 1 as one", "-f", "arrow"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    assert pl.read_ipc(done.stdout).rows() == [(1,)]
    assert json.loads(liq("sql", "from liquidations limit 0", "-f", "json").output) == []


def test_a_table_says_once_that_its_times_are_utc(liq: Callable[..., Result]) -> None:
    assert "2 rows; times are UTC" in liq("sql", "select ts_event, ts_event::timestamptz from liquidations").output
    assert "UTC" not in liq("sql", "select 1").output
    zoned = "set timezone = 'America/New_York'; select ts_event::timestamp at time zone 'UTC' from liquidations"
    assert "2026-10-10 12:00:01" in liq("sql", zoned, "--unlocked").output


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("insert into liquidations (venue) values ('x')", "only reads the warehouse"),
        ("from nothing", "nothing does not exist"),
        ("selec 1", "syntax error"),
        (" -- nothing", "there is no statement to run"),
    ],
)
def test_a_wrong_statement_is_told_in_one_line_with_exit_code_1(
    liq: Callable[..., Result], statement: str, told: str
) -> None:
    done = liq("sql", statement)
    assert (done.exit_code, len(done.stderr.splitlines()), told in done.stderr) == (1, 1, True)


@pytest.mark.local("which folder is the world; test_place.py has what names PostgreSQL")
def test_a_world_without_a_warehouse_is_told_with_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path / "none"))
    done = CliRunner().invoke(app, ["sql", "select 1"])
    assert (done.exit_code, f"no warehouse in {tmp_path}/none" in done.stderr) == (1, True)


@pytest.mark.local("which folder is the world; test_place.py has what names PostgreSQL")
def test_without_liq_data_the_live_world_is_read_else_the_demo(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIQ_DATA", raising=False)
    here = tmp_path / "here"
    (here / "data").mkdir(parents=True)
    monkeypatch.chdir(here)
    with pytest.raises(NoWarehouseError, match="data/live"):
        query("select 1", reading_world()[0])
    (here / "data/demo").symlink_to(world)
    assert reading_world()[0] == here / "data/demo"
    assert "reading" in reading_world()[1]
    (here / "data/live").symlink_to(world)
    assert reading_world()[0] == here / "data/live"


def test_the_shell_answers_several_lines_ended_by_a_semicolon(liq: Callable[..., Result]) -> None:
    done = liq(
        "shell", input="select count(*) as found\nfrom liquidations;\n.tables\nfrom nothing;\n.schema ingest_commits\n"
    )
    assert done.exit_code == 0
    for told in ("found", "liquidation_totals", "nothing does not exist", "offset_next"):
        assert told in done.output


SHOWS = {
    "show tables": "funding_current", "describe liquidations": "notional_usd", "summarize liquidations": "approx_unique",
    "show all tables": "liquidation_totals", "-- all of them\nSHOW TABLES;": "liquidations",
}  # fmt: skip


def test_what_a_user_of_duckdb_types_first_works_in_every_format(world: Path, liq: Callable[..., Result]) -> None:
    with lake.open(world) as warehouse:
        for sql, told in SHOWS.items():
            for kind, held in HELD.items():
                found = run(warehouse, sql, held=held).frame()
                assert told in str(found.columns) + str(found.rows()), (sql, kind)
    assert "notional_usd" in liq("sql", "describe liquidations", "-f", "csv").stdout
    assert "funding_current" in liq("shell", input="show tables;\n").output


def test_a_file_that_is_written_is_told_with_its_rows_on_standard_error(
    liq: Callable[..., Result], tmp_path: Path
) -> None:
    for name in ("out.csv", "out.txt"):
        done = liq("sql", "from liquidations", "-o", str(tmp_path / name))
        assert (done.stdout, done.stderr) == ("", f"liq sql: 2 rows in {tmp_path / name}\n")
    assert (
        liq("sql", "select 1", "-o", str(tmp_path / "one.json")).stderr
        == f"liq sql: 1 row in {tmp_path / 'one.json'}\n"
    )


def test_the_shell_says_of_a_command_that_is_none_that_it_is_unknown(liq: Callable[..., Result]) -> None:
    typed = {
        ".foo": "no command .foo; there are .tables, .schema, .help",
        ".table": "no command .table; did you mean .tables?",
        ".tables liq": ".tables takes no name: `.schema NAME` shows the columns of one",
        ".schema": ".schema takes one name",
        ".help me": ".help takes no 'me'",
    }
    done = liq("shell", input="\n".join(typed) + "\n")
    assert done.exit_code == 0
    assert all(told in done.output for told in typed.values())
    assert "Tab completes" not in done.output


def test_schema_lists_what_there_is_and_describes_a_tables_columns(liq: Callable[..., Result]) -> None:
    assert "| view | funding_current |" in liq("schema", "--format", "markdown").output
    described = liq("schema", "liquidations", "--format", "markdown").output
    assert "| notional_usd | DOUBLE | USD |" in described
    assert "| usd | DOUBLE |" in liq("schema", "liquidation_totals", "--format", "markdown").output
    assert liq("schema", "nothing").exit_code == 2


def test_maintain_says_what_it_did(liq: Callable[..., Result]) -> None:
    done = liq("maintain", "--keep-files-h", "0")
    assert (done.exit_code, "files joined" in done.output) == (0, True)


def test_moments_are_utc_in_every_time_zone(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    clock = query("SELECT as_of() AS now", world)["now"][0]
    assert abs((datetime.utcnow() - clock).total_seconds()) < 60  # noqa: DTZ003 the same kind of naive UTC
