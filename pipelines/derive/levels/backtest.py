"""Weights fitted and maps scored on the lake's past, walking forward: what a map knows lies before it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import polars as pl

from pipelines.derive.levels import bars as source
from pipelines.derive.levels.estimate import DAY, HOUR, floor, note, spans
from pipelines.derive.levels.fit import fitted
from pipelines.derive.levels.margins import margins
from pipelines.derive.levels.model import EMPTY, State
from pipelines.derive.levels.parameters import PARAMETERS, Parameters
from pipelines.derive.levels.replay import Judged, Source, gathered, replay
from pipelines.derive.levels.score import scores
from pipelines.errors import UsageError
from warehouse.lake import Lake, quoted
from warehouse.writer import replace

FIT_OVER = timedelta(days=14)
FIT_EVERY = timedelta(days=7)
MOST_COINS = 50

COMPLETE = """
SELECT base, sum(notional_usd) AS usd, string_agg(DISTINCT venue, ', ' ORDER BY venue) AS venues
FROM liquidations_complete
WHERE ts_event >= $start AND ts_event < $end AND completeness = 'all' AND base IS NOT NULL AND notional_usd > 0
GROUP BY base ORDER BY usd DESC, base
"""
COMPLETE_CONTRACTS = """
SELECT DISTINCT venue, symbol FROM liquidations_complete
WHERE ts_event >= $start AND ts_event < $end AND completeness = 'all'
"""


class Backtested(NamedTuple):
    """What a run did: coins judged, maps frozen, rows of weights and of scores stored."""

    coins: int
    maps: int
    weights: int
    scores: int


TOLD_LAST = """
SELECT max(ts_event) FILTER (completeness = 'all' AND base IS NOT NULL AND notional_usd > 0), max(ts_event)
FROM liquidations_complete WHERE ts_event >= $start AND ts_event < $end
"""


class Prepared(NamedTuple):
    """The coins to judge with their contracts, and the venues whose feeds carry all."""

    listed: pl.DataFrame
    complete: pl.DataFrame
    venues: str | None


def backtest(
    lake: Lake, since: datetime, until: datetime, coins: Sequence[str] = (), parameters: Parameters = PARAMETERS,
    tell: Callable[[datetime], object] = lambda _: None,
) -> Backtested:  # fmt: skip
    """Score the maps of [since, until) (UTC, cut to the hour) and store weights and scores, in place of those of that time.

    The state starts empty FIT_OVER before; weights are fitted to that time, and again every FIT_EVERY to the FIT_OVER
    before, and used for later maps only. coins: all that have liquidations of complete feeds, at most MOST_COINS of the
    most USD, where none are named. Raises UsageError where since is not before until, or a coin has no such contract.
    """
    since, until = floor(since, HOUR), floor(until, HOUR)
    if since >= until:
        raise UsageError(f"nothing to score: {since} is not before {until}")
    made = prepare(lake, since, until, coins, parameters)
    if made.listed.is_empty():
        return Backtested(0, 0, 0, 0)
    note(lake, parameters, until)
    judged = judged_between(lake, made, since - FIT_OVER, until, parameters, tell)
    ends = [since + n * FIT_EVERY for n in range((until - since) // FIT_EVERY + 1)]
    fits = pl.concat([fitted(judged, end - FIT_OVER, end, made.venues, parameters) for end in ends])
    found = scores(judged, fits, since, until, made.venues, parameters)
    of = f"base IN ({', '.join(quoted(base) for base in made.listed['base'].unique().sort())})"
    span = f"TIMESTAMP {quoted(str(since))} AND TIMESTAMP {quoted(str(until))}"
    stored = replace(lake, "leverage_weights", fits, f"{of} AND valid_from BETWEEN {span}")[1]
    scored = replace(lake, "levels_scores", found, f"{of} AND until = TIMESTAMP {quoted(str(until))}")[1]
    return Backtested(found["base"].n_unique(), judged.reached["at"].n_unique(), stored, scored)


def why_none(lake: Lake, since: datetime, until: datetime, now: datetime) -> str:
    """Return why a back-test or a fit of [since, until), cut to the hour, has nothing to judge by."""
    begin, end = floor(since, HOUR), floor(until, HOUR)
    span = f"between {begin:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC (full hours only)"
    row = lake.connection.execute(TOLD_LAST, {"start": begin, "end": max(until, now)}).fetchone()
    whole, every = row or (None, None)
    if whole is not None and whole >= end:
        again = floor(whole, HOUR) + HOUR
        return (f"no liquidation of a feed that sends all of them {span}; there are some at {whole:%H:%M}, in an hour that is "
                f"not judged yet: try again after {again:%Y-%m-%d %H:%M} UTC")  # fmt: skip
    if whole is not None:
        return (
            f"the price reached no estimated level {span}, or no candles and open interest are there to make a map of"
        )
    if every is not None:
        return (f"no liquidation of a feed that sends all of them {span}; those there are come from throttled feeds, which "
                "cannot say what did not happen")  # fmt: skip
    return f"no liquidation is stored {span}"


def fit(
    lake: Lake, until: datetime, coins: Sequence[str] = (), parameters: Parameters = PARAMETERS,
    tell: Callable[[datetime], object] = lambda _: None,
) -> pl.DataFrame:  # fmt: skip
    """Fit weights to the FIT_OVER before `until` (cut to the hour), store them valid from then on, return their rows."""
    until = floor(until, HOUR)
    made = prepare(lake, until - FIT_OVER, until, coins, parameters)
    if made.listed.is_empty():
        return pl.DataFrame()
    note(lake, parameters, until)
    judged = judged_between(lake, made, until - FIT_OVER, until, parameters, tell)
    found = fitted(judged, until - FIT_OVER, until, made.venues, parameters)
    of = f"base IN ({', '.join(quoted(base) for base in made.listed['base'].unique().sort())})"
    replace(lake, "leverage_weights", found, f"{of} AND valid_from = TIMESTAMP {quoted(str(until))}")
    return found


def prepare(lake: Lake, since: datetime, until: datetime, coins: Sequence[str], parameters: Parameters) -> Prepared:
    """Choose the coins and their contracts. Raises UsageError for a coin without liquidations of a complete feed."""
    time = {"start": since, "end": until}
    told = cast(pl.DataFrame, pl.from_arrow(lake.connection.execute(COMPLETE, time).to_arrow_table()))
    if unknown := set(coins) - set(told["base"]):
        raise UsageError(f"no liquidations of a complete feed in that time: {', '.join(sorted(unknown))}")
    chosen = list(coins) or told["base"].head(MOST_COINS).to_list()
    listed = source.contracts(lake, until, parameters).filter(pl.col("base").is_in(chosen))
    whole = cast(pl.DataFrame, pl.from_arrow(lake.connection.execute(COMPLETE_CONTRACTS, time).to_arrow_table()))
    complete = listed.join(whole.select("venue").unique(), on="venue", how="semi").select("contract")
    venues = ", ".join(sorted(whole["venue"].unique())) or None
    return Prepared(listed, complete, venues)


def judged_between(
    lake: Lake,
    made: Prepared,
    since: datetime,
    until: datetime,
    parameters: Parameters,
    tell: Callable[[datetime], object],
) -> Judged:
    """Replay [since, until) from an empty state, a day of the lake at a time; before the first bar there is nothing."""
    tables, state, parts = source.tiers(lake), EMPTY, list[Judged]()
    first = source.first(lake, since, until)
    for start, end in spans(max(since, floor(first, HOUR)) if first else until, until, DAY):
        shifts = margins(made.listed, tables, start, parameters)
        bars = source.bars(lake, made.listed, start, end)
        told = source.realised(lake, made.listed, shifts, start, end)
        day = Source(_cut(bars), _cut(told), lambda _, shifts=shifts: shifts)  # type: ignore[misc]
        state = _day(state, day, start, end, made, parameters, parts, tell)
    return gathered(parts)


def _day(
    state: State, day: Source, start: datetime, end: datetime, made: Prepared, parameters: Parameters,
    parts: list[Judged], tell: Callable[[datetime], object],
) -> State:  # fmt: skip
    for judged, after in replay(
        state, day, spans(start, end, parameters.scored), made.complete, made.listed, parameters
    ):
        parts.append(judged)
        state = after
    tell(end)
    return state


def _cut(frame: pl.DataFrame) -> Callable[[datetime, datetime], pl.DataFrame]:
    return lambda start, end: frame.filter((pl.col("ts") >= start) & (pl.col("ts") < end))
