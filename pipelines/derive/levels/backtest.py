"""Weights fitted and maps scored on the lake's past, walking forward: what a map knows lies before it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import polars as pl

from pipelines.derive.levels import bars as source
from pipelines.derive.levels.estimate import DAY, HOUR, floor, note, spans
from pipelines.derive.levels.fit import fitted
from pipelines.derive.levels.forecast import fitted_features
from pipelines.derive.levels.foretold import with_models, with_opened
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

COINS = """
SELECT base, sum(notional_usd) AS usd, bool_or(completeness = 'all') AS whole FROM liquidations_filled_in
WHERE ts_event >= $start AND ts_event < $end AND base IS NOT NULL AND notional_usd > 0 AND price > 0
    AND position_side IS NOT NULL
GROUP BY base ORDER BY whole DESC, usd DESC, base
"""
FEEDS = """
SELECT venue, bool_and(completeness = 'all' AND position_side IS NOT NULL) AS whole FROM liquidations_filled_in
WHERE ts_event >= $start AND ts_event < $end AND base IS NOT NULL AND notional_usd > 0 AND price > 0
GROUP BY venue HAVING count(position_side) > 0 ORDER BY venue
"""


class Backtested(NamedTuple):
    """What a run did: coins judged, maps frozen, rows of weights and of scores stored."""

    coins: int
    maps: int
    weights: int
    scores: int


TOLD_LAST = """
SELECT max(ts_event) FILTER (base IS NOT NULL AND notional_usd > 0 AND price > 0) FROM liquidations_filled_in
WHERE ts_event >= $start AND ts_event < $end
"""


class Prepared(NamedTuple):
    """The contracts of the coins to judge, those (told) of venues with liquidations; venues whose feeds carry all, and those
    that leave some out (throttled)."""

    listed: pl.DataFrame
    told: pl.DataFrame
    whole: tuple[str, ...]
    throttled: tuple[str, ...]

    @property
    def venues(self) -> str | None:
        """The venues whose feeds carry all, in words."""
        return ", ".join(self.whole) or None


def backtest(
    lake: Lake, since: datetime, until: datetime, coins: Sequence[str] = (), parameters: Parameters = PARAMETERS,
    tell: Callable[[datetime], object] = lambda _: None,
) -> Backtested:  # fmt: skip
    """Score the maps of [since, until) (UTC, cut to the hour) and store weights and scores, in place of those of that time.

    The state starts empty FIT_OVER before; weights are fitted to that time, and again every FIT_EVERY to the FIT_OVER
    before, and used for later maps only. coins: all that have liquidations, at most MOST_COINS, those of complete feeds first
    and of the most USD, where none are named. Raises UsageError where since is not before until, or a coin has none.
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
    fits = pl.concat([_fitted(judged, end, made, parameters) for end in ends])
    cells = with_opened(judged, fits, parameters)
    begin = since - FIT_OVER
    learnt = pl.concat([fitted_features(cells, begin, end, made.throttled, parameters) for end in ends])
    cells = with_models(cells, learnt, ends, parameters)
    found = scores(cells, judged, since, until, made.throttled, parameters)
    of = f"base IN ({', '.join(quoted(base) for base in made.listed['base'].unique().sort())})"
    span = f"TIMESTAMP {quoted(str(since))} AND TIMESTAMP {quoted(str(until))}"
    stored = replace(lake, "leverage_weights", fits, f"{of} AND valid_from BETWEEN {span}")[1]
    replace(lake, "levels_features", learnt, f"(base IS NULL OR {of}) AND valid_from BETWEEN {span}")
    scored = replace(lake, "levels_scores", found, f"{of} AND until = TIMESTAMP {quoted(str(until))}")[1]
    return Backtested(found["base"].n_unique(), judged.reached["at"].n_unique(), stored, scored)


def why_none(lake: Lake, since: datetime, until: datetime, now: datetime) -> str:
    """Return why a back-test or a fit of [since, until), cut to the hour, has nothing to judge by."""
    begin, end = floor(since, HOUR), floor(until, HOUR)
    span = f"between {begin:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC (full hours only)"
    (last,) = lake.connection.execute(TOLD_LAST, {"start": begin, "end": max(until, now)}).fetchall()[0]
    if last is None:
        return f"no liquidation is stored {span}"
    if last >= end:
        again = floor(last, HOUR) + HOUR
        return (f"no liquidation is stored {span}; there are some at {last:%H:%M}, in an hour that is not judged yet: try "
                f"again after {again:%Y-%m-%d %H:%M} UTC")  # fmt: skip
    return f"the price reached no estimated level {span}, or no candles and open interest are there to make a map of"


def fit(
    lake: Lake, until: datetime, coins: Sequence[str] = (), parameters: Parameters = PARAMETERS,
    tell: Callable[[datetime], object] = lambda _: None,
) -> pl.DataFrame:  # fmt: skip
    """Fit the weights of leverages and of features to the FIT_OVER before `until` (cut to the hour), store them valid from
    then on, and return the rows of `leverage_weights`."""
    until = floor(until, HOUR)
    made = prepare(lake, until - FIT_OVER, until, coins, parameters)
    if made.listed.is_empty():
        return pl.DataFrame()
    note(lake, parameters, until)
    judged = judged_between(lake, made, until - FIT_OVER, until, parameters, tell)
    found = _fitted(judged, until, made, parameters)
    known = cast(pl.DataFrame, pl.from_arrow(lake.connection.execute("FROM leverage_weights").to_arrow_table()))
    cells = with_opened(judged, known, parameters)
    learnt = fitted_features(cells, until - FIT_OVER, until, made.throttled, parameters)
    of = f"base IN ({', '.join(quoted(base) for base in made.listed['base'].unique().sort())})"
    replace(lake, "levels_features", learnt, f"(base IS NULL OR {of}) AND valid_from = TIMESTAMP {quoted(str(until))}")
    replace(lake, "leverage_weights", found, f"{of} AND valid_from = TIMESTAMP {quoted(str(until))}")
    return found


def _fitted(judged: Judged, end: datetime, made: Prepared, parameters: Parameters) -> pl.DataFrame:
    """Leverage weights of the FIT_OVER before `end`: of complete feeds where the world has one, else of what there is."""
    used = made.whole or made.throttled
    of = Judged(*(frame.filter(pl.col("venue").is_in(used)) for frame in judged))
    return fitted(of, end - FIT_OVER, end, ", ".join(used) or None, parameters)


def prepare(lake: Lake, since: datetime, until: datetime, coins: Sequence[str], parameters: Parameters) -> Prepared:
    """Choose the coins and their contracts. Raises UsageError for a coin without liquidations."""
    time = {"start": since, "end": until}
    found = cast(pl.DataFrame, pl.from_arrow(lake.connection.execute(COINS, time).to_arrow_table()))
    if unknown := set(coins) - set(found["base"]):
        raise UsageError(f"no liquidations in that time: {', '.join(sorted(unknown))}")
    chosen = list(coins) or found["base"].head(MOST_COINS).to_list()
    listed = source.contracts(lake, until, parameters).filter(pl.col("base").is_in(chosen))
    feeds = dict(lake.connection.execute(FEEDS, time).fetchall())
    told = listed.filter(pl.col("venue").is_in(list(feeds))).select("contract")
    whole = tuple(venue for venue, every in feeds.items() if every)
    return Prepared(listed, told, whole, tuple(venue for venue in feeds if venue not in whole))


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
    for judged, after in replay(state, day, spans(start, end, parameters.scored), made.told, made.listed, parameters):
        parts.append(judged)
        state = after
    tell(end)
    return state


def _cut(frame: pl.DataFrame) -> Callable[[datetime, datetime], pl.DataFrame]:
    return lambda start, end: frame.filter((pl.col("ts") >= start) & (pl.col("ts") < end))
