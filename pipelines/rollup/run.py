"""Bring the bars up to date: of liquidations the minutes that changed, of prices and open interest what rows arrived for."""

from collections.abc import Callable
from typing import NamedTuple

from pipelines.bars.run import roll_up_bars
from warehouse.lake import Lake
from warehouse.rollups import mark_all, mark_contracts, never_rolled, pending_days, roll


class Rolled(NamedTuple):
    """Minutes of liquidations computed anew, with the hours and days they are in; days they were of; contracts described
    anew; bars of prices and open interest written."""

    minutes: int
    days: int
    contracts: int
    bars: int


def rollup(warehouse: Lake, everything: bool = False, told: Callable[[int, int], object] = max) -> Rolled:
    """Compute the bars that are pending, or with `everything` all of them; run again, nothing is left to do.

    `told` is called with the days done and the days there are. Each day is a transaction of its own, under the write lock:
    ingest waits for one day's at most. Raises WarehouseError; days done stay done, the others stay pending.
    """
    if everything or never_rolled(warehouse):
        mark_all(warehouse)
    contracts = mark_contracts(warehouse)
    days = pending_days(warehouse)
    minutes = 0
    for number, day in enumerate(days):
        told(number, len(days))
        minutes += roll(warehouse, day)
    return Rolled(minutes, len(days), contracts, sum(roll_up_bars(warehouse, everything).values()))
