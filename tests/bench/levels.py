"""Estimated levels: days of one-minute bars of 50 contracts, and a single new minute of 700, with the memory it took.

    LIQ_BENCH_DAYS=365 python -m tests.bench levels                a whole year; 60 days if not set

Bars are made a day at a time, outside the time that counts; they walk at random and sweep as they go. Each day's state
becomes a column of the heatmap, as for days that are long past. A day takes hardly more when the state of many days is there
(measured: 0.20 s the first, 0.25 s the hundredth), so a year is told from the last third of the days.
"""

import asyncio
import json
import math
import os
import resource
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.derive.levels.columns import levels, weights_at
from pipelines.derive.levels.margins import margins
from pipelines.derive.levels.model import BARS, EMPTY, State, advance
from pipelines.derive.levels.parameters import PARAMETERS
from pipelines.derive.levels.reach import reach_levels
from warehouse.tables import TABLES

START = datetime(2026, 1, 1)  # noqa: DTZ001 the warehouse's times are UTC without a zone
DAYS, CONTRACTS, ALL = int(os.environ.get("LIQ_BENCH_DAYS", 60)), 50, 700
YEAR_DAYS = 365
YEAR_AIM_S, MINUTE_AIM_S, MEMORY_AIM_MB = 60.0, 2.0, 1_000.0
DAY_MINUTES = 1440
NO_FITS = TABLES["levels_features"].schema.to_frame()


async def run(world: Path) -> None:
    """Print the seconds and the memory of both, each measured in a process of its own."""
    days = await asyncio.to_thread(_said, "days")
    minute = await asyncio.to_thread(_said, "minute")
    print(f"levels of {DAYS} days, {CONTRACTS} contracts, {days['bars'] / 1e6:.1f} million bars: {days['seconds']:.1f} s, "
          f"{days['memory_mb']:,.0f} MB (aim {MEMORY_AIM_MB:,.0f}); a year at the last days' speed: "
          f"{days['late'] * YEAR_DAYS:.0f} s (aim {YEAR_AIM_S:.0f})")  # fmt: skip
    print(f"levels of a new minute, {ALL} contracts, {minute['cells']:,.0f} cells:    {minute['seconds']:>9.2f} s "
          f"(aim {MINUTE_AIM_S:.0f})")  # fmt: skip


def _said(name: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.levels", name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _contracts(count: int) -> pl.DataFrame:
    number = pl.int_range(count, eager=True)
    return pl.DataFrame({"contract": number.cast(pl.UInt32)}).select(
        "contract",
        venue=pl.lit("bybit"),
        symbol=pl.col("contract").cast(pl.String) + "USDT",
        base=(pl.col("contract") // 2).cast(pl.String),
        family=pl.lit(None, pl.String),
        inverse=pl.lit(False),
        log_width=pl.lit(math.log1p(PARAMETERS.bin_width)),
    )


def _bars(count: int, day: int, minutes: int, price: pl.DataFrame) -> pl.DataFrame:
    """A day's bars of `count` contracts from their last prices (contract, close, oi)."""
    grid = pl.DataFrame({"n": pl.int_range(count * minutes, eager=True)}).select(
        contract=(pl.col("n") // minutes).cast(pl.UInt32), minute=pl.col("n") % minutes + day * DAY_MINUTES
    )

    def dice(seed: int) -> pl.Expr:
        return (pl.struct("contract", "minute").hash(seed) % 1_000_003).cast(pl.Float64) / 1_000_003

    step = (dice(1) + dice(2) + dice(3) + dice(4) - 2) * 0.0015
    walk = grid.join(price, on="contract").with_columns(
        close=pl.col("close") * step.cum_sum().over("contract").exp(),
        oi=pl.col("oi") * ((dice(5) - 0.5) * 0.002).cum_sum().over("contract").exp(),
    )
    made = walk.select(
        "contract", "close", "oi", ts=pl.lit(START) + pl.duration(minutes=pl.col("minute")),
        low=pl.col("close") * (1 - 0.0008 * dice(6)), high=pl.col("close") * (1 + 0.0008 * dice(7)), volume=dice(8),
        liquidated_long=dice(9), liquidated_short=dice(10),
    )  # fmt: skip
    return made.select(BARS.names()).cast(dict(BARS))  # type: ignore[arg-type]


def _tiers() -> pl.DataFrame:
    return pl.DataFrame(
        schema={"venue": pl.String, "symbol": pl.String, "tier": pl.Int32, "maintenance_margin_rate": pl.Float64,
                "max_leverage": pl.Float64, "valid_from": pl.Datetime("us"), "valid_to": pl.Datetime("us")}
    )  # fmt: skip


def _first_prices(count: int) -> pl.DataFrame:
    return _contracts(count).select("contract", close=pl.lit(100.0), oi=pl.lit(1e6))


def measure(count: int, days: int) -> tuple[dict[str, float], State]:
    """Estimate `days` days of `count` contracts, a column a day; return what it took and the state."""
    listed = _contracts(count)
    shifts = margins(listed, _tiers(), START, PARAMETERS)
    weights = weights_at(TABLES["leverage_weights"].schema.to_frame(), listed["base"], START, PARAMETERS)
    state, last, bars, spent = EMPTY, _first_prices(count), 0, list[float]()
    for day in range(days):
        block = _bars(count, day, DAY_MINUTES, last)
        began = time.perf_counter()
        state = advance(state, block, shifts, listed, PARAMETERS)
        end = START + timedelta(days=day + 1)
        column = levels(state, listed, shifts, weights, end, PARAMETERS)
        reach_levels(state, listed, shifts, weights, NO_FITS, end, PARAMETERS)
        spent.append(time.perf_counter() - began)
        assert column.height or not day
        last, bars = block.group_by("contract").last().select("contract", "close", "oi"), bars + block.height
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    late = spent[-max(1, days // 3) :]
    took = {
        "seconds": sum(spent),
        "late": sum(late) / len(late),
        "bars": bars,
        "memory_mb": memory,
        "cells": state.cells.height,
    }
    return took, state


def measure_minute() -> dict[str, float]:
    """Take one minute of all contracts after some days, and make the newest column; the worst of three."""
    days = 5
    _, state = measure(ALL, days)
    listed = _contracts(ALL)
    shifts = margins(listed, _tiers(), START, PARAMETERS)
    weights = weights_at(TABLES["leverage_weights"].schema.to_frame(), listed["base"], START, PARAMETERS)
    worst = 0.0
    for minute in range(3):
        block = _bars(ALL, days, minute + 1, state.carry.select("contract", "close", "oi"))
        block = block.group_by("contract", maintain_order=True).last().select(BARS.names())
        began = time.perf_counter()
        state = advance(state, block, shifts, listed, PARAMETERS)
        end = START + timedelta(days=days, minutes=minute + 1)
        levels(state, listed, shifts, weights, end, PARAMETERS)
        reach_levels(state, listed, shifts, weights, NO_FITS, end, PARAMETERS)
        worst = max(worst, time.perf_counter() - began)
    return {"seconds": worst, "cells": state.cells.height}


if __name__ == "__main__":
    print(json.dumps(measure_minute() if sys.argv[1] == "minute" else measure(CONTRACTS, DAYS)[0]))
