"""Estimated levels on real data: how the models and the simple rules foretold what was liquidated, walking forward.

    python -m tests.bench real

Reads ../shared/real, which is no part of the project, and says so where it is not there. Everything goes through the code that
makes and scores the maps; only bars and liquidations come from files. Prices are marks every five minutes, so wicks inside
them are not seen. Weights are fitted every week, to what lies before; the first weeks are not scored.
"""

import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pipelines.derive.levels.estimate import spans
from pipelines.derive.levels.fit import fitted
from pipelines.derive.levels.forecast import fitted_features
from pipelines.derive.levels.foretold import MODELS, NULLS, with_models, with_opened
from pipelines.derive.levels.margins import margins
from pipelines.derive.levels.model import EMPTY, State, advance
from pipelines.derive.levels.parameters import PARAMETERS
from pipelines.derive.levels.replay import PLACE, Judged, Source, gathered, replay
from pipelines.derive.levels.score import compared
from tests.bench.real_files import FIRST, Events, Files

DAY, WEEK, HOUR = timedelta(days=1), timedelta(days=7), timedelta(hours=1)
LEAST_MOVE = 0.005
WARM, WARM_HALF = timedelta(days=30), timedelta(days=14)
COLUMNS = {name: {"oi": "w_oi", "mirrored": "w_mirrored", "distance": "distance_usd"}.get(name, name)
           for name in (*MODELS, *NULLS)}  # fmt: skip
BY_BIN = COLUMNS | {"oi": "oi", "mirrored": "mirrored"}


class Test(NamedTuple):
    """Maps of one coin: each frozen for `step`, from `start` on; scored from `scored`, with what the features' weights were
    before (None: fitted to the coin alone)."""

    step: timedelta
    start: datetime
    scored: datetime
    end: datetime


async def run(world: Path) -> None:
    """Print the figures of each test."""
    files = Files.found()
    if files is None:
        print("real: ../shared/real is not there, so nothing was measured")
        return
    learnt = _windows(files, 60, Test(HOUR, FIRST, FIRST + WARM, files.last))
    half = files.first_half
    _windows(files, 30, Test(HOUR / 2, half, half + WARM_HALF, files.last))
    _events(files, learnt)


def _windows(files: Files, minutes: int, test: Test) -> pl.DataFrame:
    """Print how sums over the bins swept foretold what was liquidated in a window, by side; return the weights fitted."""
    totals = files.totals(minutes).filter((pl.col("at") >= test.start) & (pl.col("at") < test.end))
    bars = files.bars("BTC", files.totals(60) if minutes == 60 else totals)
    judged = _judged(bars, None, "BTC", "all venues", test)
    judged = judged._replace(realised=_spread(judged.reached, totals))
    ends = [test.scored + n * WEEK for n in range((test.end - test.scored) // WEEK + 1)]
    fits = pl.concat([fitted(judged, end - 2 * WEEK, end, None, PARAMETERS) for end in ends])
    cells = with_opened(judged, fits, PARAMETERS)
    learnt = pl.concat([fitted_features(cells, test.start, end, (), PARAMETERS) for end in ends])
    cells = with_models(cells, learnt, ends, PARAMETERS)
    sums = cells.group_by("at", "long").agg(pl.col(*COLUMNS.values()).sum(), far=pl.col("distance").max())
    every = totals.select("at", "long", "usd").join(sums, on=["at", "long"], how="left").fill_null(0.0)
    every = every.filter(pl.col("at") >= test.scored).sort("at", "long")
    name = f"BTC, all venues, windows of {minutes} minutes"
    _print(name, every, COLUMNS)
    _print(f"{name} and moves of {LEAST_MOVE:.1%} or more", every.filter(pl.col("far") >= LEAST_MOVE), COLUMNS)
    _weights(learnt)
    return learnt


def _spread(reached: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """What was liquidated in a window, evenly over the bins that were swept: where is not known."""
    joined = reached.join(totals.select("at", "long", "usd"), on=["at", "long"])
    return joined.select(*PLACE, usd=pl.col("usd") / pl.len().over("at", "long"))


def _events(files: Files, learnt: pl.DataFrame) -> None:
    """Print how bins foretold single liquidations of one venue, by ranks inside each coin; weights are those of another coin
    and of the time before."""
    parts = []
    for events in files.events():
        test = Test(PARAMETERS.scored, events.start, events.start, events.end)
        bars = files.bars(events.base, events.by_bar())
        judged = _judged(bars, events, events.base, events.venue, test)
        cells = with_opened(judged, fitted(judged, FIRST, FIRST, None, PARAMETERS), PARAMETERS)
        cells = with_models(cells, learnt.filter(pl.col("base").is_null()), [events.start], PARAMETERS)
        parts.append(cells)
        print(f"  {events.base}: {cells.height} bins, {cells.filter(pl.col('usd') > 0).height} with liquidations")
    every = pl.concat(parts)
    every = every.with_columns(stratum="base").sort("at")
    ranks = ("rank_correlation",)
    _print("one venue, event by event, bins of maps of 15 minutes, ranks inside each coin", every, BY_BIN, 1, ranks)
    _print("the same, ranks over all coins together", every.drop("stratum"), COLUMNS, 1)


def _judged(bars: pl.DataFrame, events: Events | None, base: str, venue: str, test: Test) -> Judged:
    """The maps of the test, each with what came after it."""
    listed = _listed(base, venue)
    tiers = pl.DataFrame(schema={
        "venue": pl.String, "symbol": pl.String, "tier": pl.Int32, "maintenance_margin_rate": pl.Float64,
        "max_leverage": pl.Float64, "valid_from": pl.Datetime("us"), "valid_to": pl.Datetime("us")})  # fmt: skip
    shifts = margins(listed, tiers, FIRST, PARAMETERS)
    none = pl.DataFrame(schema={"contract": pl.UInt32, "ts": pl.Datetime("us"), "long": pl.Boolean, "price": pl.Float64,
                                "usd": pl.Float64})  # fmt: skip
    came = none if events is None else events.rows
    state: State = EMPTY
    for start, end in spans(bars["ts"].min(), test.start, DAY):  # type: ignore[arg-type]
        state = advance(state, _cut(bars, start, end), shifts, listed, PARAMETERS)
    source = Source(lambda a, b: _cut(bars, a, b), lambda a, b: _cut(came, a, b), lambda _: shifts)
    blocks = (
        (test.start + n * test.step, test.start + (n + 1) * test.step)
        for n in range((test.end - test.start) // test.step)
    )
    return gathered([each for each, _ in replay(state, source, blocks, listed.select("contract"), listed, PARAMETERS)])


def _listed(base: str, venue: str) -> pl.DataFrame:
    width = math.log1p(PARAMETERS.width(base))
    return pl.DataFrame(
        [(0, venue, base, base, None, False, width)],
        schema={"contract": pl.UInt32, "venue": pl.String, "symbol": pl.String, "base": pl.String, "family": pl.String,
                "inverse": pl.Boolean, "log_width": pl.Float64},
        orient="row",
    )  # fmt: skip


def _cut(frame: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    return frame.filter((pl.col("ts") >= start) & (pl.col("ts") < end))


def _print(
    name: str, frame: pl.DataFrame, columns: dict[str, str], hours: int = 12,
    measures: tuple[str, ...] = ("rank_correlation", "top_decile_mass"),
) -> None:  # fmt: skip
    print(f"{name}: {frame.height:,}, {frame['at'].min()} to {frame['at'].max()}")
    for measure in measures:
        rows = compared(frame, columns, measure, hours)
        leads = {(row["model"], row["over"]): row for row in rows if "over" in row}
        for row in rows:
            if "over" in row:
                continue
            model = str(row["model"])
            line = f"  {measure:17} {model:10} {row['value']:6.3f} [{row['low']:.3f}, {row['high']:.3f}]"
            for of in MODELS:
                if (lead := leads.get((of, model))) is not None:
                    line += f"   {of} leads by {lead['lead']:+.3f} [{lead['lead_low']:+.3f}, {lead['lead_high']:+.3f}]"
            print(line)


def _weights(learnt: pl.DataFrame) -> None:
    for (until,), rows in sorted(
        learnt.filter(pl.col("base").is_null() & pl.col("venue").is_null()).group_by("valid_from")
    ):
        told = ", ".join(f"{feature} {weight:.3g}" for feature, weight in rows.select("feature", "weight").rows())
        print(f"  weights from {until:%Y-%m-%d} on: {told}")
