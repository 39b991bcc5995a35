"""`liq position` takes margin tables, marks and funding from the warehouse."""

import pytest

from tests.pipelines.position.conftest import LONG, Liq, told
from warehouse.lake import Lake


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


@pytest.mark.parametrize("name", ["btc", "Bitcoin", "xbt", "btcusdt", "BTC-USDT-SWAP", "BTC-USDT", "btc/usdt:usdt"])
def test_a_coin_and_any_venues_spelling_name_a_contract_with_a_venue_and_without(
    liq: Liq, world: Lake, name: str
) -> None:
    words = ("long", name, *LONG[2:], "--mmr", "0.004", "-f", "json")
    found = told(liq(*words, "--venue", "binance"))
    assert (found["symbol"], found["mark_price"]) == ("BTCUSDT", 68_000)
    assert told(liq(*words))["instrument"] == "BTC/USDT:USDT"


@pytest.mark.parametrize("name", ["btc", "Bitcoin", "BTCUSDT", "btc-usdt-swap"])
def test_without_a_warehouse_the_best_known_coins_and_the_venues_forms_are_understood(liq: Liq, name: str) -> None:
    words = ("long", name, *LONG[2:], "--mmr", "0.004", "-f", "json")
    assert told(liq(*words))["instrument"] == "BTC/USDT:USDT"


def test_a_contract_that_the_venue_does_not_list_is_refused_and_the_nearest_are_named(liq: Liq, world: Lake) -> None:
    result = liq("long", "BTCC/USDT:USDT", *LONG[2:], "--venue", "binance", "--mmr", "0.01")
    assert (
        result.exit_code,
        "no instrument of binance 'BTCC/USDT:USDT'; did you mean BTC/USDT:USDT?" in result.stderr,
    ) == (2, True)
