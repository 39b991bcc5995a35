"""`liq position` shows the clusters of estimated levels, how old they are, and a stop outside them."""

import pytest

from tests.pipelines.position.conftest import LONG, Liq, keep, levels, mark, moment, told
from warehouse.lake import Lake


def test_levels_that_the_price_has_passed_since_the_map_are_in_no_cluster_and_move_no_stop(
    liq: Liq, world: Lake
) -> None:
    levels(world, 2)
    mark(world, 64_000.0)
    found = told(liq(*LONG, "--venue", "binance", "-f", "json"))
    assert found["mark_price"] == 64_000
    assert all(cluster["price_high"] <= 64_000 for cluster in found["clusters"] if cluster["position_side"] == "long")
    assert "70,000" not in found["stop"]["reason"]
    mark(world, 67_000.0)  # back: what the price has passed stays passed
    (cluster,) = told(liq(*LONG, "--venue", "binance", "-f", "json"))["clusters"]
    assert (cluster["position_side"], cluster["price_low"]) == ("short", 73_000)


def test_a_map_that_is_too_old_is_called_stale_wherever_the_answer_stands_on_it(liq: Liq, world: Lake) -> None:
    levels(world, 90)
    found = told(liq(*LONG, "--venue", "binance", "-f", "json"))
    assert found["levels_stale"].startswith("the map is 1 h 30 min old, the newest price is 3 min old")
    assert "by a STALE map" in found["stop"]["reason"]
    assert any("STALE" in source["source"] for source in found["sources"])
    shown = liq(*LONG, "--venue", "binance").stdout
    assert "STALE: the map is 1 h 30 min old" in shown
    assert "liq levels estimate" in shown


def test_predicted_levels_give_clusters_and_a_stop_outside_them(liq: Liq, world: Lake) -> None:
    levels(world, 1)
    older = {
        "ts": moment(world, 60),
        "base": "BTC",
        "position_side": "long",
        "leverage": 10.0,
        "price": 67_025.0,
        "bin": 1340,
    }
    keep(world, [older | {"price_low": 67_000.0, "price_high": 67_050.0, "price_now": 68_000.0, "usd_estimated": 1e9}])
    found = told(liq(*LONG, "--venue", "binance", "-f", "json"))
    assert found["levels_stale"] is None
    (cluster,) = (each for each in found["clusters"] if each["position_side"] == "long")
    assert cluster["price_low"] <= 64_250 < 64_430 <= cluster["price_high"]
    assert found["stop"]["price"] is not None
    assert not cluster["price_low"] <= found["stop"]["price"] <= cluster["price_high"]
    assert found["liquidation_price"] < found["stop"]["price"] < 68_000
    shown = liq(*LONG, "--venue", "binance")
    for text in ("predicted clusters", "a stop at", "predicted levels: BTC, estimated"):
        assert text in shown.stdout


SHORT = ("short", "BTC/USDT:USDT", "--venue", "binance", "--entry", "68000", "--size", "1", "--leverage", "4")


@pytest.mark.parametrize("within", ["0.08", "0.1", "0.2"])
def test_clusters_are_those_of_the_view_whole_whatever_the_window_and_the_stop_is_beyond(
    liq: Liq, world: Lake, within: str
) -> None:
    levels(world, 1)
    columns = "position_side, price_low, price_high, peak_price, usd_estimated, share, distance"
    view = world.connection.execute(
        f"SELECT {columns} FROM liquidation_clusters WHERE position_side = 'short'"
    ).fetchall()
    found = told(liq(*SHORT, "--within", within, "--stop", "75000", "-f", "json"))
    (cluster,) = (each for each in found["clusters"] if each["position_side"] == "short")
    assert [tuple(cluster.values())] == [pytest.approx(row) for row in view]
    assert (cluster["price_low"], cluster["price_high"]) == (73_000, 78_000)
    assert cluster["price_low"] <= cluster["peak_price"] <= cluster["price_high"]
    assert found["stop"]["price"] == pytest.approx(78_068)
    assert "the cluster 73,000 to 78,000" in found["stop"]["reason"]


def test_a_table_that_the_venue_gives_to_accounts_only_says_that_it_may_be_out_of_date(liq: Liq) -> None:
    shown = " ".join(liq(*LONG, "--venue", "binance").stdout.split())
    assert "of 2021-03-18 09:00:00 UTC; binance gives newer ones only to accounts, so it may be out of date" in shown
    assert "not heard since" not in shown
