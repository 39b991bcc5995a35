"""Updates the bars of liquidations, prices and open interest whose rows changed."""

from collections.abc import Callable
from typing import NamedTuple

from warehouse.lake import Lake
from warehouse.rollups import KINDS, mark_all, mark_contracts, pending, roll, unrolled


class Rolled(NamedTuple):
    """Minutes of liquidations computed anew, with the hours and days they are in; days they were of; contracts described
    anew; bars of prices and open interest written."""

    minutes: int
    days: int
    contracts: int
    bars: int


def rollup(warehouse: Lake, everything: bool = False, told: Callable[[int, int], object] = max) -> Rolled:
    """Compute the bars that are pending, or with `everything` all of them; run again, nothing is left to do.

    A bar that is right already is not written. `told` is called with the days done and the days there are, of each kind of
    bars. Each day of a kind is a transaction of its own, days of few rows several, under the write lock: ingest waits for one
    at most. Raises WarehouseError; days done stay done, the others stay pending.
    """
    if whole := list(KINDS) if everything else unrolled(warehouse):
        mark_all(warehouse, whole)
    contracts = mark_contracts(warehouse)
    stretches = pending(warehouse)
    done, days = 0, sum(each.days for each in stretches)
    minutes, bars = 0, 0
    for each in stretches:
        told(done, days)
        times, stored = roll(warehouse, each)
        if each.kind == "liquidations":
            minutes += times
        else:
            bars += stored
        done += each.days
    return Rolled(minutes, sum(each.days for each in stretches if each.kind == "liquidations"), contracts, bars)
