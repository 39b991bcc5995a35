"""A macro that is asked for a name in another spelling than ours says which are meant, in place of finding nothing."""

from collections.abc import Iterator

import duckdb
import polars as pl
import pytest

from warehouse import lake, schema
from warehouse.lake import Lake
from warehouse.tables import TABLES
from warehouse.writer import append

CONTRACTS = (
    ("binance", "BTCUSDT", "BTC/USDT:USDT"),
    ("bybit", "BTCUSDT", "BTC/USDT:USDT"),
    ("okx", "BTC-USD-SWAP", "BTC/USD:BTC"),
)
CALLS = (
    "heatmap({}, as_of() - INTERVAL 2 DAYS)",
    "price_bars({}, '1h')",
    "rsi({}, '4h')",
    "open_interest_bars({}, '1d')",
    "open_interest_bars({}, '5m')",
    "funding_settled({})",
)
OF_COINS = ("largest(24, coin := {})", "open_interest_history({}, '1h')")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    world = tmp_path_factory.mktemp("world")
    schema.create_or_migrate(world)
    kinds = TABLES["instruments"].schema
    rows = [
        dict.fromkeys(kinds) | {"venue": venue, "symbol": symbol, "instrument": instrument, "base": "BTC"}
        for venue, symbol, instrument in CONTRACTS
    ]
    with lake.open(world, read_only=False) as opened:
        append(opened, {"instruments": pl.DataFrame(rows, schema=kinds)})
        yield opened


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("btc-usd-swap", "BTC/USD:BTC"),
        ("btc/usdt:usdt", "BTC/USDT:USDT"),
        ("BTC/USDT", "BTC/USDT:USDT"),
        ("BTC", "BTC/USD:BTC, BTC/USDT:USDT"),
    ],
)
def test_another_spelling_of_an_instrument_is_an_error_that_names_those_meant(
    listed: Lake, call: str, named: str, meant: str
) -> None:
    with pytest.raises(duckdb.Error) as told:
        _ask(listed, call, named)
    assert str(told.value).endswith(f"{named} is no instrument of ours; there is {meant}")


@pytest.mark.parametrize("call", OF_COINS)
@pytest.mark.parametrize("named", ["btc", "BTCUSDT", "BTC/USDT:USDT"])
def test_another_spelling_of_a_coin_is_an_error_that_names_it(listed: Lake, call: str, named: str) -> None:
    with pytest.raises(duckdb.Error, match=f"{named} is no coin; there is BTC$"):
        _ask(listed, call, named)


@pytest.mark.parametrize("call", [*CALLS, *OF_COINS])
def test_a_name_of_ours_and_one_like_nothing_there_find_what_there_is(listed: Lake, call: str) -> None:
    known = "BTC" if call in OF_COINS else "BTC/USDT:USDT"
    assert _ask(listed, call, known) == _ask(listed, call, "LONGGONE/USDT:USDT") == []


HOUR = """
INSERT INTO open_interest_1h BY NAME
SELECT date_trunc('hour', as_of()) - INTERVAL 5 HOURS AS hour, 'okx' AS venue, 'A' AS symbol, 'BTC' AS base, 'both' AS sides,
    1 AS close_usd, 1 AS close_base
"""


def test_bars_of_open_interest_shorter_than_what_is_stored_are_an_error(listed: Lake) -> None:
    listed.connection.execute(HOUR)
    with pytest.raises(duckdb.Error, match="length is of whole hours"):
        _ask(listed, "open_interest_history({}, '15m')", "BTC")
    assert len(_ask(listed, "open_interest_history({}, '1h')", "BTC")) == 1
    listed.connection.execute("DELETE FROM open_interest_1h")


def _ask(listed: Lake, call: str, named: str) -> list[tuple[object, ...]]:
    quoted = f"'{named}'"
    return listed.connection.execute(f"FROM {call.format(quoted)}").fetchall()
