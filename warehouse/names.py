"""What a name means: of a coin, a contract, a venue, a table or view. Case and the venue's own spelling are taken for ours."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from warehouse.errors import UnknownNameError
from warehouse.lake import Lake
from warehouse.spelling import resolve
from warehouse.statements import statements
from warehouse.tables import TABLES

ELSEWHERE = ("liquidations", "klines", "open_interest", "funding_rates", "mark_prices")
"""Tables that may have coins and contracts of a past that no list of a venue has."""


class Contract(NamedTuple):
    """What a venue calls a contract, and what it is here."""

    venue: str
    symbol: str
    instrument: str
    base: str


def contracts(lake: Lake) -> list[Contract]:
    """Return every contract that a venue has listed. Raises duckdb.Error."""
    query = "SELECT DISTINCT venue, symbol, instrument, base FROM instruments WHERE instrument IS NOT NULL AND base IS NOT NULL"
    return [Contract(*row) for row in lake.connection.execute(query).fetchall()]


def coin(lake: Lake, given: str, listed: list[Contract] | None = None) -> str:
    """Return the coin that is meant: BTC for btc, BTCUSDT and BTC/USDT:USDT. Raises UnknownNameError."""
    listed = contracts(lake) if listed is None else listed
    known = sorted({each.base for each in listed})
    others: dict[str, set[str]] = {}
    for each in listed:
        for name in (each.symbol, each.instrument):
            others.setdefault(name, set()).add(each.base)
    return _of_lake(lake, "base", given, known, "coin", others)


def instrument(lake: Lake, given: str, listed: list[Contract] | None = None) -> str:
    """Return the contract that is meant, in our spelling: BTC/USDT:USDT for btcusdt, BTC-USDT-SWAP. Raises UnknownNameError."""
    listed = contracts(lake) if listed is None else listed
    known = sorted({each.instrument for each in listed})
    others: dict[str, set[str]] = {}
    for each in listed:
        others.setdefault(each.symbol, set()).add(each.instrument)
        others.setdefault(each.instrument.partition(":")[0], set()).add(each.instrument)
    return _of_lake(lake, "instrument", given, known, "instrument", others)


def thing(given: str, *, macros: bool = True) -> str:
    """Return the table, view or macro that is meant; without `macros` none of those. Raises UnknownNameError."""
    found = [one.name for one in statements() if macros or one.kind == "view"]
    return resolve(given, [*TABLES, *found], "table, view or macro" if macros else "table or view")


def _of_lake(
    lake: Lake, column: str, given: str, known: Collection[str], what: str, others: Mapping[str, Collection[str]]
) -> str:
    try:
        return resolve(given, known, what, others)
    except UnknownNameError:
        if not known or _is_stored(lake, column, given):
            return given
        raise


def _is_stored(lake: Lake, column: str, given: str) -> bool:
    found = (
        lake.connection.execute(f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1", [given]) for table in ELSEWHERE
    )
    return any(each.fetchone() for each in found)
