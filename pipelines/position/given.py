"""Margin tables from elsewhere than a warehouse: a rate that is given, a file, the package's own."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from collectors.envelope import ALL_SYMBOLS, RawFrame
from pipelines.columns.contracts.static_tiers import static_tables, tables_of
from pipelines.errors import UsageError
from pipelines.facts import LeverageTier
from pipelines.position.contracts import Named
from pipelines.position.tiers import TierTable, from_rows
from pipelines.venues import VENUES, parser_of
from pipelines.venues.symbols import unified


class Source(NamedTuple):
    """What was used for something, where it is from, and of when (UTC); None where that is not known. `note`: what to know."""

    what: str
    source: str
    at: datetime | None = None
    note: str = ""


def static(venue: str, symbol: str, since: datetime) -> Source:
    """Return what is to be said of a margin table that is the package's own: it is dated, and no newer one can be read."""
    note = f"{venue} gives newer ones only to accounts, so it may be out of date; `liq import` takes your own"
    return Source("margin table", f"{venue} {symbol}, static, the last that was published", since, note)


def from_file(path: Path, contract: Named) -> tuple[TierTable, Source]:
    """Return the contract's margin table from a file: CSV laid out as `static_tiers.csv`, or the venue's own answer.

    Raises UsageError where the file cannot be read or has no table of the contract.
    """
    try:
        if contract.venue is None:
            raise ValueError("name the venue with --venue")
        payload = path.read_bytes()
        rows = _answered(payload, contract) if payload.lstrip()[:1] in (b"{", b"[") else _laid_out(payload, contract)
    except (OSError, ValueError, KeyError, msgspec.MsgspecError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{path} cannot be read as margin tables: {' '.join(str(error).split())}") from None
    own = [row for row in rows if _is_of(row.symbol, contract)]
    if not own:
        held = sorted({row.symbol for row in rows})
        raise UsageError(f"{path} has no margin table of {contract.instrument}; it has {', '.join(held[:5]) or 'none'}")
    return from_rows(own, contract.contract, contract.contract_size), Source("margin table", str(path))


def from_package(contract: Named) -> tuple[TierTable, Source] | None:
    """Return the package's dated margin table of the contract, None where it has none."""
    for found in reversed(static_tables()):
        if found.venue == contract.venue and _is_of(found.symbol, contract):
            since = datetime.fromtimestamp(found.at / 1e6, UTC).replace(tzinfo=None)
            told = static(found.venue, found.symbol, since)
            return from_rows(found.steps, contract.contract, contract.contract_size), told
    return None


def _laid_out(payload: bytes, contract: Named) -> list[LeverageTier]:
    """Of several tables of one symbol the newest counts."""
    tables = sorted(tables_of(payload), key=lambda table: table.at)
    newest = {table.symbol: table.steps for table in tables if table.venue == contract.venue}
    return [step for steps in newest.values() for step in steps]


def _answered(payload: bytes, contract: Named) -> list[LeverageTier]:
    venue = contract.venue or ""
    channel = VENUES[venue].margin_tables
    parse = parser_of(venue, "rest", channel)
    assert parse is not None
    frame = RawFrame(venue, channel, ALL_SYMBOLS, "rest", time.time_ns(), "", "", "import", 0, payload)
    rows: Iterable[object] = parse(frame, {})
    found = [row for row in rows if isinstance(row, LeverageTier)]
    if not found:
        raise ValueError(f"not what {venue} answers to {channel}")
    return found


def _is_of(symbol: str, contract: Named) -> bool:
    """Say whether a margin table of `symbol` is the contract's: its own, or of the family of perpetuals that shares one."""
    if symbol in (contract.symbol, contract.family):
        return True
    form = VENUES[contract.venue].symbol_form(symbol) if contract.venue else None
    if form is None:
        return False
    if form.instrument is None:
        return contract.instrument in (unified(form.base, form.quote, settle) for settle in (form.quote, form.base))
    return contract.symbol is None and contract.instrument == form.instrument
