"""Which world a command works in: one rule, and one line where another could have been meant."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from liq import app
from tests.warehouse.made import copied
from warehouse import worlds

Here = Callable[..., Path]


@pytest.fixture
def here(tmp_path_factory: pytest.TempPathFactory, made_once: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """Return a maker of a folder to work in that has these worlds below data/, each with an empty warehouse."""

    def make(*names: str) -> Path:
        folder = tmp_path_factory.mktemp("here")
        for name in names:
            copied(made_once, folder / "data" / name)
        monkeypatch.delenv("LIQ_DATA", raising=False)
        monkeypatch.chdir(folder)
        return folder

    return make


def _liq(*words: str) -> Result:
    return CliRunner().invoke(app, words, prog_name="liq")


def test_liq_data_is_the_world_whatever_else_there_is(here: Here, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here("live", "demo")
    monkeypatch.setenv("LIQ_DATA", str(world))
    assert worlds.reading_world() == (world, "")


@pytest.mark.parametrize(
    ("there", "read", "told"),
    [
        ((), "live", ""),
        (("live",), "live", ""),
        (("demo",), "demo", "liq: reading data/demo, as there is no data/live yet; LIQ_DATA chooses another\n"),
        (("live", "demo"), "live", "liq: reading data/live, not the demo's: LIQ_DATA=data/demo reads that\n"),
    ],
)
def test_without_liq_data_it_is_the_live_one_else_the_demos_and_the_choice_is_one_line(
    here: Here, there: tuple[str, ...], read: str, told: str
) -> None:
    folder = here(*there)
    assert worlds.reading_world()[0] == folder / "data" / read
    for words in (("sql", "select 1"), ("maintain",), ("rollup",), ("verify",), ("schema", "-f", "markdown")):
        done = _liq(*words)
        assert done.stderr.startswith(told), words
        assert len(done.stderr.splitlines()) == bool(told) + (done.exit_code != 0), words
    assert "LIQ_DATA" not in os.environ


def test_a_live_world_that_has_no_warehouse_yet_is_the_one_that_is_meant(here: Here) -> None:
    folder = here("demo")
    (folder / "data/live/spool").mkdir(parents=True)
    assert worlds.reading_world()[0] == folder / "data/live"


def test_status_of_a_demo_that_has_ended_asks_for_no_broker(here: Here) -> None:
    folder = here("demo")
    (folder / "data/demo/.demo").touch()
    done = _liq("status")
    assert "has ended and stopped all its parts" in done.stdout
    assert not any(word in done.stdout for word in ("broker", "Kafka", "ingest", "data/live"))
    assert (done.exit_code, (folder / "data/live").exists()) == (0, False)


def test_what_status_says_to_do_names_the_world_that_was_read(here: Here) -> None:
    here("demo")
    told = " ".join(_liq("status").stdout.split())
    assert "`LIQ_DATA=data/demo liq broker start` starts one" in told
    assert "`liq" not in told


def test_flows_run_without_a_warehouse_is_one_line(here: Here) -> None:
    folder = here()
    done = _liq("flows", "run")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert "no warehouse in" in done.stderr
    assert not (folder / "data").exists()
