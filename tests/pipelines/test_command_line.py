"""What every command of `liq` has: help, errors in one line, exit codes, times."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import duckdb
import pytest
import typer
from aiokafka.errors import KafkaTimeoutError
from typer.testing import CliRunner, Result

from collectors.errors import BrokerError, ConfigurationError
from collectors.terminal import moment
from liq import PARTS, Liq, app, composed
from pipelines.commands.command_line import Command
from pipelines.commands.summaries import SUMMARIES
from pipelines.errors import InvalidPositionError, UsageError
from warehouse.errors import NoWarehouseError

ROOT = Path(__file__).parents[2]


def liq(*words: str, columns: int = 80) -> Result:
    return CliRunner().invoke(app, words, prog_name="liq", terminal_width=columns)


def commands() -> list[tuple[str, ...]]:
    """Return every command and group, as typed."""
    found: list[tuple[str, ...]] = []
    groups = [((), typer.main.get_command(app))]
    while groups:
        words, group = groups.pop()
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            found.append((*words, name))
            if hasattr(command, "commands"):
                groups.append(((*words, name), command))
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_help_is_of_whole_lines_and_names_values_as_people_do(words: tuple[str, ...]) -> None:
    done = liq(*words, "--help")
    assert (done.exit_code, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not re.search(r"<\w+|x>=|list\[|%Y|\{", done.stdout)


def test_a_paragraph_of_help_fills_the_width() -> None:
    narrow, wide = (liq("ingest", "--help", columns=width).stdout for width in (60, 120))
    assert max(map(len, narrow.splitlines())) <= 60
    assert "on the server that PREFECT_API_URL names or a temporary one; with --follow it runs" in wide


def test_help_lists_every_command_under_a_heading() -> None:
    named = {name for names in Liq.panels.values() for name in names}
    assert named == {words[0] for words in commands() if len(words) == 1}
    assert "\nCommands:" not in liq("--help").stdout


def test_every_since_and_until_is_given_alike() -> None:
    for words in commands():
        shown = liq(*words, "--help").stdout
        for option in ("--since", "--until"):
            assert option + " " not in shown or re.search(rf"^  {option} TIME ", shown, re.MULTILINE), words


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["colect"], "liq: No such command 'colect'. Did you mean 'collect'?"),
        (["levels", "estimat"], "liq levels: No such command 'estimat'. Did you mean 'estimate'?"),
        (["sql", "--formt", "csv"], "liq sql: No such option: --formt (Possible options: --format)"),
        (["sql"], "liq sql: Missing argument 'STATEMENT'."),
        (["sql", "x", "--format", "xml"], "liq sql: Invalid value for '--format' / '-f': 'xml' is not one of 'table'"),
        (["audit", "--since", "soon"], "liq audit: Invalid value for '--since': soon is not a time: say 2026-10-01"),
        (["collect", "okx", "--symbols", "3"], "liq collect: --symbols goes with --plan"),
        (["flows", "run", "nothing"], "liq flows run: no flow nothing; known: refresh"),
    ],
)
def test_what_is_typed_wrong_is_told_in_one_line_with_exit_code_2(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIQ_DATA", str(tmp_path))
    done = liq(*words)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.lower().startswith(told.lower())


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigurationError("LIQ_X=3: no"), 2, "liq it: LIQ_X=3: no"),
        (UsageError("no flow x"), 2, "liq it: no flow x"),
        (BrokerError("no Java"), 1, "liq it: no Java"),
        (NoWarehouseError("none"), 1, "liq it: none"),
        (InvalidPositionError("too thin"), 1, "liq it: this position cannot be: too thin"),
        (KafkaTimeoutError(), 1, "liq it: Kafka: KafkaTimeoutError: KafkaTimeoutError"),
        (PermissionError(13, "Permission denied", "/data"), 1, "liq it: /data: Permission denied"),
        (OSError(28, "No space left on device"), 1, "liq it: No space left on device"),
        (duckdb.IOException("IO Error: it broke\n\nLINE 1: SELECT"), 1, "liq it: IO Error: it broke"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_ends_a_command_with_a_line_and_an_exit_code(error: BaseException, code: int, told: str) -> None:
    alone = typer.Typer(cls=Liq, rich_markup_mode=None)
    alone.callback()(lambda: None)

    @alone.command(cls=Command)
    def it() -> None:
        raise error

    done = CliRunner().invoke(alone, ["it"], prog_name="liq")
    assert (done.exit_code, done.stderr) == (code, told + "\n" if told else "")


def test_liq_alone_prints_its_help_and_ends_with_2() -> None:
    assert (liq().exit_code, liq().stderr) == (2, liq("--help").stdout)


def test_the_version_is_the_packages() -> None:
    assert liq("--version").stdout == f"liq {version('liquidation-warehouse')}, DuckDB {version('duckdb')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there(shell: str) -> None:
    done = CliRunner().invoke(app, [], prog_name="liq", env={"_LIQ_COMPLETE": f"source_{shell}"})
    assert (done.exit_code, "_LIQ_COMPLETE" in done.stdout) == (0, True)


def test_a_time_is_a_date_a_time_or_so_long_ago() -> None:
    assert moment("2026-10-01") == datetime(2026, 10, 1)  # noqa: DTZ001
    assert moment("2026-10-01T12:00") == moment("2026-10-01 12:00:00") == moment("2026-10-01T14:00+02:00")
    now = datetime.now(UTC).replace(tzinfo=None)
    for given, ago in (("30d", timedelta(days=30)), ("12h", timedelta(hours=12)), ("90m", timedelta(minutes=90))):
        assert abs(now - ago - moment(given)) < timedelta(minutes=1)


@pytest.mark.parametrize("given", ["", "yesterday", "2026-13-01", "30", "-1d", "999999d", "30D"])
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a time: say 2026-10-01"):
        moment(given)


def test_a_full_disk_and_a_closed_pipe_are_no_tracebacks() -> None:
    command = [sys.executable, "-m", "liq", "views"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "liq views: No space left on device\n")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_command_is_composed_alone_as_with_all_others() -> None:
    """A command that no part names is found with all parts, only later."""
    everything = typer.main.get_command(app)
    for names in PARTS:
        for name in names:
            alone = typer.main.get_command(composed(name))
            assert set(alone.commands) >= {name}  # type: ignore[attr-defined]
            assert set(alone.commands) < set(everything.commands)  # type: ignore[attr-defined]
            said = [CliRunner().invoke(one, [name, "--help"], prog_name="liq").output for one in (composed(name), app)]
            assert said[0] == said[1]


@pytest.mark.parametrize(
    ("command", "without"),
    [
        ("collect", ("polars", "pyarrow", "duckdb", "numpy", "matplotlib", "prefect")),
        ("simulate", ("polars", "pyarrow", "duckdb", "matplotlib", "prefect")),
        ("broker", ("polars", "pyarrow", "duckdb", "numpy", "matplotlib", "prefect")),
        ("backfill", ("polars", "pyarrow", "duckdb", "numpy", "matplotlib", "prefect")),
        ("ingest", ("matplotlib", "prefect", "websockets", "uvicorn", "fastapi", "sqlalchemy", "jgo")),
        (
            "parse",
            ("matplotlib", "prefect", "websockets", "uvicorn", "fastapi", "sqlalchemy", "jgo"),
        ),
        ("sql", ("matplotlib", "prefect", "websockets", "uvicorn", "aiokafka.consumer")),
    ],
)
def test_a_process_holds_no_library_that_its_command_does_not_use(command: str, without: tuple[str, ...]) -> None:
    code = f"import sys; from liq import composed; composed({command!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(without)


def test_ingest_itself_imports_only_what_it_reads_and_writes_with() -> None:
    code = "import sys; import pipelines.ingest.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unused = {
        "matplotlib",
        "prefect",
        "httpx",
        "rich",
        "typer",
        "websockets",
        "fastapi",
        "uvicorn",
        "sqlalchemy",
        "jgo",
        "orjson",
    }
    assert unused.isdisjoint(done.stdout.split())


def test_the_list_of_commands_says_what_each_command_says() -> None:
    commands = typer.main.get_command(composed()).commands  # type: ignore[attr-defined]
    assert {name: each.get_short_help_str(200) for name, each in commands.items()} == SUMMARIES


def test_help_loads_none_of_what_commands_need() -> None:
    heavy = "polars", "pyarrow", "prefect", "matplotlib", "aiokafka", "duckdb"
    asked = (
        "import sys, liq; sys.argv = ['liq', '--help']\n"
        f"try: liq.main()\nexcept SystemExit: pass\nprint([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
