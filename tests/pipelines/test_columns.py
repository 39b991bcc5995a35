"""What columns add to facts: what is known of each contract, and keys that stay what they are in every warehouse."""

import struct
from hashlib import blake2b

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.liquidations import event_keys
from pipelines.columns.shared import symbol_keys, with_contracts
from pipelines.facts import FundingInterval, Instrument

SYMBOLS = ("BTCUSDT", "BTCUSD", "1000PEPEUSDT", "BTC-USDT-SWAP", "BTCPERP", "?")
TOLD_US = 1_790_000_000_000_000
M = 2**64

UNHURRIED = settings(deadline=None)
venues = st.sampled_from(["binance", "bybit", "okx"])
figures = st.floats(allow_nan=False, allow_infinity=False)


@UNHURRIED
@given(st.lists(st.tuples(venues, st.sampled_from(SYMBOLS)), min_size=1), st.booleans())
def test_each_row_gets_what_is_known_of_its_own_contract(pairs: list[tuple[str, str]], changed: bool) -> None:
    listed = Instrument("BTCUSDT", "BTC/USDT:USDT", "BTC", "USDT", "USDT", "linear", "perpetual", 1.0, 1, "Trading", "BTCUSDT",
                        True, interval_hours=8.0)  # fmt: skip
    book = Instruments().learn("bybit", [(listed, TOLD_US)])
    if changed:
        book = book.learn("bybit", [(FundingInterval("BTCUSDT", 4.0), 2 * TOLD_US)])
    facts = pl.DataFrame(pairs, ["venue", "symbol"], orient="row").with_columns(
        contract=pl.lit("x"), ts_event=2 * TOLD_US // 1000, row=pl.int_range(pl.len())
    )
    found = with_contracts(facts, book)
    assert found.select(facts.columns).equals(facts)
    for row in found.rows(named=True):
        known = book.resolve(row["venue"], row["symbol"], 2 * TOLD_US)._asdict()
        known["contract_known"] = known.pop("contract")
        assert {name: row[name] for name in known} == known
        name = f"{row['venue']}|{row['symbol']}"
        assert row["symbol_key"] == int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


def _key(
    symbol_key: int, contract: str | None, order: str, position: str, kind: str, time: int, *numbers: float | None
) -> int:
    flags = [contract == "inverse", order == "sell", position == "long", kind == "order_limit"]
    fields = [sum(2 ** (56 + n) for n, so in enumerate(flags) if so) + time]
    fields += [int.from_bytes(struct.pack("<d", 0.0 if number is None else number), "little") for number in numbers]
    for field in fields:
        symbol_key ^= field
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            symbol_key = (symbol_key ^ symbol_key >> shift) * factor % M
        symbol_key ^= symbol_key >> 31
    return symbol_key


liquidations = st.tuples(
    st.integers(0, M - 1), st.sampled_from(["linear", "inverse", None]), st.sampled_from(["buy", "sell"]),
    st.sampled_from(["long", "short"]), st.sampled_from(["bankruptcy", "order_limit"]), st.integers(0, 2**42), figures,
    st.one_of(st.none(), figures), st.one_of(st.none(), figures),
)  # fmt: skip
FIELDS = {
    "symbol_key": pl.UInt64, "contract": pl.String, "order_side": pl.String, "position_side": pl.String,
    "price_kind": pl.String, "ts_event": pl.Int64, "qty": pl.Float64, "price": pl.Float64, "order_price": pl.Float64,
}  # fmt: skip


@UNHURRIED
@given(st.lists(liquidations, min_size=1))
def test_event_keys_are_what_they_are_by_definition(rows: list[tuple[object, ...]]) -> None:
    found = pl.DataFrame(rows, FIELDS, orient="row")
    assert event_keys(found).to_list() == [_key(*row) for row in rows]  # type: ignore[arg-type]


def test_a_key_that_was_stored_once_is_made_again() -> None:
    row = [("linear", "sell", "long", "bankruptcy", 1_790_000_000_000, 0.25, 58_000.1, None)]
    found = pl.DataFrame(row, {name: FIELDS[name] for name in [*FIELDS][1:]}, orient="row")
    key = symbol_keys(pl.Series(["bybit"]), pl.Series(["BTCUSDT"]))
    assert event_keys(found.with_columns(symbol_key=key)).to_list() == [12252548946690440868]
