"""What a name means: in any case, in the venue's spelling; and which names are near where none is meant."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from liq import app
from warehouse import asked, names
from warehouse.errors import UnknownNameError
from warehouse.lake import Lake
from warehouse.spelling import resolve
from warehouse.writer import append

LISTED = (
    ("binance", "BTCUSDT", "BTC/USDT:USDT", "BTC"), ("okx", "BTC-USDT-SWAP", "BTC/USDT:USDT", "BTC"),
    ("binance", "BTCUSD_PERP", "BTC/USD:BTC", "BTC"), ("bybit", "ETHUSDT", "ETH/USDT:USDT", "ETH"),
    ("bybit", "1000PEPEUSDT", "PEPE/USDT:USDT", "PEPE"),
)  # fmt: skip


@pytest.fixture
def warehouse(writer: Lake, rows: Callable[..., pl.DataFrame], liquidations: Callable[..., pl.DataFrame]) -> Lake:
    """A lake that knows some contracts, and has a liquidation of a coin that no list has."""
    columns = ("venue", "symbol", "instrument", "base")
    append(
        writer,
        {
            "instruments": rows("instruments", *(dict(zip(columns, each, strict=True)) for each in LISTED)),
            "liquidations": liquidations(1, base="LUNA", instrument="LUNA/USDT:USDT"),
        },
    )
    return writer


@pytest.fixture
def liq(warehouse: Lake, world: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("LIQ_DATA", str(world))
    return lambda *words: CliRunner().invoke(app, words, prog_name="liq")


@pytest.mark.parametrize(
    "given", ["BTC", "btc", "BTCUSDT", "btc-usdt-swap", "BTC/USDT:USDT", "btcusd_perp", "xbt", "Bitcoin"]
)
def test_a_coin_is_meant_in_any_case_and_by_any_of_its_contracts(warehouse: Lake, given: str) -> None:
    assert names.coin(warehouse, given) == "BTC"


@pytest.mark.parametrize(
    "given",
    ["BTC/USDT:USDT", "btc/usdt:usdt", "BTCUSDT", "btc-usdt-swap", "btc/usdt", "btc", "Xbt", "bitcoin", "BTC-USDT"],
)
def test_an_instrument_is_meant_in_the_venues_spelling(warehouse: Lake, given: str) -> None:
    assert names.instrument(warehouse, given) == "BTC/USDT:USDT"


def test_what_nothing_is_called_is_told_with_the_nearest(warehouse: Lake) -> None:
    for call, given, told in (
        (names.coin, "BTX", "no coin 'BTX'; did you mean BTC?"),
        (names.coin, "FOO", "no coin 'FOO'; known: BTC, ETH, PEPE"),
        (names.symbol, "BTC-USDT", "'BTC-USDT' may be several: BTC-USDT-SWAP, BTCUSDT"),
        (names.symbol, "1000PEPUSDT", "did you mean 1000PEPEUSDT?"),
        (names.instrument, "EHT/USDT:USDT", "did you mean ETH/USDT:USDT?"),
        (names.instrument, "FOO/USDT:USDT", "known: BTC/USD:BTC, BTC/USDT:USDT"),
    ):
        with pytest.raises(UnknownNameError) as raised:
            call(warehouse, given)
        assert told in str(raised.value)


def test_a_coin_of_a_past_that_no_list_has_is_taken_as_it_is(warehouse: Lake) -> None:
    assert names.coin(warehouse, "LUNA") == "LUNA"
    assert names.instrument(warehouse, "LUNA/USDT:USDT") == "LUNA/USDT:USDT"


def test_a_coin_alone_is_its_perpetual_in_usdt_and_where_it_has_none_those_that_may_be_meant_are_told(
    warehouse: Lake,
) -> None:
    def listed(*instruments: str) -> list[names.Contract]:
        return [names.Contract("okx", each, each, "BTC") for each in instruments]

    every = ("BTC/USDT:USDT-261225", "BTC/USD:BTC", "BTC/USDC:USDC", "BTC/USDT:USDT")
    assert names.instrument(warehouse, "btc", listed(*every)) == "BTC/USDT:USDT"
    assert names.instrument(warehouse, "btc", listed(every[0], every[1])) == "BTC/USD:BTC"
    with pytest.raises(UnknownNameError, match="'btc' may be several: BTC/USD:BTC, BTC/USDC:USDC"):
        names.instrument(warehouse, "btc", listed(*every[:3]), "okx")


def test_a_contract_is_looked_for_among_those_of_one_venue_however_another_spells_it(warehouse: Lake) -> None:
    assert names.instrument(warehouse, "BTCUSDT", at="okx") == "BTC/USDT:USDT"
    assert names.instrument(warehouse, "eth", at="bybit") == "ETH/USDT:USDT"
    with pytest.raises(UnknownNameError, match="no instrument of bybit 'BTCC'"):
        names.instrument(warehouse, "BTCC", at="bybit")


def test_a_name_that_may_be_two_is_told_with_both() -> None:
    with pytest.raises(UnknownNameError, match="'ab' may be several: A-B, AB"):
        resolve("ab", ["AB", "A-B"], "coin")


def test_sql_that_finds_nothing_for_an_unknown_name_says_so_on_standard_error(liq: Callable[..., Result]) -> None:
    for sql, told in (
        ("from rsi('EHT/USDT:USDT', '15m')", ["no instrument 'EHT/USDT:USDT'; did you mean ETH/USDT:USDT?"]),
        ("from rsi(named := 'FOO', length := '15m')", ["no instrument 'FOO'; known: BTC/USD:BTC"]),
        ("from largest(24, 10, 'BTX')", ["no coin 'BTX'; did you mean BTC?"]),
        ("select 1 from liquidations where base = 'btc' and venue in ('okex', 'okx')", ["no coin 'btc'", "'okex'"]),
        ("from liquidations where symbol = 'BTC-USDT'", ["'BTC-USDT' may be several: BTC-USDT-SWAP, BTCUSDT"]),
        ("from liquidations where symbol = 'btcusdt'", ["'btcusdt' may be several: BTC-USDT-SWAP, BTCUSDT"]),
        ("from liquidations where base = 'xbt'", ["no coin 'xbt'; did you mean BTC?"]),
        ("from rsi('BTC/USDT:USDT', '15m')", []),
        ("from liquidations where base = 'LUNA' and venue = 'okx'", []),
    ):
        done = liq("sql", sql)
        assert (done.exit_code, len(done.stderr.splitlines())) == (0, len(told)), (sql, done.stderr)
        assert all(line.startswith("liq sql: ") for line in done.stderr.splitlines())
        assert all(each in done.stderr for each in told), (sql, done.stderr)


def test_rows_that_are_there_leave_a_strange_name_alone(warehouse: Lake, liq: Callable[..., Result]) -> None:
    assert liq("sql", "select 'x' where 1 = 1 or 'base' = 'nope'").stderr == ""
    assert asked.unknown(warehouse, "not sql at all") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("views", "liquidation_totls"),
            "no table, view or macro 'liquidation_totls'; did you mean liquidation_totals",
        ),
        (("schema", "liquidatons"), "no table or view 'liquidatons'; did you mean liquidations"),
        (("plot", "oi", "--base", "BTX"), "no coin 'BTX'; did you mean BTC?"),
        (("levels", "fit", "--coins", "btc,BTX"), "no coin 'BTX'; did you mean BTC?"),
        (("up", "bybt"), "no venue 'bybt'; did you mean bybit?"),
        (("parse", "binanc", "-"), "no venue 'binanc'; did you mean binance?"),
    ],
)
def test_commands_name_what_may_be_meant_with_exit_code_2(
    liq: Callable[..., Result], words: tuple[str, ...], told: str
) -> None:
    done = liq(*words)
    assert (done.exit_code, len(done.stderr.splitlines()), told in done.stderr) == (2, 1, True), done.stderr


def test_commands_take_names_in_another_case(liq: Callable[..., Result]) -> None:
    assert "liquidation_totals" in liq("views", "Liquidation_Totals").stdout
    assert "position_side" in liq("schema", "LIQUIDATIONS", "-f", "markdown").stdout
