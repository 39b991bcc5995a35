"""Levels from the lake into the lake: go on from the stored state, a column an hour, the newest at the end."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import NamedTuple, cast

import polars as pl

from pipelines.derive.levels import bars as source
from pipelines.derive.levels import stored
from pipelines.derive.levels.columns import levels, weights_at
from pipelines.derive.levels.margins import margins
from pipelines.derive.levels.model import EMPTY, State, advance
from pipelines.derive.levels.parameters import PARAMETERS, Parameters
from pipelines.derive.levels.reach import reach_levels
from warehouse.lake import Lake, quoted
from warehouse.tables import TABLES
from warehouse.writer import replace

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
FIRST_RUN = timedelta(days=30)
HOURLY_FOR = timedelta(days=30)  # older columns are kept for midnight only
READ = timedelta(hours=6)  # at once: a day of 700 contracts takes 850 MB, this half


class Estimated(NamedTuple):
    """What a run did: columns stored, their rows, coins in the newest, bars read."""

    columns: int
    rows: int
    coins: int
    bars: int


def estimate(
    lake: Lake,
    until: datetime,
    since: datetime | None = None,
    parameters: Parameters = PARAMETERS,
    tell: Callable[[datetime], object] = lambda _: None,
    settled: datetime | None = None,
) -> Estimated:
    """Bring `liquidation_levels` to `until` (UTC, cut to the minute) and return what was done.

    Goes on from the stored state, which is one of a full hour; with `since`, or where none is stored, starts from nothing
    at `since` (the hour of the first bar of the last 30 days), and replaces all columns from there on. Running it twice changes
    nothing. `tell` hears of each block's end. `settled`: the time up to which all bars have come, `until` where None. Columns
    after it are made of what is there and made again by the next run: the state is stored up to it only.
    """  # fmt: skip
    until = until.replace(second=0, microsecond=0)
    settled = until if settled is None else min(settled, until)
    listed = source.contracts(lake, until, parameters)
    state, start = _start(lake, listed, until, since, parameters)
    if start >= until:
        return Estimated(0, 0, 0, 0)
    note(lake, parameters, until)
    table_at, weights = _tables(source.tiers(lake), listed, parameters), _stored_weights(lake)
    fits = cast(pl.DataFrame, pl.from_arrow(lake.connection.execute("FROM levels_features").to_arrow_table()))
    full, done = (state, start), Estimated(0, 0, 0, 0)
    for first, last, step in _reads(start, until):
        read = source.bars(lake, listed, first, last)
        found = []
        for begin, end in spans(first, last, step):
            block, shifts = read.filter((pl.col("ts") >= begin) & (pl.col("ts") < end)), table_at(begin)
            due = _due(state, block, begin, end, parameters)
            state = advance(state, block, shifts, listed, parameters)
            full = (state, end) if end == floor(end, HOUR) and end <= settled else full
            found.append(_column(state, due, listed, shifts, weights, fits, end, parameters))
            tell(end)
        stored_rows = _store(lake, pl.concat(found), first, last, until)
        done = Estimated(
            done.columns + len(found), done.rows + stored_rows, found[-1]["base"].n_unique(), done.bars + read.height
        )
    if since or full[1] > start:
        stored.save(lake, full[0], listed, full[1], parameters)
    _thin(lake, start, until)
    return done


def _tables(tiers: pl.DataFrame, listed: pl.DataFrame, parameters: Parameters) -> Callable[[datetime], pl.DataFrame]:
    """Return what gives the margins as of an instant, so that the cut into runs does not matter; kept until they change."""
    changes = pl.concat([tiers["valid_from"], tiers["valid_to"].drop_nulls()]).unique().sort().to_list()
    made: dict[int, pl.DataFrame] = {}

    def at(moment: datetime) -> pl.DataFrame:
        number = bisect_right(changes, moment)
        if number not in made:
            made.clear()
            made[number] = margins(listed, tiers, moment, parameters)
        return made[number]

    return at


def floor(at: datetime, step: timedelta) -> datetime:
    """The last full hour (or day) at or before `at`."""
    midnight = datetime.combine(at.date(), time())
    return midnight + (at - midnight) // step * step


def spans(start: datetime, end: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Cut [start, end) at full steps: hours, days, or what divides them."""
    while start < end:
        stop = min(floor(start, step) + step, end)
        yield start, stop
        start = stop


def _reads(start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Cut [start, until) into what is read at once, each with the time from column to column."""
    for begin, end in spans(start, until, DAY):
        hourly = end > until - HOURLY_FOR
        for first, last in spans(begin, end, READ if hourly else DAY):
            yield first, last, HOUR if hourly else DAY


def _start(
    lake: Lake, listed: pl.DataFrame, until: datetime, since: datetime | None, parameters: Parameters
) -> tuple[State, datetime]:
    if since:
        return EMPTY, since
    if found := stored.load(lake, listed, parameters):
        return found
    first = source.first(lake, floor(until - FIRST_RUN, HOUR), until)
    return EMPTY, floor(first, HOUR) if first else until


def _due(state: State, block: pl.DataFrame, begin: datetime, end: datetime, parameters: Parameters) -> pl.DataFrame:
    """Return by contract how many bars the time has (seen), and how many it should have (due): one a minute, of a contract
    that had some before; of another from its first on, as nobody asked for it until then."""
    recent = state.carry.filter(pl.col("ts") >= begin - timedelta(hours=parameters.stale_h))
    seen = block.group_by("contract").agg(seen=pl.len(), first=pl.col("ts").min())
    known = recent.select("contract", first=pl.lit(begin, block.schema["ts"]), seen=pl.lit(0, pl.UInt32))
    return (
        pl.concat([seen, known], how="diagonal_relaxed")
        .group_by("contract")
        .agg(pl.col("seen").sum(), due=(pl.lit(end) - pl.col("first").min()).dt.total_minutes().clip(1))
    )


def _column(
    state: State, due: pl.DataFrame, listed: pl.DataFrame, shifts: pl.DataFrame, weights: pl.DataFrame, fits: pl.DataFrame,
    end: datetime, parameters: Parameters,
) -> pl.DataFrame:  # fmt: skip
    at = weights_at(weights, listed["base"], end, parameters)
    both = (
        levels(state, listed, shifts, at, end, parameters),
        reach_levels(state, listed, shifts, at, fits, end, parameters),
    )
    rows = pl.concat(both).sort("base", "model", "position_side", "leverage", "bin")
    share = (
        listed.select("contract", "base")
        .join(due, on="contract")
        .group_by("base")
        .agg(bars_share=pl.col("seen").sum() / pl.col("due").sum())
    )
    return rows.join(share, on="base", maintain_order="left", how="left").select(
        TABLES["liquidation_levels"].schema.names()
    )


def _store(lake: Lake, rows: pl.DataFrame, start: datetime, end: datetime, until: datetime) -> int:
    """Replace the columns of (start, end], and with the newest also what an earlier run left after it."""
    where = f"ts > TIMESTAMP {quoted(str(start))}"
    if end < until:
        where += f" AND ts <= TIMESTAMP {quoted(str(end))}"
    return replace(lake, "liquidation_levels", rows, where)[1]


def _thin(lake: Lake, start: datetime, until: datetime) -> None:
    """Keep of the columns that have become older than 30 days since the last run those of midnight."""
    first, last = floor(start - HOURLY_FOR, DAY), floor(until - HOURLY_FOR, DAY)
    if first < last:
        old = f"ts > TIMESTAMP {quoted(str(first))} AND ts <= TIMESTAMP {quoted(str(last))}"
        none = TABLES["liquidation_levels"].schema.to_frame()
        replace(lake, "liquidation_levels", none, f"{old} AND ts <> date_trunc('day', ts)")


def note(lake: Lake, parameters: Parameters, until: datetime) -> None:
    """Store what the version of the parameters stands for, once."""
    version = quoted(parameters.version)
    known = lake.connection.execute(f"SELECT 1 FROM levels_parameters WHERE parameters = {version}").fetchall()
    if not known:
        row = {"parameters": parameters.version, "json": parameters.json().decode(), "first_used": until}
        frame = pl.DataFrame([row], schema=TABLES["levels_parameters"].schema)
        replace(lake, "levels_parameters", frame, f"parameters = {version}")


def _stored_weights(lake: Lake) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(lake.connection.execute("FROM leverage_weights").to_arrow_table()))
