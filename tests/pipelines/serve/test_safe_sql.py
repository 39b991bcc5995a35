"""`liq sql --safe`: SQL of others on one's own machine, in the sandbox of the service."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from liq import app


@pytest.fixture
def safe(served_world: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("LIQ_DATA", str(served_world))
    return monkeypatch


def sql(*words: str) -> Result:
    return CliRunner().invoke(app, ["sql", "--safe", *words])


def test_a_query_is_answered_as_without_it(safe: pytest.MonkeyPatch, tmp_path: Path) -> None:
    query = "FROM liquidations ORDER BY event_key"
    assert "300 rows" in sql(query, "-o", str(tmp_path / "safe.parquet")).stderr
    CliRunner().invoke(app, ["sql", query, "-o", str(tmp_path / "plain.parquet")])
    assert pl.read_parquet(tmp_path / "safe.parquet").equals(pl.read_parquet(tmp_path / "plain.parquet"))
    shown = [CliRunner().invoke(app, ["sql", *more, f"{query} LIMIT 3"]).stdout for more in ((), ("--safe",))]
    assert shown[0] == shown[1] != ""


def test_what_plain_sql_reads_of_the_lakes_files_is_refused(safe: pytest.MonkeyPatch, served_world: Path) -> None:
    reading = f"FROM glob('{served_world}/lake/files/**/*.parquet')"
    assert CliRunner().invoke(app, ["sql", reading]).exit_code == 0
    done = sql(reading)
    assert (done.exit_code, done.stderr) == (1, "liq sql: the function glob is not allowed here\n")


def test_the_limits_of_the_service_hold(safe: pytest.MonkeyPatch) -> None:
    safe.setenv("LIQ_SERVE_SQL_S", "2")
    safe.setenv("LIQ_SERVE_ROWS", "5")
    late = sql("SELECT max(a.range * b.range) FROM range(1000000) a, range(1000000) b")
    assert (late.exit_code, "took longer than 2 s" in late.stderr) == (1, True)
    assert (
        "more memory than is allowed" in sql("SELECT count(*) FROM range(10000000000) a, range(10000000000) b").stderr
    )
    cut = sql("FROM range(100)", "--format", "csv")
    assert (len(cut.stdout.splitlines()), "only the first 5 rows" in cut.stderr) == (6, True)


@pytest.mark.parametrize("more", ["--unlocked", "--follow"])
def test_it_goes_with_nothing_that_opens_the_warehouse(safe: pytest.MonkeyPatch, more: str) -> None:
    assert sql("FROM liquidations", more).exit_code == 2
