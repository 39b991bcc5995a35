"""`import liq`: the same names give the same rows on this machine and over HTTP; the tour runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

import liq
from pipelines.client.asking import Asking
from tests.pipelines.serve.conftest import BEGAN, Served, served_world, service  # noqa: F401 - the first is a fixture
from warehouse.errors import NoWarehouseError

TOKEN = "a token of the tests"
TOUR = Path(__file__).parents[2] / "pipelines" / "client" / "tour.ipynb"


@pytest.fixture(scope="module")
def running(served_world: Path) -> Iterator[Served]:  # noqa: F811
    """A service with a token, that gives at most 120 rows at once."""
    with service(served_world, LIQ_SERVE_TOKEN=TOKEN, LIQ_SERVE_ROWS="120") as found:
        yield found


@pytest.fixture(scope="module")
def both(running: Served) -> Iterator[tuple[Asking, Asking]]:
    """The same world, here and over HTTP."""
    with liq.connect(running.world) as here, liq.connect(str(running.client.base_url), token=TOKEN) as there:
        yield here, there


def test_totals_are_the_same_here_and_there(both: tuple[Asking, Asking]) -> None:
    found = [each.totals("BTC", hours=1) for each in both]
    assert found[0].equals(found[1])
    assert set(found[0]["base"]) == {"BTC"}
    assert found[0]["count"].sum() == 200
    assert [each.meta["lower_bound"] for each in both if each.meta] == [True, True]


def test_liquidations_come_whole_however_many_pages_they_are(both: tuple[Asking, Asking]) -> None:
    found = [each.liquidations(since=BEGAN, until=BEGAN + timedelta(seconds=290)) for each in both]
    assert found[0].equals(found[1])
    assert found[0].height == 290
    assert found[0]["ts_event"].is_sorted(descending=True)
    assert [each.meta["rows"] for each in both if each.meta] == [290, 290]


def test_what_is_asked_for_is_what_comes(both: tuple[Asking, Asking]) -> None:
    for each in both:
        assert each.liquidations(since="1d", limit=130).height == 130
        assert set(each.liquidations("eth", since="1d", venue="okx")["base"]) == {"ETH"}
        assert each.liquidations(since="1m").height == 0
        assert each.view("largest", hours=24, number=3)["usd"].to_list() == [399.0, 398.0, 397.0]
        assert each.view("liquidation_totals", base=["BTC", "ETH"], hours=1, columns="base").columns == ["base"]
        assert each.sql("SELECT count(*) AS n FROM liquidations").item() == 300
        assert each.brief("btc")["base"] == "BTC"
        assert each.validate("BTC/USDT:USDT", since="1h", until="0m")
    assert both[0].views() == both[1].views()


def test_what_is_wrong_is_said_alike(both: tuple[Asking, Asking]) -> None:
    for ask in (
        lambda each: each.view("liquidation_total"),
        lambda each: each.view("liquidation_totals", base="BTCC"),
        lambda each: each.view("liquidation_totals", bas="BTC"),
        lambda each: each.totals(hours="x"),
        lambda each: each.liquidations(since="soon"),
        lambda each: each.sql("SELEC 1"),
        lambda each: each.brief("nothing"),
    ):
        said = []
        for each in both:
            with pytest.raises(liq.AskError) as caught:
                ask(each)
            said.append(str(caught.value))
        assert said[0] == said[1] != ""
    with pytest.raises(liq.AskError, match="no more than 120 rows"):
        both[1].sql("FROM liquidations")


def test_answers_are_of_the_kind_that_is_asked_for(served_world: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setenv("LIQ_DATA", str(served_world))
    assert isinstance(liq.liquidations(since="1d"), pl.DataFrame)
    rows = liq.totals("BTC", hours=1, to="arrow")
    assert isinstance(rows, pa.Table)
    assert pa.types.is_timestamp(liq.liquidations(since="1d", to="arrow").schema.field("ts_event").type)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(liq.AskError, match="pip install pandas"):
        liq.totals(to="pandas")
    with pytest.raises(ValueError, match="polars, pandas or arrow"):
        liq.connect(to="numpy")


def test_who_is_not_let_in_or_asks_nobody_is_told_so(running: Served, tmp_path: Path) -> None:
    with (
        liq.connect(str(running.client.base_url), token="another") as there,
        pytest.raises(liq.AskError, match="token"),
    ):
        there.totals()
    with liq.connect("http://127.0.0.1:1") as nobody, pytest.raises(liq.AskError, match="does not answer"):
        nobody.totals()
    with pytest.raises(NoWarehouseError):
        liq.connect(tmp_path)
    with pytest.raises(ValueError, match="address of a service"):
        liq.connect(tmp_path, token="x")


def test_a_locked_connection_has_everything_by_its_name(served_world: Path) -> None:  # noqa: F811
    with liq.connect(served_world) as here:
        assert here.duckdb.sql("SELECT count(*) FROM liquidations").fetchall() == [(300,)]
        assert here.duckdb.sql("FROM totals(24)").fetchall()
        with pytest.raises(Exception, match="read-only"):
            here.duckdb.execute("DELETE FROM liquidations")


def test_every_cell_of_the_tour_runs(served_world: Path, tmp_path: Path) -> None:  # noqa: F811
    cells = json.loads(TOUR.read_text())["cells"]
    code = ["".join(each["source"]) for each in cells if each["cell_type"] == "code"]
    assert len(code) > 8
    assert all(each["outputs"] == [] for each in cells if each["cell_type"] == "code")
    script = tmp_path / "tour.py"
    script.write_text("\n".join(code) + "\nassert totals.height and latest.height and brief['trust'] and verdict\n")
    env = {**os.environ, "LIQ_DATA": str(served_world)}
    done = subprocess.run([sys.executable, str(script)], env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
