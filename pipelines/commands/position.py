"""`liq position`: where a position is liquidated, what would change that price, and what is near it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from pipelines.commands import position_options as options
from pipelines.errors import UsageError
from pipelines.position.answer import Answer, Changes, answer, as_data
from pipelines.position.contracts import Named, named
from pipelines.position.given import Source, from_file, from_package
from pipelines.position.market import Funding, Market, market
from pipelines.position.positions import Position, cross_margin, isolated
from pipelines.position.screen import show
from pipelines.position.tiers import TierTable, flat
from pipelines.venues import VENUES
from warehouse import lake
from warehouse.lake import Lake
from warehouse.query import reading_world
from warehouse.terminal import console, to_read

HOURS = {"m": 1 / 60, "h": 1.0, "d": 24.0}


def position(
    side: options.Sided,
    contract: options.Contract,
    entry: options.Entry,
    size: options.Size,
    venue: options.OfVenue = None,
    leverage: options.Leverage = None,
    margin: options.Margin = None,
    fee: options.Fee = 0.0,
    cross: options.Cross = False,
    balance: options.Balance = None,
    other_maintenance: options.OtherMaintenance = 0.0,
    other_profit: options.OtherProfit = 0.0,
    mmr: options.Rate = None,
    deduction: options.Deduction = 0.0,
    tiers: options.Tiers = None,
    contract_size: options.ContractSize = None,
    maintenance_at: options.Maintained = None,
    add_margin: options.AddMargin = None,
    close: options.Close = None,
    hold: options.Hold = None,
    stop: options.Stop = None,
    mark: options.Mark = None,
    funding_rate: options.FundingRate = None,
    funding_interval: options.FundingInterval = 8.0,
    within: options.Within = 0.1,
    format: options.Formatted = options.Format.TABLE,
) -> None:
    """Show where a position is liquidated, what would change that, and which estimated levels are near.

    Example: liq position long BTC/USDT:USDT --venue binance --entry 67000 --size 1 --leverage 10 --hold 72h

    Margin tables, mark price, funding and estimated levels come from the warehouse (LIQ_DATA, else data/live, else data/demo);
    the answer ends with what was used, and how old it is. Without a warehouse, give --mmr or --tiers, and --mark and
    --funding-rate if you want them. Exit code 1: such a position is impossible. 2: an option or the contract is wrong.
    """
    with _reader() as warehouse:
        meant = named(contract, venue, warehouse)
        if contract_size is not None:
            meant = meant._replace(contract_size=contract_size)
        known = market(warehouse, meant) if warehouse and venue else Market()
        given = None if funding_rate is None else Funding(funding_rate, funding_interval)
        held = _position(side, meant, entry, size, leverage, margin, fee, maintenance_at, (cross, balance,
                         other_maintenance, other_profit))  # fmt: skip
        table, told = _table(meant, known, mmr, deduction, tiers)
        changes = Changes(add_margin, close, None if hold is None else hours(hold))
        found = answer(
            held, table, changes, mark or known.mark, given or known.funding, known.clusters, stop, within, known.stale
        )
        used = _used(known, told, mark is None, given is None and hold is not None)
        found = found._replace(sources=used, notes=(*found.notes, *_lacking(warehouse, venue, known)))
        _write(meant, found, format)


def _is_entry_based(contract: Named) -> bool:
    return contract.venue in VENUES and contract.contract in VENUES[contract.venue].entry_based


def _position(
    side: options.Side, contract: Named, entry: float, size: float, leverage: float | None, margin: float | None, fee: float,
    maintenance_at: options.MaintenanceAt | None, cross: tuple[bool, float | None, float, float],
) -> Position:  # fmt: skip
    of_entry = _is_entry_based(contract) if maintenance_at is None else maintenance_at == "entry"
    if of_entry and contract.contract == "linear":
        raise UsageError("--maintenance-at entry is for inverse contracts")
    at: Literal["mark", "entry"] = "entry" if of_entry else "mark"
    whole, balance, *others = cross
    if whole:
        if balance is None or margin is not None:
            raise UsageError("--cross needs --balance, and does not take --margin")
        behind = cross_margin(balance, *others)
        mode: Literal["isolated", "cross"] = "cross"
    elif balance is not None or any(others):
        raise UsageError("--balance, --other-maintenance and --other-profit need --cross")
    elif margin is None:
        if leverage is None:
            raise UsageError("give --leverage, or --margin, or --cross with --balance")
        return isolated(side.value, contract.contract, entry, size, leverage, fee, at)
    else:
        behind, mode = margin, "isolated"
    return Position(side.value, contract.contract, entry, size, behind, leverage, mode, fee, at)


def _table(
    contract: Named, known: Market, mmr: float | None, deduction: float, tiers: Path | None
) -> tuple[TierTable, Source | None]:
    """Return the margin table and its source: as given, else the warehouse's (None: told there), else the package's."""
    if mmr is not None and tiers is not None:
        raise UsageError("give --mmr or --tiers, not both")
    if mmr is not None:
        return flat(mmr, deduction), Source("margin table", "one rate, as given")
    if deduction:
        raise UsageError("--deduction needs --mmr")
    if tiers is not None:
        return from_file(tiers, contract)
    if known.tiers is not None:
        return known.tiers, None
    if found := from_package(contract):
        return found
    where = f" of {contract.venue}" if contract.venue else ", and no --venue is named"
    raise UsageError(f"no margin table of {contract.instrument} is known{where}: give --mmr or --tiers")


def _used(known: Market, told: Source | None, own_mark: bool, own_funding: bool) -> tuple[Source, ...]:
    left_out = {"margin table": told is not None, "mark price": not own_mark, "funding": not own_funding}
    return (*((told,) if told else ()), *(s for s in known.sources if not left_out.get(s.what, False)))


def _lacking(warehouse: Lake | None, venue: str | None, known: Market) -> Iterator[str]:
    if warehouse is None:
        yield "there is no warehouse: no mark price, no funding and no predicted levels but those given"
    elif venue is None:
        yield "no --venue is named: no price, funding, margin table or level of the warehouse was used"
    yield from known.missing


def hours(text: str) -> float:
    """Return the hours of 90m, 72h or 3d. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", text)
    if found is None:
        raise UsageError(f"{text!r} is not a time: say 90m, 72h or 3d")
    return float(found[1]) * HOURS[found[2]]


def _write(contract: Named, found: Answer, format: options.Format) -> None:
    if format is options.Format.TABLE:
        show(console(), contract, found)
    else:
        data = {"venue": contract.venue, "symbol": contract.symbol, "instrument": contract.instrument,
                "settle": contract.settle, **as_data(found)}  # fmt: skip
        print(msgspec.json.encode(data).decode())


@contextmanager
def _reader() -> Iterator[Lake | None]:
    if not lake.exists(reading_world()[0]):
        yield None
        return
    with to_read() as warehouse:
        yield warehouse
