"""`liq position`: with no warehouse, with one, with files; and why it refuses."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from liq import app
from pipelines.columns.contracts import static_tiers
from pipelines.columns.contracts.instruments import Instruments
from warehouse import lake, writer
from warehouse.lake import Lake
from warehouse.tables import TABLES

LONG = ("long", "BTC/USDT:USDT", "--entry", "67000", "--size", "1", "--leverage", "10")
Liq = Callable[..., Result]


@pytest.fixture
def liq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Liq:
    """Run `liq position` in a world that may or may not have a warehouse."""
    monkeypatch.setenv("LIQ_DATA", str(tmp_path / "world"))
    return lambda *words: CliRunner().invoke(app, ["position", *words])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_without_a_warehouse_a_rate_is_enough(liq: Liq) -> None:
    found = told(liq(*LONG, "--mmr", "0.004", "--format", "json"))
    assert round(found["liquidation_price"], 2) == 60_542.17
    assert (found["distance_from"], found["mark_price"], found["clusters"], found["stop"]) == (
        "entry",
        None,
        None,
        None,
    )
    assert found["distance"] == pytest.approx(-0.0964, abs=1e-4)
    assert any("there is no warehouse" in note for note in found["notes"])


def test_as_a_table_it_says_the_price_its_distance_and_every_change(liq: Liq) -> None:
    changes = ("--add-margin", "500", "--close", "0.4", "--hold", "3d", "--funding-rate", "0.0001")
    result = liq(*LONG, "--mmr", "0.004", *changes)
    assert result.exit_code == 0, result.stderr
    for text in ("60,542.17", "-9.64% from entry", "bankruptcy price", "with 500 more margin", "with 0.4 closed at 67,000",
                 "after 72 h: 9 x 0.010000% of funding, 60.3 paid", "margin table: one rate, as given"):  # fmt: skip
        assert text in result.stdout


def test_binances_own_static_table_is_used_where_nothing_is_given_and_its_date_is_told(liq: Liq) -> None:
    found = told(liq(*LONG, "--venue", "binance", "-f", "json"))
    assert (found["tier_at_entry"]["number"], found["tier_at_liquidation"]["max_leverage"]) == (2, 100)
    (source,) = found["sources"]
    assert source["at"] == "2021-03-18T09:00:00"
    assert "static" in source["source"]


def test_bybits_inverse_contracts_take_the_maintenance_margin_of_entry_and_others_that_of_the_mark(liq: Liq) -> None:
    words = (
        "long",
        "BTC/USD:BTC",
        "--entry",
        "50000",
        "--size",
        "10000",
        "--leverage",
        "10",
        "--mmr",
        "0.005",
        "-f",
        "json",
    )
    assert round(told(liq(*words, "--venue", "bybit"))["liquidation_price"], 2) == 45_662.10
    assert round(told(liq(*words, "--venue", "binance"))["liquidation_price"], 2) == 45_681.82
    own = told(liq(*words, "--venue", "binance", "--maintenance-at", "entry"))
    assert round(own["liquidation_price"], 2) == 45_662.10
    assert told(liq(*words))["settle"] == "BTC"


def test_cross_takes_the_balance_and_the_others(liq: Liq) -> None:
    words = ("long", "BTC/USDT:USDT", "--entry", "60000", "--size", "1", "--mmr", "0.01", "--cross", "--balance", "10000",
             "--other-maintenance", "800", "--other-profit", "-500", "-f", "json")  # fmt: skip
    found = told(liq(*words))
    assert found["position"]["margin"] == 8_700
    assert found["liquidation_price"] == pytest.approx((60_000 - 8_700) / 0.99)


ANSWERS = {
    "binance": """[{"symbol":"ETHUSDT","brackets":[{"bracket":1,"initialLeverage":75,"notionalFloor":0,
        "notionalCap":100000,"maintMarginRatio":0.01,"cum":0}]}]""",
    "bybit": """{"retCode":0,"result":{"category":"linear","list":[{"symbol":"ETHUSDT","riskLimitValue":"100000",
        "maintenanceMargin":"0.01","initialMargin":"0.02","maxLeverage":"50","mmDeduction":""}]}}""",
    "okx": """{"code":"0","data":[{"tier":"1","minSz":"0","maxSz":"5000","mmr":"0.01","imr":"0.02","maxLever":"50",
        "instFamily":"ETH-USDT"}]}""",
}


@pytest.mark.parametrize("venue", ANSWERS)
def test_a_venues_own_answer_is_a_margin_table(liq: Liq, tmp_path: Path, venue: str) -> None:
    file = tmp_path / "answer.json"
    file.write_text(ANSWERS[venue])
    words = (
        "short",
        "ETH/USDT:USDT",
        "--venue",
        venue,
        "--entry",
        "3000",
        "--size",
        "2",
        "--leverage",
        "20",
        "-f",
        "json",
    )
    lot = ("--contract-size", "0.1") if venue == "okx" else ()
    assert told(liq(*words, "--tiers", str(file), *lot))["liquidation_price"] == pytest.approx(3_150 / 1.01)
    other = liq("short", "SOL/USDT:USDT", *words[2:], "--tiers", str(file))
    assert (other.exit_code, "has no margin table of SOL/USDT:USDT; it has ETH" in other.stderr) == (2, True)


def test_a_table_laid_out_as_the_packages_own_is_read_too(liq: Liq, tmp_path: Path) -> None:
    file = tmp_path / "tiers.csv"
    file.write_text(
        "venue,symbol,valid_from,tier,floor,cap,unit,maintenance_margin_rate,max_leverage,deduction\n"
        "okx,XUSDT,2026-01-01,1,0,,quote,0.5,1,0\n"
        "binance,BTCUSDT,2020-01-01,1,0,,quote,0.5,1,0\n"
        "binance,BTCUSDT,2026-01-01,1,0,,quote,0.004,125,0\n"
    )
    found = told(liq(*LONG, "--venue", "binance", "--tiers", str(file), "-f", "json"))
    assert round(found["liquidation_price"], 2) == 60_542.17


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((*LONG, "--mmr", "0.1"), 1, "10.0000% is not below the initial margin of 10x"),
        ((*LONG[:-1], "500", "--venue", "binance"), 1, "no such leverage: 500x is above the 100x of tier 2"),
        ((*LONG[:-1], "0", "--mmr", "0.004"), 1, "leverage 0 is not above zero"),
        ((*LONG, "--mmr", "0.004", "--margin", "-1"), 1, "margin -1 is not above"),
        ((*LONG, "--mmr", "0.004", "--close", "2"), 1, "closing 2 of 1 leaves no position"),
        (LONG, 2, "no --venue is named: give --mmr or --tiers"),
        ((*LONG, "--venue", "bybit"), 2, "no margin table of BTC/USDT:USDT is known of bybit"),
        ((*LONG, "--venue", "mtgox"), 2, "no venue 'mtgox'; known: binance, bybit, okx"),
        (("long", "BITCOIN", *LONG[2:], "--mmr", "0.01"), 2, "no such contract: 'BITCOIN'"),
        ((*LONG[:-2], "--mmr", "0.01"), 2, "give --leverage, or --margin, or --cross"),
        ((*LONG, "--cross", "--mmr", "0.01"), 2, "--cross takes --balance"),
        ((*LONG, "--balance", "5", "--mmr", "0.01"), 2, "go with --cross"),
        ((*LONG, "--mmr", "0.004", "--hold", "soon"), 2, "'soon' is no time"),
        ((*LONG, "--deduction", "5"), 2, "--deduction goes with --mmr"),
        ((*LONG, "--tiers", "nowhere.csv", "--venue", "okx"), 2, "nowhere.csv cannot be read as margin tables"),
        ((*LONG, "--tiers", "nowhere.csv"), 2, "name the venue with --venue"),
        ((*LONG, "--mmr", "0.01", "--maintenance-at", "entry"), 2, "is for inverse contracts"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_with_the_reason(
    liq: Liq, words: tuple[str, ...], code: int, told: str
) -> None:
    result = liq(*words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def rows(table: str, *given: dict[str, Any]) -> pl.DataFrame:
    wanted = TABLES[table].schema
    return pl.DataFrame([dict.fromkeys(wanted) | row for row in given], wanted)


@pytest.fixture
def world(empty_world: Path, tmp_path: Path, liq: Liq) -> Iterator[Lake]:
    """A warehouse that knows one contract of Binance, and one of OKX of ten coins a contract."""
    shutil.copytree(empty_world / "lake", tmp_path / "world" / "lake")
    own = {"venue": "binance", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC"}
    pepe = {
        "venue": "okx",
        "symbol": "PEPE-USDT-SWAP",
        "instrument": "PEPE/USDT:USDT",
        "base": "PEPE",
        "multiplier": 1000,
    }
    with lake.open(tmp_path / "world", read_only=False) as warehouse:
        found = warehouse.connection.execute("SELECT as_of()").fetchone()
        assert found
        now = found[0] - timedelta(minutes=3)
        heard = {"valid_from": now - timedelta(days=1), "ts_recv": now, "source": "live"}
        contract = heard | {"contract": "linear", "kind": "perpetual", "multiplier": 1, "settle": "USDT", "quote": "USDT",
                            "status": "TRADING"}  # fmt: skip
        seen = {"ts": now, "ts_event": now, "source": "live"}
        writer.append(warehouse, {
            "instruments": rows("instruments", contract | own | {"contract_size": 1.0, "family": "BTCUSDT"},
                                contract | pepe | {"contract_size": 10.0, "family": "PEPE-USDT"}),
            "leverage_tiers": pl.concat([static_tiers.with_static(Instruments(), now)[1], rows(
                "leverage_tiers", heard | {"venue": "okx", "symbol": "PEPE-USDT", "tier": 1, "floor": 0.0, "unit": "contract",
                                           "maintenance_margin_rate": 0.01, "max_leverage": 50.0})]),
            "mark_prices": rows("mark_prices", own | seen | {"mark_price": 68_000.0, "multiplier": 1},
                                pepe | seen | {"mark_price": 0.00002}),
            "funding_rates": rows("funding_rates", own | seen | {
                "funding_rate": 0.0002, "interval_hours": 8.0, "next_funding_ts": now + timedelta(hours=2)}),
        })  # fmt: skip
        yield warehouse


def test_a_warehouse_gives_table_mark_and_funding_and_the_answer_says_of_when(liq: Liq, world: Lake) -> None:
    found = told(liq(*LONG, "--venue", "binance", "--hold", "24h", "-f", "json"))
    assert (found["mark_price"], found["distance_from"], found["symbol"]) == (68_000, "mark", "BTCUSDT")
    assert found["distance"] == pytest.approx(found["liquidation_price"] / 68_000 - 1)
    assert found["tier_at_entry"]["number"] == 2
    (held,) = found["effects"]
    assert held["change"] == "after 24 h: 3 x 0.020000% of funding, 40.8 paid"
    assert {source["what"] for source in found["sources"]} == {"margin table", "mark price", "funding"}
    assert all(source["at"] for source in found["sources"])
    assert found["notes"] == ["the warehouse has no predicted levels of BTC/USDT:USDT"]


def test_what_is_given_goes_before_the_warehouse(liq: Liq, world: Lake) -> None:
    own = ("--mmr", "0.004", "--mark", "66000", "--funding-rate", "0.001", "--hold", "8h")
    found = told(liq(*LONG, "--venue", "binance", *own, "-f", "json"))
    assert (found["mark_price"], round(found["liquidation_price"], 2)) == (66_000, 60_542.17)
    assert "0.100000%" in found["effects"][0]["change"]
    assert [source["source"] for source in found["sources"]] == ["one rate, as given"]


def test_a_family_of_contracts_shares_its_table_and_a_price_is_as_the_contract_is_quoted(liq: Liq, world: Lake) -> None:
    words = ("short", "PEPE-USDT-SWAP", "--venue", "okx", "--entry", "0.019", "--size", "5000", "--leverage", "10")
    found = told(liq(*words, "-f", "json"))
    assert (found["instrument"], found["mark_price"]) == ("PEPE/USDT:USDT", pytest.approx(0.02))
    assert found["liquidation_price"] == pytest.approx(0.019 * 1.1 / 1.01)


def test_a_contract_that_the_venue_does_not_list_is_refused_and_the_nearest_are_named(liq: Liq, world: Lake) -> None:
    result = liq("long", "BTCC/USDT:USDT", *LONG[2:], "--venue", "binance", "--mmr", "0.01")
    assert (result.exit_code, "binance lists no 'BTCC/USDT:USDT'; it has BTC/USDT:USDT" in result.stderr) == (2, True)


def moment(world: Lake, minutes_ago: float) -> datetime:
    found = world.connection.execute("SELECT as_of()").fetchone()
    assert found
    at: datetime = found[0]
    return at - timedelta(minutes=minutes_ago)


def keep(world: Lake, given: list[dict[str, Any]]) -> None:
    writer.replace(world, "liquidation_levels", rows("liquidation_levels", *given), "FALSE")


def levels(world: Lake, minutes_ago: float) -> None:
    """A map made at 68,000: longs from 62,000 to 66,950, most of them at 64,250 to 64,430; shorts at 70,000."""
    spread = [("long", 62_000.0 + 50 * number, 5.0) for number in range(100)]
    dense = [("long", 64_250.0 + 20 * number, 2_500.0) for number in range(10)]
    at = moment(world, minutes_ago)
    keep(world, [
        {"ts": at, "base": "BTC", "position_side": side, "leverage": leverage, "price": price,
         "price_low": price - 1, "price_high": price + 1, "price_now": 68_000.0, "usd_estimated": usd}
        for side, price, usd in [*spread, *dense, ("short", 70_000.0, 2_500.0)]
        for leverage in (10.0, 11.0)
    ])  # fmt: skip


def mark(world: Lake, price: float) -> None:
    at = moment(world, 0.1)
    seen = {"venue": "binance", "symbol": "BTCUSDT", "instrument": "BTC/USDT:USDT", "base": "BTC", "multiplier": 1}
    given = rows("mark_prices", seen | {"ts": at, "ts_event": at, "mark_price": price, "source": "live"})
    writer.append(world, {"mark_prices": given})


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
    assert (cluster["position_side"], cluster["price_low"] > 69_000) == ("short", True)


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
    older = {"ts": moment(world, 60), "base": "BTC", "position_side": "long", "leverage": 10.0, "price": 67_000.0}
    keep(world, [older | {"price_low": 66_999.0, "price_high": 67_001.0, "price_now": 68_000.0, "usd_estimated": 1e9}])
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
