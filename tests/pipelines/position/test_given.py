"""`liq position` of what is given, without a warehouse; and why it refuses."""

from pathlib import Path

import pytest

from tests.pipelines.position.conftest import LONG, Liq, told


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
        (("long", "DOUBLOON", *LONG[2:], "--mmr", "0.01"), 2, "no such contract: 'DOUBLOON'"),
        ((*LONG[:-2], "--mmr", "0.01"), 2, "give --leverage, or --margin, or --cross"),
        ((*LONG, "--cross", "--mmr", "0.01"), 2, "--cross needs --balance"),
        ((*LONG, "--balance", "5", "--mmr", "0.01"), 2, "need --cross"),
        ((*LONG, "--mmr", "0.004", "--hold", "soon"), 2, "'soon' is not a time"),
        ((*LONG, "--deduction", "5"), 2, "--deduction needs --mmr"),
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
