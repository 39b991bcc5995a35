"""The state of each liquidation channel in each minute: LIVE, SUSPECT or SILENT, by what is expected of it.

A silence lasts from one liquidation to the next, and its state is that of all its minutes: once the silence is unlikely, all of
them are suspect. So are the minute before and the minute after it, because the channel may have lost a part of them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from pipelines.columns.schemas import as_table
from pipelines.derive.coverage.expectation import (
    LIVE,
    SILENT,
    SUSPECT,
    Channel,
    Past,
    Silence,
    Span,
    judge,
    silences,
    state,
)
from pipelines.derive.coverage.past import Cells, Prices
from pipelines.derive.coverage.silence_rules import Rule
from warehouse.lake import Lake

STATES = (LIVE, SUSPECT, SILENT)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
AFTER = DAY
"""How far beyond the minutes that are computed again a silence is followed."""

REMARKABLE = 0.01
"""A silence more likely than this is not recorded; every working channel has many."""

STORED = """
FROM feed_coverage WHERE carries_liquidations AND minute >= $first AND minute < $last AND (minute < $since OR minute >= $until)
"""
KEY = ["venue", "channel", "transport"]
JUDGED = ["state", "state_reason", "silence_likelihood"]


class Judged(NamedTuple):
    """Rows of feed_coverage with their states: those asked for, and stored ones before and after them that are now other.

    Of the latter each frame has all minutes of one channel from the first to the last that differ.
    """

    rows: pl.DataFrame
    around: list[pl.DataFrame]


class Verdict(NamedTuple):
    """What is said of a silence: its state, why, and the likelihood of each of its minutes, NaN where it is not judged."""

    span: Span
    state: str
    reason: str | None
    likelihood: np.ndarray


def with_states(lake: Lake, rows: pl.DataFrame, since: datetime, until: datetime, rule: Rule) -> Judged:
    """Fill in the states of `rows`, those of feed_coverage for [since, until), whole minutes UTC of one day; writes nothing."""
    first = since.replace(hour=0, minute=0) - DAY * (rule.history_days + 1)
    span = {"first": first, "last": until + AFTER, "since": since, "until": until}
    own = rows.filter("carries_liquidations")
    if own.is_empty():
        return Judged(rows, [])
    stored = as_table(lake.connection.execute(STORED, span).pl(), "feed_coverage")
    feeds = _feeds(pl.concat([own, stored]), first, ((since - first) // MINUTE, (until - first) // MINUTE))
    _Judge(lake, feeds, first, rule).run()
    found = pl.DataFrame([row for feed in feeds for row in feed.told(first)],
                         {name: rows.schema[name] for name in [*KEY, "minute", *JUDGED]}, orient="row")  # fmt: skip
    before, after = (pl.col("minute") < since), (pl.col("minute") >= until)
    around = [_other(stored.filter(side), found) for side in (before, after)]
    return Judged(_filled(rows, found), [each for frames in around for each in frames])


def _other(stored: pl.DataFrame, found: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield for each channel its stored rows from the first to the last whose state is now other, with that state."""
    now = _filled(stored.join(found, on=[*KEY, "minute"], how="semi"), found)
    differ = now.join(stored, on=now.columns, how="anti", nulls_equal=True)
    for key, minutes in differ.partition_by(KEY, as_dict=True).items():
        own = pl.all_horizontal(pl.col(name) == value for name, value in zip(KEY, key, strict=True))
        yield now.filter(own & pl.col("minute").is_between(minutes["minute"].min(), minutes["minute"].max()))


def _filled(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    joined = rows.drop(JUDGED).join(found, on=[*KEY, "minute"], how="left")
    gap = (pl.col("connected_share") < 1) | (pl.col("state") != LIVE).fill_null(False)
    return as_table(
        joined.with_columns(repaired=pl.when(gap).then(pl.col("repaired").fill_null(False))), "feed_coverage"
    )


class _Feed:
    """One liquidation channel, minute by minute from the first that is looked at; `span`: the minutes to fill in."""

    def __init__(self, key: tuple[str, ...], rows: pl.DataFrame, length: int, span: Span) -> None:
        self.venue, self.channel, self.transport = key
        at = rows["at"].to_numpy()
        self.share, self.heard = np.zeros(length), np.zeros(length, bool)
        self.share[at] = rows["connected_share"].to_numpy()
        self.heard[at] = (rows["frames"].fill_null(0) + rows["rows"] > 0).to_numpy()
        self._stored: dict[int, tuple[str | None, str | None, float | None]] = dict(
            zip(at.tolist(), rows.select(JUDGED).iter_rows(), strict=True)
        )
        self._gaps = dict(zip(at.tolist(), rows["gap_reason"].to_list(), strict=True))
        quiet = silences(self.heard, self.share)
        core = [(first, end) for first, end in quiet if end >= span[0] and first <= span[1]]
        self.span = (
            max(0, min([span[0], *(first - 1 for first, _ in core)])),
            min(length, max([span[1], *(end + 1 for _, end in core)])),
        )
        self._asked = span
        self.quiet = [(first, end) for first, end in quiet if end >= self.span[0] and first - 1 < self.span[1]]
        suspect = np.array([at for at, (state, *_) in self._stored.items() if state in (SUSPECT, SILENT)], int)
        self.sound = self.share > 0
        self.sound[suspect[(suspect < self.span[0]) | (suspect >= self.span[1])]] = False
        self.verdicts: list[Verdict] = []

    def goes_on(self, span: Span) -> Verdict | None:
        """Return what is stored of a silence that was SILENT before the minutes asked for began: it stays so."""
        for at in range(min(span[1], self._asked[0]) - 1, span[0] - 1, -1):
            if self.share[at] > 0:
                now, reason, likelihood = self._stored[at]
                stays = now == SILENT and likelihood is None
                return Verdict(span, SILENT, reason, self._likelihoods(span)) if stays else None
        return None

    def _likelihoods(self, span: Span) -> np.ndarray:
        found = [self._stored[at][2] if at in self._stored else None for at in range(*span)]
        return np.array([np.nan if one is None else one for one in found])

    def take(self, verdict: Verdict) -> bool:
        """Keep what is said of a silence; return whether its minutes do not count as the channel's past any more."""
        self.verdicts.append(verdict)
        if verdict.state != LIVE:
            self.sound[max(0, verdict.span[0] - 1) : verdict.span[1] + 1] = False
        return verdict.state != LIVE

    def told(self, start: datetime) -> Iterator[tuple[Any, ...]]:
        """Yield the key, minute, state, reason and likelihood of each minute of the span that has a row."""
        found: dict[int, tuple[str, str | None, float | None]] = {}
        for (first, end), now, reason, likelihood in self.verdicts:
            for at in range(max(0, first - 1), min(end + 1, len(self.share))):
                is_own = first <= at < end and not np.isnan(likelihood[at - first])
                before = found.get(at, (LIVE, None, None))
                worst = (now, reason) if STATES.index(now) > STATES.index(before[0]) else before[:2]
                found[at] = (*worst, float(likelihood[at - first]) if is_own else before[2])
        for at in range(*self.span):
            if at in self._gaps:
                now, why, likely = found.get(at, (LIVE, None, None))
                if self.share[at] == 0:
                    now, why = SILENT, self._gaps[at]
                yield self.venue, self.channel, self.transport, start + at * MINUTE, now, why, likely


def _feeds(rows: pl.DataFrame, first: datetime, span: Span) -> list[_Feed]:
    rows = rows.with_columns(at=(pl.col("minute") - first).dt.total_minutes())
    length = max(span[1], int(rows["at"].max()) + 1)  # type: ignore[arg-type]
    of = rows.partition_by(KEY, as_dict=True)
    return [_Feed(key, of[key], length, span) for key in sorted(of) if (of[key]["at"] < span[1]).any()]


class _Judge:
    """Judges silences in order of time, so that what is found suspect is no past of a later one."""

    def __init__(self, lake: Lake, feeds: list[_Feed], start: datetime, rule: Rule) -> None:
        self._lake, self._feeds, self._start, self._rule = lake, feeds, start, rule
        self._pasts: dict[tuple[int, frozenset[int]], tuple[Channel, Past]] = {}

    def run(self) -> None:
        """Find the verdict on each silence of each feed."""
        for span, number in sorted((span, number) for number, feed in enumerate(self._feeds) for span in feed.quiet):
            feed = self._feeds[number]
            if span[1] - span[0] < self._rule.least_minutes:
                found = Verdict(span, LIVE, None, np.full(span[1] - span[0], np.nan))
            else:
                found = feed.goes_on(span) or _verdict(self._judge(number, span), self._start, self._rule)
            if feed.take(found):
                self._pasts = {key: past for key, past in self._pasts.items() if key[0] != number}

    @cached_property
    def _cells(self) -> Cells:
        return Cells(self._lake, self._start, len(self._feeds[0].share))

    @cached_property
    def _prices(self) -> Prices:
        return Prices(self._lake, self._start, self._cells.coins, self._rule)

    def _judge(self, number: int, span: Span) -> Silence:
        feed = self._feeds[number]
        a_day = self._cells.days(feed.venue, feed.channel, span[0], self._rule.history_days)
        others = {
            f"{other.venue} {other.channel}": self._past(at, frozenset(a_day))
            for at, other in enumerate(self._feeds)
            if other.venue != feed.venue
        }
        own, past = self._past(number, frozenset())
        return judge(own, past, others, span, self._rule, self._prices.moves(span, a_day))

    def _past(self, number: int, coins: frozenset[int]) -> tuple[Channel, Past]:
        if (known := self._pasts.get((number, coins))) is None:
            feed = self._feeds[number]
            brought = self._cells.brought(feed.venue, feed.channel, coins)
            channel = Channel(brought, feed.share, feed.heard, feed.sound)
            known = self._pasts[number, coins] = channel, Past(channel, self._rule)
        return known


def _verdict(found: Silence, start: datetime, rule: Rule) -> Verdict:
    now, after = state(found, rule)
    reason = None if now == LIVE else _why(found, after - 1, start)
    likelihood = found.likelihood.copy()
    likelihood[: rule.least_minutes - 1] = np.nan  # so short a silence says nothing
    likelihood[likelihood > REMARKABLE] = np.nan
    if now == SILENT:
        likelihood[after:] = np.nan  # that is settled
    return Verdict((found.first, found.end), now, reason, likelihood)


def _why(found: Silence, at: int, start: datetime) -> str:
    """Say why a silence is unlikely, as of the minute in which that was known; it then stays as it is."""
    since, known = start + found.first * MINUTE, start + (found.first + at + 1) * MINUTE
    came = ", ".join(f"{name} {brought[at]:.0f}" for name, brought in found.others.items())
    moved = ", ".join(one.coin for one in found.moved if one.at <= found.first + at)
    return (
        f"no liquidation {'was ever heard, ' if found.never_heard else ''}since {since:%Y-%m-%d %H:%M}; "
        f"{found.expected[at]:.0f} expected by {known:%H:%M}"
        f"{f'; others brought: {came}' if came else ''}{f'; prices moved: {moved}' if moved else ''}"
        f" (coins with one, each minute)"
    )
