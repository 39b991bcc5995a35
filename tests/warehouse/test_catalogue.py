"""The catalogue of views and macros: `liq views` and sql/README.md."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from liq import app
from warehouse.catalogue import SUBJECTS, catalogue, columns, subject, update
from warehouse.statements import Statement, statements

README = Path(__file__).parents[2] / "sql/README.md"


def _liq(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_readme_has_todays_catalogue(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text())
    assert not update(copy), "sql/README.md is stale: run `make docs`"


def test_update_replaces_the_catalogue_alone_and_wants_its_marks(tmp_path: Path) -> None:
    stale = tmp_path / "README.md"
    stale.write_text(README.read_text().replace("| `liquidation_totals` |", "| `gone` |"))
    assert (_liq("views", "--update", str(stale)).exit_code, stale.read_text()) == (0, README.read_text())
    stale.write_text("no marks")
    assert _liq("views", "--update", str(stale)).exit_code == 1
    assert stale.read_text() == "no marks"


def test_views_lists_every_view_and_macro_with_its_purpose_and_parameters() -> None:
    told = _liq("views").output
    for found in statements():
        assert found.name in told
        assert found.purpose in told
    for bars in ("liquidations_1d", "liquidation_cells_15m", "prices_1h", "open_interest_1h"):
        assert f"{bars} " in told
    assert "heatmap(instrument, since, price_bin := 0, time_bin := INTERVAL 15 MINUTES, at_market := false)" in told


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_views_of_a_name_shows_head_columns_and_sql(format: str) -> None:
    told = _liq("views", "totals", "--format", format).output
    for part in ("totals(hours)", "Grain: one row per base and venue", "complete_usd", "FROM liquidations_filled_in"):
        assert part in told
    assert _liq("views", "nothing").exit_code == 2
    assert "`liq schema prices_1d`" in _liq("views", "prices_1d").output


@pytest.mark.parametrize("view", [found.name for found in statements() if found.kind == "view"])
def test_the_columns_of_a_view_are_known_without_a_warehouse(view: str) -> None:
    assert columns(view).height


def test_subjects_are_in_order_and_a_head_may_say_its_own() -> None:
    order = [entry.subject for entry in catalogue()]
    listed = list(dict.fromkeys(order))
    assert [about for about in SUBJECTS if about in listed] == [about for about in listed if about in SUBJECTS]
    assert order == sorted(order, key=listed.index)
    found = {one.name: one for one in statements()}
    made = Statement("macro", "anything", "(x)", "", "Reads funding_current, klines. Grain: one row.", "")
    assert subject(made, found) == "Funding"
    assert subject(made._replace(notes="Subject: Ratios. Reads klines."), found) == "Ratios"


@pytest.mark.parametrize("arguments", ["sql 'from range(20000)' --limit 20000", "sql 'from range(9)'", "views"])
def test_a_reader_that_stops_reading_ends_the_command_quietly(world: Path, arguments: str) -> None:
    command = f'LIQ_DATA={world} {sys.executable} -m liq {arguments} | true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=README.parents[1])
    assert (done.stdout, done.stderr) == ("0\n", "")
