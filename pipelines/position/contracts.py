"""Which contract is meant, by its unified name or the venue's symbol: from a warehouse, else from the name's form."""

import re
from typing import NamedTuple

from pipelines.errors import UsageError
from pipelines.facts import Contract
from pipelines.venues import VENUES
from warehouse.lake import Lake

UNIFIED = re.compile(r"([^/:]+)/([^/:]+):([^/:-]+)(-\d{6})?")

LISTED = """
SELECT instrument, symbol, base, settle, contract, contract_size, multiplier, status,
    CASE WHEN kind = 'perpetual' AND NOT EXISTS (
        FROM instruments AS other WHERE other.venue = i.venue AND other.symbol = i.family
    ) THEN family END AS family
FROM instruments_as_of AS i
WHERE venue = $venue AND upper($name) IN (upper(instrument), upper(symbol)) AND since <= as_of()
    AND coalesce(valid_to > as_of(), TRUE)
ORDER BY $name IN (instrument, symbol) DESC, status = 'delisted', valid_from DESC LIMIT 1
"""
ALIKE = """
SELECT DISTINCT instrument FROM instruments_as_of WHERE venue = $venue AND is_current AND status != 'delisted'
ORDER BY jaro_similarity(instrument, $name) DESC, instrument LIMIT 5
"""


class Named(NamedTuple):
    """A contract. `symbol` None: not known here. `contract_size`: coins if linear, USD if inverse. `family`: what the venue's
    margin tables name instead of the contract (OKX). `multiplier`: coins in what a price is for (1000PEPE: 1000)."""

    instrument: str
    base: str
    settle: str
    contract: Contract
    venue: str | None = None
    symbol: str | None = None
    contract_size: float | None = None
    multiplier: int = 1
    family: str | None = None
    status: str | None = None


def named(name: str, venue: str | None, warehouse: Lake | None) -> Named:
    """Return the contract. Raises UsageError for an unknown venue, a name of no known form, or a contract that the
    warehouse's list of that venue does not hold."""
    if venue is not None and venue not in VENUES:
        raise UsageError(f"no venue {venue!r}. Known: {', '.join(VENUES)}")
    if warehouse and venue and (found := _listed(name, venue, warehouse)):
        return found
    if form := UNIFIED.fullmatch(name) or UNIFIED.fullmatch(name.upper()):
        name = form[0]
        base, _, settle, _ = form.groups()
        return Named(name, base, settle, "inverse" if settle == base else "linear", venue)
    symbol_form = VENUES[venue].symbol_form(name) if venue else None
    if symbol_form is None or symbol_form.instrument is None or symbol_form.contract is None:
        wanted = "BTC/USDT:USDT (linear), BTC/USD:BTC (inverse), or with --venue its own symbol"
        raise UsageError(f"no such contract: {name!r}. Name it as {wanted}")
    return Named(
        symbol_form.instrument, symbol_form.base, symbol_form.settle or "", symbol_form.contract, venue, name,
        multiplier=symbol_form.multiplier,
    )  # fmt: skip


def _listed(name: str, venue: str, warehouse: Lake) -> Named | None:
    told = {"venue": venue, "name": name}
    row = warehouse.connection.execute(LISTED, told).fetchone()
    if row:
        instrument, symbol, base, settle, contract, size, multiplier, status, family = row
        return Named(instrument, base, settle, contract, venue, symbol, size, multiplier, family, status)
    alike = [instrument for (instrument,) in warehouse.connection.execute(ALIKE, told).fetchall()]
    if alike:
        raise UsageError(f"no such contract: {venue} lists no {name!r}; it has {', '.join(alike)}")
    return None
