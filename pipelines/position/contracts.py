"""Which contract is meant, by its unified name or the venue's symbol: from a warehouse, else from the name's form."""

import re
from typing import Any, NamedTuple

from pipelines.errors import UsageError
from pipelines.facts import Contract
from pipelines.venues import HEARD
from pipelines.venues.symbols import SymbolForm
from warehouse import names
from warehouse.errors import UnknownNameError
from warehouse.lake import Lake
from warehouse.names import CALLED, contracts, instrument
from warehouse.spelling import plain

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


class Named(NamedTuple):
    """A contract. `symbol` None: not known here. `contract_size`: coins if linear, USD if inverse. `family`: what the venue's
    margin tables name instead of the contract. `multiplier`: coins in what a price is for (1000PEPE: 1000)."""

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
    """Return the contract, in any spelling; a coin alone means its perpetual in USDT.

    Raises UsageError for an unknown venue or a name of no known form, UnknownNameError for a contract that the warehouse's list
    of that venue does not have, and for a name that may be several.
    """
    if venue is not None and venue not in HEARD:
        raise UsageError(f"no venue {venue!r}. Known: {', '.join(HEARD)}")
    if warehouse and (found := _listed(name, venue, warehouse)):
        return found
    if form := UNIFIED.fullmatch(name.upper()):
        return _of_form(form, venue)
    if symbol_form := _form(name, venue):
        return Named(
            symbol_form.instrument or "", symbol_form.base, symbol_form.settle or "", symbol_form.contract or "linear", venue,
            name.upper() if venue else None, multiplier=symbol_form.multiplier,
        )  # fmt: skip
    coins = {called: called for called in CALLED.values()} | {plain(each): called for each, called in CALLED.items()}
    if (coin := coins.get(plain(name))) and (form := UNIFIED.fullmatch(f"{coin}/USDT:USDT")):
        return _of_form(form, venue)
    wanted = "BTC/USDT:USDT (linear), BTC/USD:BTC (inverse), or with --venue its own symbol"
    raise UsageError(f"no such contract: {name!r}. Name it as {wanted}")


def _of_form(form: re.Match[str], venue: str | None) -> Named:
    base, _, settle, _ = form.groups()
    return Named(form[0], base, settle, "inverse" if settle == base else "linear", venue)


def _form(name: str, venue: str | None) -> SymbolForm | None:
    """Return the contract by the form of its symbol: at the venue, else at any whose form it has, where they agree.

    A venue whose symbols are coins alone would take any word for one, so it is not asked unless it is named.
    """
    read = (HEARD[each].symbol_form(name.upper()) for each in ([venue] if venue else HEARD))
    forms = {
        form.instrument: form for form in read
        if form and form.instrument and form.contract and (venue or form.base != name.upper())
    }  # fmt: skip
    return next(iter(forms.values())) if len(forms) == 1 else None


def _listed(name: str, venue: str | None, warehouse: Lake) -> Named | None:
    """Return the contract by the warehouse's lists, None where they have none to go by."""
    listed = contracts(warehouse)
    if not any(venue in (None, each.venue) for each in listed):
        return None
    if venue is None:
        form = UNIFIED.fullmatch(_meant(name, None, warehouse, listed))
        return _of_form(form, None) if form else None
    row = _row(name, venue, warehouse) or _row(_meant(name, venue, warehouse, listed), venue, warehouse)
    if row is None:
        raise UsageError(f"no such contract: {venue} lists no {name!r} now")
    meant, symbol, base, settle, contract, size, multiplier, status, family = row
    return Named(meant, base, settle, contract, venue, symbol, size, multiplier, family, status)


def _meant(name: str, venue: str | None, warehouse: Lake, listed: list[names.Contract]) -> str:
    """Return the instrument by the lists, else by the forms of symbols. Raises UnknownNameError."""
    try:
        return instrument(warehouse, name, listed, venue)
    except UnknownNameError:
        if venue is None and (form := UNIFIED.fullmatch(name.upper())):
            return form[0]
        by_form = _form(name, None)
        if (
            by_form
            and by_form.instrument
            and any(venue in (None, each.venue) and by_form.instrument == each.instrument for each in listed)
        ):
            return by_form.instrument
        raise


def _row(name: str, venue: str, warehouse: Lake) -> tuple[Any, ...] | None:
    found: tuple[Any, ...] | None = warehouse.connection.execute(LISTED, {"venue": venue, "name": name}).fetchone()
    return found
